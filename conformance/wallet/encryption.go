package wallet

import (
	"slices"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/wallet/jwe"
)

// clientMetadata is what a request says about its verifier (OpenID4VP 1.0 §5.1, §11.1).
type clientMetadata struct {
	JWKS struct {
		Keys []json.RawMessage `json:"keys"`
	} `json:"jwks"`
	Encodings []string `json:"encrypted_response_enc_values_supported"`
	Formats   map[string]struct {
		KeyBinding []string `json:"kb-jwt_alg_values"`
		Issuer     []string `json:"sd-jwt_alg_values"`
	} `json:"vp_formats_supported"`
}

// recipient is whom the answer has to be encrypted to (§8.3).
func (m *clientMetadata) recipient() (jwe.Recipient, error) {
	if m == nil {
		return jwe.Recipient{}, turnDown("invalid_request", "client_metadata is missing")
	}
	format, ok := m.Formats[sdJWTFormat]
	if !ok || (format.KeyBinding != nil && !slices.Contains(format.KeyBinding, "ES256")) {
		return jwe.Recipient{}, turnDown("vp_formats_not_supported", "vp_formats_supported does not take dc+sd-jwt with ES256")
	}
	r, err := jwe.Choose(m.JWKS.Keys, m.Encodings)
	if err != nil {
		return jwe.Recipient{}, turnDown("invalid_request", "%w", err)
	}
	return r, nil
}
