package vci

import (
	"io"
	"net/http"
	"strings"

	"regain/conformance/did"
	"regain/conformance/jose"
	"regain/conformance/mdoc"
	"regain/conformance/proofing/client"
	"regain/conformance/proofing/credential"
	"regain/conformance/proofing/offer"
	"regain/conformance/proofing/web"
)

// metadataType is the media type in the typ of signed metadata (OpenID4VCI 1.0 §12.2.3).
const metadataType = "openidvci-issuer-metadata+jwt"

// metadata says what is issued here, and how.
type metadata struct {
	config   Config
	door     *client.Door
	requests *jose.EncryptionKey
}

// serveIssuer answers with the Credential Issuer Metadata, signed for who asks for a JWT (OpenID4VCI 1.0
// §12.2.2).
func (m *metadata) serveIssuer(w http.ResponseWriter, r *http.Request) {
	about := m.issuer()
	w.Header().Add("Vary", "Accept")
	if !wantsJWT(r.Header.Values("Accept")) {
		web.WriteJSON(w, http.StatusOK, about)
		return
	}
	about["iss"], about["sub"], about["iat"] = m.config.BaseURL, m.config.BaseURL, m.config.Clock().Unix()
	signed, err := m.config.Metadata.Sign(metadataType, about)
	if err != nil {
		m.config.Errors.Fault(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/jwt")
	_, _ = io.WriteString(w, signed)
}

// wantsJWT reports whether an Accept header names application/jwt, and does not name application/json before it.
func wantsJWT(accept []string) bool {
	for _, entry := range strings.Split(strings.Join(accept, ","), ",") {
		kind, _, _ := strings.Cut(entry, ";")
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "application/json":
			return false
		case "application/jwt":
			return true
		}
	}
	return false
}

// issuer is the Credential Issuer Metadata (OpenID4VCI 1.0 §12.2.4), with the endpoint of the Face Check.
func (m *metadata) issuer() map[string]any {
	base := m.config.BaseURL
	return map[string]any{
		"credential_issuer":     base,
		"credential_endpoint":   base + "/credential",
		"nonce_endpoint":        base + "/nonce",
		"notification_endpoint": base + "/notification",
		"face_check_endpoint":   m.config.FaceCheckURL,
		"credential_request_encryption": map[string]any{
			"jwks": jose.JWKSet{Keys: []jose.JWK{m.requests.Public()}}, "enc_values_supported": jose.Encodings(), "encryption_required": false,
		},
		"credential_response_encryption": map[string]any{
			"alg_values_supported": []string{jose.ECDHES}, "enc_values_supported": jose.Encodings(),
			"zip_values_supported": []string{jose.Deflate}, "encryption_required": false,
		},
		"batch_credential_issuance": map[string]any{"batch_size": maxBatch},
		"display":                   []any{map[string]any{"name": m.config.Name, "locale": "en"}},
		"credential_configurations_supported": map[string]any{
			credential.ConfigurationID: m.verifiedID(), credential.LicenceID: m.licence(), credential.JWTID: m.vc(),
		},
	}
}

func (m *metadata) verifiedID() map[string]any {
	about := m.configuration(credential.ConfigurationID, "Verified ID", nil, [][2]string{
		{"given_name", "Given name"}, {"family_name", "Family name"}, {"birthdate", "Date of birth"},
		{"document_type", "Document"}, {"document_number", "Document number"}, {"portrait", "Photo"},
	})
	about["format"], about["vct"] = "dc+sd-jwt", m.config.Type
	about["cryptographic_binding_methods_supported"] = []string{"jwk"}
	about["credential_signing_alg_values_supported"] = []string{"ES256"}
	return about
}

// licence has algorithms as COSE numbers them (OpenID4VCI 1.0 Appendix A.2.2).
func (m *metadata) licence() map[string]any {
	about := m.configuration(credential.LicenceID, "Mobile driving licence", []string{mdoc.Namespace}, [][2]string{
		{"given_name", "Given name"}, {"family_name", "Family name"}, {"birth_date", "Date of birth"},
		{"document_number", "Document number"}, {"portrait", "Photo"}, {"issue_date", "Issued on"}, {"expiry_date", "Valid until"},
		{"issuing_authority", "Issued by"}, {"issuing_country", "Country"}, {"driving_privileges", "Vehicles"},
	})
	about["format"], about["doctype"] = "mso_mdoc", mdoc.DocType
	about["cryptographic_binding_methods_supported"] = []string{"cose_key"}
	about["credential_signing_alg_values_supported"] = []int{-7}
	return about
}

// vc is of JWT VCs (OpenID4VCI 1.0 Appendix A.1.1.2).
func (m *metadata) vc() map[string]any {
	about := m.configuration(credential.JWTID, "Verified ID", []string{"credentialSubject"}, [][2]string{
		{"firstName", "Given name"}, {"lastName", "Family name"}, {"dateOfBirth", "Date of birth"}, {"portrait", "Photo"},
	})
	about["format"], about["credential_definition"] = "jwt_vc_json", map[string]any{"type": []string{"VerifiableCredential", credential.IdentityType}}
	about["cryptographic_binding_methods_supported"] = did.HolderMethods()
	about["credential_signing_alg_values_supported"] = []string{"ES256"}
	if len(m.config.KeyAttesters.Keys) == 0 { // keys on P-256 alone are attested
		about["proof_types_supported"] = m.proofTypes(did.HolderAlgorithms()...)
	}
	return about
}

// configuration is what all have in common. Claims are described by their paths (OpenID4VCI 1.0 Appendix B.2).
func (m *metadata) configuration(id, name string, prefix []string, claims [][2]string) map[string]any {
	described := make([]any, len(claims))
	for i, c := range claims {
		described[i] = map[string]any{
			"path": append(append([]string{}, prefix...), c[0]), "mandatory": true,
			"display": []any{map[string]any{"name": c[1], "locale": "en"}},
		}
	}
	return map[string]any{
		"scope":                 id,
		"proof_types_supported": m.proofTypes(jose.ES256),
		"credential_metadata": map[string]any{
			"display": []any{map[string]any{"name": name, "locale": "en", "background_color": "#1d3a5f", "text_color": "#ffffff"}},
			"claims":  described,
		},
	}
}

func (m *metadata) proofTypes(algorithms ...string) map[string]any {
	proof := map[string]any{"proof_signing_alg_values_supported": algorithms}
	if len(m.config.KeyAttesters.Keys) > 0 {
		proof["key_attestations_required"] = map[string]any{} // of any kind of storage
	}
	return map[string]any{"jwt": proof}
}

// serveServer is the Authorization Server Metadata (RFC 8414, OpenID4VCI 1.0 §12.3).
func (m *metadata) serveServer(w http.ResponseWriter, _ *http.Request) {
	base := m.config.BaseURL
	about := map[string]any{
		"issuer":                                          base,
		"token_endpoint":                                  base + "/token",
		"grant_types_supported":                           []string{offer.GrantType},
		"token_endpoint_auth_methods_supported":           m.door.Methods(),
		"response_types_supported":                        []string{},
		"authorization_details_types_supported":           []string{"openid_credential"},
		"dpop_signing_alg_values_supported":               []string{"ES256"},
		"pre-authorized_grant_anonymous_access_supported": !m.door.Closed(),
	}
	if len(m.config.Wallets) > 0 {
		about["token_endpoint_auth_signing_alg_values_supported"] = []string{"ES256"}
	}
	if len(m.config.Attesters) > 0 {
		about["client_attestation_signing_alg_values_supported"] = []string{"ES256"}
		about["client_attestation_pop_signing_alg_values_supported"] = []string{"ES256"}
	}
	if m.door.Closed() {
		// No grant here uses it, so RFC 8414 §2 lets it be left out; client libraries for known wallets look for it all
		// the same, and the OpenID Foundation's suite does not start without.
		about["authorization_endpoint"] = base + "/authorize"
	}
	web.WriteJSON(w, http.StatusOK, about)
}

// serveAuthorize refuses every authorization request: codes are pre-authorized here, at the end of the pages.
func (m *metadata) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	m.config.Errors.Fail(w, r, web.Refuse("unsupported_response_type", "there is no authorization code flow here"))
}
