package proofing

import "net/http"

// serveIssuerMetadata is the Credential Issuer Metadata (OpenID4VCI 1.0 §12.2), with the endpoint of the Face Check.
func (s *Server) serveIssuerMetadata(w http.ResponseWriter, _ *http.Request) {
	base := s.config.BaseURL
	writeJSON(w, http.StatusOK, map[string]any{
		"credential_issuer":         base,
		"credential_endpoint":       base + "/credential",
		"nonce_endpoint":            base + "/nonce",
		"face_check_endpoint":       base + "/face-check",
		"batch_credential_issuance": map[string]any{"batch_size": s.limits.batch},
		"display":                   []any{map[string]any{"name": s.config.Name, "locale": "en"}},
		"credential_configurations_supported": map[string]any{ConfigurationID: map[string]any{
			"format": "dc+sd-jwt", "vct": s.config.Type, "scope": ConfigurationID,
			"cryptographic_binding_methods_supported": []string{"jwk"},
			"credential_signing_alg_values_supported": []string{"ES256"},
			"proof_types_supported": map[string]any{
				"jwt": map[string]any{"proof_signing_alg_values_supported": []string{"ES256"}},
			},
			"credential_metadata": map[string]any{
				"display": []any{map[string]any{
					"name": "Verified ID", "locale": "en", "background_color": "#1d3a5f", "text_color": "#ffffff",
				}},
				"claims": claimDescriptions(),
			},
		}},
	})
}

// claimDescriptions say how a wallet may label the claims (OpenID4VCI 1.0 Appendix B.2).
func claimDescriptions() []any {
	list := []any{}
	for _, c := range [][2]string{
		{"given_name", "Given name"}, {"family_name", "Family name"}, {"birthdate", "Date of birth"},
		{"document_type", "Document"}, {"document_number", "Document number"}, {"portrait", "Photo"},
	} {
		list = append(list, map[string]any{
			"path": []string{c[0]}, "mandatory": true, "display": []any{map[string]any{"name": c[1], "locale": "en"}},
		})
	}
	return list
}

// serveServerMetadata is the Authorization Server Metadata (RFC 8414, OpenID4VCI 1.0 §12.3).
func (s *Server) serveServerMetadata(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                          s.config.BaseURL,
		"token_endpoint":                                  s.config.BaseURL + "/token",
		"grant_types_supported":                           []string{grantType},
		"token_endpoint_auth_methods_supported":           []string{"none"},
		"response_types_supported":                        []string{},
		"pre-authorized_grant_anonymous_access_supported": true,
	})
}
