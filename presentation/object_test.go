package presentation_test

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/presentation"
	"regain/presentation/dcql"
	"regain/presentation/identity"
)

func TestRequestObject(t *testing.T) {
	c := newChain(t, nil)
	s := profileOf(t, c)
	r := requestOf(t, s)
	object, err := s.RequestObject(r, presentation.RequestObjectParams{Now: noon, WalletNonce: "wallet-nonce"})
	must(t, object, err)

	signed, err := jose.ParseSignedCompact(string(object), []jose.SignatureAlgorithm{jose.ES256})
	must(t, signed, err)
	if _, err := signed.Verify(c.leaf.PublicKey); err != nil {
		t.Errorf("go-jose does not verify it: %v", err)
	}
	header := signed.Signatures[0].Protected
	if header.ExtraHeaders[jose.HeaderType] != "oauth-authz-req+jwt" {
		t.Errorf("typ is %v", header.ExtraHeaders[jose.HeaderType])
	}
	pool := x509.NewCertPool()
	pool.AddCert(c.ca)
	chains, err := header.Certificates(x509.VerifyOptions{Roots: pool, CurrentTime: noon, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil || len(chains) == 0 {
		t.Errorf("x5c does not lead to the CA: %v", err)
	}
	hash := sha256.Sum256(c.leaf.Raw)
	claims := payload(t, object)
	for name, want := range map[string]any{
		"aud": "https://self-issued.me/v2", "response_type": "vp_token", "response_mode": "direct_post.jwt", "response_uri": responseURI,
		"client_id": "x509_hash:" + base64.RawURLEncoding.EncodeToString(hash[:]), "nonce": r.Nonce, "state": r.State, "wallet_nonce": "wallet-nonce",
		"iat": float64(noon.Unix()), "exp": float64(noon.Add(5 * time.Minute).Unix()),
	} {
		if claims[name] != want {
			t.Errorf("%s is %v, want %v", name, claims[name], want)
		}
	}
	// What belongs to other modes has no place here (OpenID4VP 1.0 §5), and iss is for nobody.
	for _, name := range []string{"redirect_uri", "iss", "sub", "expected_origins", "scope", "request_uri", "request_uri_method", "transaction_data", "verifier_info"} {
		if _, there := claims[name]; there {
			t.Errorf("the request has %s", name)
		}
	}
	if len(r.Nonce) < 43 || len(r.State) < 43 || r.Nonce == r.State {
		t.Error("nonce or state is short, or they are one")
	}
}

func TestTheQueryAsksForBothAndNotForThePortrait(t *testing.T) {
	p := newProfile(t)
	object, err := p.RequestObject(requestOf(t, p), presentation.RequestObjectParams{Now: noon})
	must(t, object, err)
	query, err := json.Marshal(payload(t, object)["dcql_query"])
	must(t, query, err)
	for _, part := range []string{`"verified_id"`, `"face_check"`, `"dc+sd-jwt"`, `"given_name"`} {
		if !strings.Contains(string(query), part) {
			t.Errorf("the query lacks %s: %s", part, query)
		}
	}
	if strings.Contains(string(query), "portrait") {
		t.Errorf("the query asks for the portrait: %s", query)
	}
}

// However often a request is fetched, it asks the same; only the wallet's own nonce differs.
func TestEveryFetchAsksTheSame(t *testing.T) {
	s := newProfile(t)
	r := requestOf(t, s)
	first, err := s.RequestObject(r, presentation.RequestObjectParams{Now: noon})
	must(t, first, err)
	second, err := s.RequestObject(r, presentation.RequestObjectParams{Now: noon.Add(time.Minute)})
	must(t, second, err)
	if strings.Split(string(first), ".")[1] != strings.Split(string(second), ".")[1] {
		t.Error("the second fetch asks for something else")
	}
	if _, there := payload(t, first)["wallet_nonce"]; there {
		t.Error("a wallet nonce that no wallet sent")
	}
}

func TestEveryRequestHasItsOwnSecrets(t *testing.T) {
	a, b := newRequest(t), newRequest(t)
	if a.Nonce == b.Nonce || a.State == b.State || a.Key.ID == b.Key.ID || key(t, a).KeyID == key(t, b).KeyID {
		t.Error("two requests share a secret")
	}
}

func TestNoRequestObjectWhen(t *testing.T) {
	s := inBrowser(newProfile(t), presentation.Signed)
	r := requestOf(t, s)
	for name, row := range map[string]struct {
		request presentation.Request
		params  presentation.RequestObjectParams
		err     error
		why     string
	}{
		"it has expired":               {r, presentation.RequestObjectParams{Now: noon.Add(5 * time.Minute)}, presentation.ErrExpired, "request has expired"},
		"nobody made it":               {presentation.Request{}, presentation.RequestObjectParams{Now: noon}, nil, "has no response mode"},
		"the certificate is not valid": {r, presentation.RequestObjectParams{Now: noon.Add(-2 * time.Hour)}, identity.ErrNotValid, "is not valid now"},
		"the wallet's nonce is broken": {r, presentation.RequestObjectParams{Now: noon, WalletNonce: "a\nb"}, presentation.ErrMalformed, "wallet_nonce"},
		"a browser asked":              {browserRequestOf(t, s), presentation.RequestObjectParams{Now: noon}, nil, "the request is for a browser"},
	} {
		object, err := s.RequestObject(row.request, row.params)
		if err == nil || row.err != nil && !errors.Is(err, row.err) || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %d bytes, %v", name, len(object), err)
		}
	}
}

// A wallet that offers a key gets the request encrypted to it: a JWS in a JWE (RFC 9101 §6.1, RFC 7519 §5.2).
func TestEncryptedRequestObject(t *testing.T) {
	c, wallet := newChain(t, nil), newChain(t, nil).key
	p := profileOf(t, c)
	r := requestOf(t, p)
	jwk := text(t, jose.JSONWebKey{Key: wallet.Public(), KeyID: "w", Use: "enc", Algorithm: "ECDH-ES"})
	for enc, offered := range map[string]string{"A128GCM": ``, "A256GCM": `,"request_object_encryption_enc_values_supported":["A128GCM","A256GCM"]`} {
		said, err := presentation.ParseRequestURIPost(map[string][]string{
			"wallet_nonce": {"n"}, "wallet_metadata": {`{"jwks":{"keys":[` + jwk + `]},"request_object_encryption_alg_values_supported":["ECDH-ES"]` + offered + `}`},
		})
		if must(t, said, err); said.Key == nil || said.Check(p, r) != nil {
			t.Fatal("the wallet's key was not found")
		}
		object, err := p.RequestObject(r, presentation.RequestObjectParams{Now: noon, WalletNonce: said.Nonce, WalletKey: said.Key})
		must(t, object, err)
		header := objectOf(t, part(t, string(object), 0))
		for name, want := range map[string]any{"alg": "ECDH-ES", "enc": enc, "kid": "w", "cty": "JWT", "typ": "oauth-authz-req+jwt"} {
			if header[name] != want {
				t.Errorf("%s is %v, want %v", name, header[name], want)
			}
		}
		sealed, err := jose.ParseEncryptedCompact(string(object), []jose.KeyAlgorithm{jose.ECDH_ES}, []jose.ContentEncryption{jose.ContentEncryption(enc)})
		must(t, sealed, err)
		plain, err := sealed.Decrypt(wallet)
		must(t, plain, err)
		if _, claims := verified(t, string(plain), c.leaf.PublicKey); claims["wallet_nonce"] != "n" || claims["nonce"] != r.Nonce {
			t.Error("what was encrypted is not the request")
		}
	}
}

// Each identity signs with its own key, and says where to find it; all but a registered one say how to answer.
func TestRequestObjectsOfOtherIdentities(t *testing.T) {
	for name, row := range map[string]struct {
		known  known
		header string
		mode   presentation.ResponseMode
	}{
		"x509_san_dns":   {bySAN(t), "x5c", presentation.DirectPostJWT},
		"a DID":          {byDID(t), "kid", presentation.DirectPostJWT},
		"pre-registered": {byRegistration(t), "kid", presentation.DirectPost},
	} {
		p := presentation.Profile{Endpoint: "openid4vp://authorize", Identity: row.known.who, ResponseMode: row.mode, VerifierInfo: json.RawMessage(`[{"format":"jwt","data":"x"}]`)}
		r := requestOf(t, p)
		object, err := p.RequestObject(r, presentation.RequestObjectParams{Now: noon})
		must(t, object, err)
		header, claims := verified(t, string(object), row.known.public)
		if header[row.header] == nil || claims["client_id"] != row.known.who.ClientID(responseURI) || claims["response_mode"] != string(row.mode) {
			t.Errorf("%s: %v signed for %v, %v", name, header, claims["client_id"], claims["response_mode"])
		}
		if _, there := claims["client_metadata"]; there != (name != "pre-registered") { // invalid_client otherwise (§8.5)
			t.Errorf("%s: client_metadata is there: %t", name, there)
		}
		if info, _ := claims["verifier_info"].([]any); len(info) != 1 {
			t.Errorf("%s: verifier_info is %v", name, claims["verifier_info"])
		}
	}
}

// client_metadata says how to answer and nothing else (§5.1): the request's own key where the answer is encrypted, and the
// algorithms of each format that is asked for.
func TestClientMetadata(t *testing.T) {
	query := dcql.Query{
		Credentials: []dcql.Credential{
			{ID: "a", Format: dcql.FormatSDJWT, Meta: &dcql.Meta{VCTValues: []string{"x"}}}, {ID: "b", Format: dcql.FormatSDJWT, Meta: &dcql.Meta{VCTValues: []string{"y"}}},
			{ID: "c", Format: dcql.FormatMdoc, Meta: &dcql.Meta{DoctypeValue: "org.iso.18013.5.1.mDL"}}, {ID: "d", Format: dcql.FormatJWTVC, Meta: &dcql.Meta{TypeValues: [][]string{{"z"}}}},
			{ID: "e", Format: dcql.FormatLDPVC, Meta: &dcql.Meta{TypeValues: [][]string{{"z"}}}},
		},
	}
	formats := `{"dc+sd-jwt":{"sd-jwt_alg_values":["ES256"],"kb-jwt_alg_values":["ES256"]},"mso_mdoc":{"issuerauth_alg_values":[-7,-9],"deviceauth_alg_values":[-7,-9]},` +
		`"jwt_vc_json":{"alg_values":["ES256K","ES256","EdDSA"]},"ldp_vc":{}}`
	for _, mode := range []presentation.ResponseMode{presentation.DirectPost, presentation.DirectPostJWT} {
		p := newProfile(t)
		p.ResponseMode = mode
		r, err := p.NewRequest(presentation.RequestParams{ResponseURI: responseURI, Query: query, Lifetime: time.Minute}, rand.Reader, noon)
		must(t, r, err)
		object, err := p.RequestObject(r, presentation.RequestObjectParams{Now: noon})
		must(t, object, err)
		want := map[string]any{"vp_formats_supported": objectOf(t, formats)}
		if mode.Encrypted() {
			public := key(t, r)
			public.Use, public.Algorithm = "enc", "ECDH-ES"
			want["jwks"] = map[string]any{"keys": []any{objectOf(t, text(t, public))}}
			want["encrypted_response_enc_values_supported"] = []any{"A128GCM", "A256GCM"} // HAIP 1.0 §5 wants both
		}
		if got := payload(t, object)["client_metadata"]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", mode, got, want)
		}
	}
}
