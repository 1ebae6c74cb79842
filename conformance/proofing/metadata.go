package proofing

import (
	"io"
	"net/http"
	"strings"

	"regain/conformance/did"
	"regain/conformance/jose"
	"regain/conformance/mdoc"
)

// metadataType is the media type in the typ of signed metadata (OpenID4VCI 1.0 §12.2.3).
const metadataType = "openidvci-issuer-metadata+jwt"

// serveIssuerMetadata answers with the Credential Issuer Metadata, signed for who asks for a JWT (OpenID4VCI 1.0
// §12.2.2).
func (s *Server) serveIssuerMetadata(w http.ResponseWriter, r *http.Request) {
	metadata := s.issuerMetadata()
	w.Header().Add("Vary", "Accept")
	if !wantsJWT(r.Header.Values("Accept")) {
		writeJSON(w, http.StatusOK, metadata)
		return
	}
	metadata["iss"], metadata["sub"], metadata["iat"] = s.config.BaseURL, s.config.BaseURL, s.config.Clock().Unix()
	signed, err := s.ca.metadata.sign(metadataType, metadata)
	if err != nil {
		s.fault(w, r, err)
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

// issuerMetadata is the Credential Issuer Metadata (OpenID4VCI 1.0 §12.2.4), with the endpoint of the Face Check.
func (s *Server) issuerMetadata() map[string]any {
	base := s.config.BaseURL
	return map[string]any{
		"credential_issuer":     base,
		"credential_endpoint":   base + "/credential",
		"nonce_endpoint":        base + "/nonce",
		"notification_endpoint": base + "/notification",
		"face_check_endpoint":   base + faceCheckPath,
		"credential_request_encryption": map[string]any{
			"jwks": jose.JWKSet{Keys: []jose.JWK{s.requests.Public()}}, "enc_values_supported": jose.Encodings(), "encryption_required": false,
		},
		"credential_response_encryption": map[string]any{
			"alg_values_supported": []string{jose.ECDHES}, "enc_values_supported": jose.Encodings(),
			"zip_values_supported": []string{jose.Deflate}, "encryption_required": false,
		},
		"batch_credential_issuance": map[string]any{"batch_size": s.limits.batch},
		"display":                   []any{map[string]any{"name": s.config.Name, "locale": "en"}},
		"credential_configurations_supported": map[string]any{
			ConfigurationID: s.verifiedIDMetadata(), LicenceID: s.licenceMetadata(), JWTID: s.vcMetadata(),
		},
	}
}

func (s *Server) verifiedIDMetadata() map[string]any {
	about := s.configurationMetadata(ConfigurationID, "Verified ID", nil, [][2]string{
		{"given_name", "Given name"}, {"family_name", "Family name"}, {"birthdate", "Date of birth"},
		{"document_type", "Document"}, {"document_number", "Document number"}, {"portrait", "Photo"},
	})
	about["format"], about["vct"] = "dc+sd-jwt", s.config.Type
	about["cryptographic_binding_methods_supported"] = []string{"jwk"}
	about["credential_signing_alg_values_supported"] = []string{"ES256"}
	return about
}

// licenceMetadata has algorithms as COSE numbers them (OpenID4VCI 1.0 Appendix A.2.2).
func (s *Server) licenceMetadata() map[string]any {
	about := s.configurationMetadata(LicenceID, "Mobile driving licence", []string{mdoc.Namespace}, [][2]string{
		{"given_name", "Given name"}, {"family_name", "Family name"}, {"birth_date", "Date of birth"},
		{"document_number", "Document number"}, {"portrait", "Photo"}, {"issue_date", "Issued on"}, {"expiry_date", "Valid until"},
		{"issuing_authority", "Issued by"}, {"issuing_country", "Country"}, {"driving_privileges", "Vehicles"},
	})
	about["format"], about["doctype"] = "mso_mdoc", mdoc.DocType
	about["cryptographic_binding_methods_supported"] = []string{"cose_key"}
	about["credential_signing_alg_values_supported"] = []int{-7}
	return about
}

// vcMetadata is of JWT VCs (OpenID4VCI 1.0 Appendix A.1.1.2).
func (s *Server) vcMetadata() map[string]any {
	about := s.configurationMetadata(JWTID, "Verified ID", []string{"credentialSubject"}, [][2]string{
		{"firstName", "Given name"}, {"lastName", "Family name"}, {"dateOfBirth", "Date of birth"}, {"portrait", "Photo"},
	})
	about["format"], about["credential_definition"] = "jwt_vc_json", map[string]any{"type": []string{"VerifiableCredential", IdentityType}}
	about["cryptographic_binding_methods_supported"] = did.HolderMethods()
	about["credential_signing_alg_values_supported"] = []string{"ES256"}
	if !s.attests() { // keys on P-256 alone are attested
		about["proof_types_supported"] = s.proofTypes(did.HolderAlgorithms()...)
	}
	return about
}

// configurationMetadata is what all have in common. Claims are described by their paths (OpenID4VCI 1.0 Appendix B.2).
func (s *Server) configurationMetadata(id, name string, prefix []string, claims [][2]string) map[string]any {
	described := make([]any, len(claims))
	for i, c := range claims {
		described[i] = map[string]any{
			"path": append(append([]string{}, prefix...), c[0]), "mandatory": true,
			"display": []any{map[string]any{"name": c[1], "locale": "en"}},
		}
	}
	return map[string]any{
		"scope":                 id,
		"proof_types_supported": s.proofTypes(jose.ES256),
		"credential_metadata": map[string]any{
			"display": []any{map[string]any{"name": name, "locale": "en", "background_color": "#1d3a5f", "text_color": "#ffffff"}},
			"claims":  described,
		},
	}
}

func (s *Server) proofTypes(algorithms ...string) map[string]any {
	proof := map[string]any{"proof_signing_alg_values_supported": algorithms}
	if s.attests() {
		proof["key_attestations_required"] = map[string]any{} // of any kind of storage
	}
	return map[string]any{"jwt": proof}
}

// serveServerMetadata is the Authorization Server Metadata (RFC 8414, OpenID4VCI 1.0 §12.3).
func (s *Server) serveServerMetadata(w http.ResponseWriter, _ *http.Request) {
	base := s.config.BaseURL
	metadata := map[string]any{
		"issuer":                                          base,
		"token_endpoint":                                  base + "/token",
		"grant_types_supported":                           []string{grantType},
		"token_endpoint_auth_methods_supported":           s.door.Methods(),
		"response_types_supported":                        []string{},
		"authorization_details_types_supported":           []string{"openid_credential"},
		"dpop_signing_alg_values_supported":               []string{"ES256"},
		"pre-authorized_grant_anonymous_access_supported": !s.door.Closed(),
	}
	if len(s.config.Wallets) > 0 {
		metadata["token_endpoint_auth_signing_alg_values_supported"] = []string{"ES256"}
	}
	if len(s.config.Attesters) > 0 {
		metadata["client_attestation_signing_alg_values_supported"] = []string{"ES256"}
		metadata["client_attestation_pop_signing_alg_values_supported"] = []string{"ES256"}
	}
	if s.door.Closed() {
		// No grant here uses it, so RFC 8414 §2 lets it be left out; client libraries for known wallets look for it all
		// the same, and the OpenID Foundation's suite does not start without.
		metadata["authorization_endpoint"] = base + "/authorize"
	}
	writeJSON(w, http.StatusOK, metadata)
}

// serveAuthorize refuses every authorization request: codes are pre-authorized here, at the end of the pages.
func (s *Server) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	s.fail(w, r, refuse("unsupported_response_type", "there is no authorization code flow here"))
}
