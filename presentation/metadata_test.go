package presentation_test

import (
	"crypto/rand"
	"errors"
	"net/url"
	"testing"
	"time"

	"regain/presentation"
	"regain/presentation/dcql"
)

// check has a wallet fetch the request with this metadata.
func check(t *testing.T, p presentation.Profile, r presentation.Request, metadata string) error {
	t.Helper()
	said, err := presentation.ParseRequestURIPost(url.Values{"wallet_metadata": {metadata}})
	if err != nil {
		return err
	}
	return said.Check(p, r)
}

// A wallet that cannot answer is refused at once, instead of by its silence; one that says nothing may be able to.
func TestMetadata(t *testing.T) {
	p := newProfile(t)
	r := requestOf(t, p)
	for metadata, want := range map[string]error{
		`{}`: nil,
		`{"response_types_supported":["vp_token","code"]}`:                                                     nil,
		`{"response_types_supported":["id_token"]}`:                                                            presentation.ErrUnsupportedWallet,
		`{"response_modes_supported":["direct_post"]}`:                                                         presentation.ErrUnsupportedWallet,
		`{"request_object_signing_alg_values_supported":["ES256K","ES256"]}`:                                   nil,
		`{"request_object_signing_alg_values_supported":["RS256"]}`:                                            presentation.ErrUnsupportedWallet,
		`{"client_id_prefixes_supported":["x509_hash"]}`:                                                       nil,
		`{"client_id_prefixes_supported":["pre-registered","x509_san_dns"]}`:                                   presentation.ErrUnsupportedWallet,
		`{"client_id_prefixes_supported":[]}`:                                                                  presentation.ErrUnsupportedWallet,
		`{"client_id_prefixes_supported":"x509_hash"}`:                                                         presentation.ErrMalformed,
		`{"authorization_encryption_alg_values_supported":["ECDH-ES"]}`:                                        nil,
		`{"authorization_encryption_alg_values_supported":["RSA-OAEP"]}`:                                       presentation.ErrUnsupportedWallet,
		`{"authorization_encryption_enc_values_supported":["A256GCM"]}`:                                        nil,
		`{"authorization_encryption_enc_values_supported":["A128CBC-HS256"]}`:                                  presentation.ErrUnsupportedWallet,
		`{"vp_formats_supported":{"dc+sd-jwt":{}}}`:                                                            nil,
		`{"vp_formats_supported":{"dc+sd-jwt":{"sd-jwt_alg_values":["ES256"],"kb-jwt_alg_values":["EdDSA"]}}}`: presentation.ErrUnsupportedWallet,
		`{"vp_formats_supported":{"dc+sd-jwt":{"sd-jwt_alg_values":[7]}}}`:                                     presentation.ErrMalformed,
		`{"vp_formats_supported":{"dc+sd-jwt":[]}}`:                                                            presentation.ErrUnsupportedWallet,
		`{"vp_formats_supported":{"vc+sd-jwt":{}}}`:                                                            presentation.ErrUnsupportedWallet,
		`{"request_object_encryption_alg_values_supported":["RSA-OAEP"]}`:                                      nil, // no key, so no encryption
		`{"jwks":{"keys":[{"kty":"RSA","use":"sig"}]}}`:                                                        nil,
		`{"jwks":{"keys":[{"kty":"RSA","use":"enc"}]}}`:                                                        presentation.ErrUnsupportedWallet,
		`{"jwks":{"keys":[{"kty":"EC","crv":"P-256","alg":"ECDH-ES+A128KW"}]}}`:                                presentation.ErrUnsupportedWallet,
		`{"jwks":{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}}`:                                     presentation.ErrMalformed,
		`{"jwks":{"keys":["x"]}}`:                                                                              presentation.ErrMalformed,
		`{"jwks":[]}`:                                                                                          presentation.ErrMalformed,
		`{"jwks":{"keys":[{}]},"request_object_encryption_alg_values_supported":["RSA-OAEP"]}`:                 presentation.ErrUnsupportedWallet,
		`{"jwks":{"keys":[{}]},"request_object_encryption_enc_values_supported":["A192GCM"]}`:                  presentation.ErrUnsupportedWallet,
		`{"jwks":{"keys":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}}`:                               presentation.ErrTooLarge,
	} {
		if err := check(t, p, r, metadata); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%s: %v, want %v", metadata, err, want)
		}
	}
}

// A registered client_id has a name in the list too (§10.1), and its answers, in the clear, need no encryption.
func TestMetadataOfARegisteredClientsWallet(t *testing.T) {
	p := presentation.Profile{Endpoint: "openid4vp://authorize", Identity: byRegistration(t).who, ResponseMode: presentation.DirectPost}
	r := requestOf(t, p)
	for metadata, want := range map[string]error{
		`{"client_id_prefixes_supported":["pre-registered"]}`:            nil,
		`{"client_id_prefixes_supported":["x509_hash"]}`:                 presentation.ErrUnsupportedWallet,
		`{"authorization_encryption_alg_values_supported":["RSA-OAEP"]}`: nil,
		`{"response_modes_supported":["direct_post","direct_post.jwt"]}`: nil,
		`{"response_modes_supported":["direct_post.jwt"]}`:               presentation.ErrUnsupportedWallet,
	} {
		if err := check(t, p, r, metadata); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%s: %v, want %v", metadata, err, want)
		}
	}
}

// Whether a wallet's formats do depends on the query: where it has alternatives, one of them is enough.
func TestMetadataOfAWalletWithSomeFormats(t *testing.T) {
	sd := dcql.Credential{ID: "sd", Format: dcql.FormatSDJWT, Meta: &dcql.Meta{VCTValues: []string{"x"}}}
	mdoc := dcql.Credential{ID: "mdoc", Format: dcql.FormatMdoc, Meta: &dcql.Meta{DoctypeValue: "org.iso.18013.5.1.mDL"}}
	jwt := dcql.Credential{ID: "jwt", Format: dcql.FormatJWTVC, Meta: &dcql.Meta{TypeValues: [][]string{{"x"}}}}
	all := dcql.Query{Credentials: []dcql.Credential{sd, mdoc, jwt}}
	either := dcql.Query{Credentials: all.Credentials, CredentialSets: []dcql.CredentialSet{{Options: [][]string{{"sd", "jwt"}, {"mdoc"}}}}}
	const noSD, noMdoc = `"mso_mdoc":{"issuerauth_alg_values":[-35,-9],"deviceauth_alg_values":[-7]},"jwt_vc_json":{"alg_values":["ES256K"]}`, `"dc+sd-jwt":{},"jwt_vc_json":{}`
	for name, row := range map[string]struct {
		query   dcql.Query
		formats string
		want    error
	}{
		"everything":              {all, noSD + `,"dc+sd-jwt":{}`, nil},
		"all but SD-JWT":          {all, noSD, presentation.ErrUnsupportedWallet},
		"all but the mdoc":        {all, noMdoc, presentation.ErrUnsupportedWallet},
		"the mdoc will do":        {either, noSD, nil},
		"the others will do":      {either, noMdoc, nil},
		"half of the others":      {either, `"dc+sd-jwt":{}`, presentation.ErrUnsupportedWallet},
		"nothing":                 {either, ``, presentation.ErrUnsupportedWallet},
		"an mdoc in ES384":        {either, `"mso_mdoc":{"issuerauth_alg_values":[-35]}`, presentation.ErrUnsupportedWallet},
		"an mdoc with a MAC only": {either, `"mso_mdoc":{"deviceauth_alg_values":[-65537]}`, presentation.ErrUnsupportedWallet},
		"an mdoc in JOSE's words": {either, `"mso_mdoc":{"issuerauth_alg_values":["ES256"]}`, presentation.ErrMalformed},
		"a JWT VC in PS256":       {either, `"dc+sd-jwt":{},"jwt_vc_json":{"alg_values":["PS256"]}`, presentation.ErrUnsupportedWallet},
	} {
		p := newProfile(t)
		r, err := p.NewRequest(presentation.RequestParams{ResponseURI: responseURI, Query: row.query, Lifetime: time.Minute}, rand.Reader, noon)
		must(t, r, err)
		if err := check(t, p, r, `{"vp_formats_supported":{`+row.formats+`}}`); !errors.Is(err, row.want) || row.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", name, err, row.want)
		}
	}
}
