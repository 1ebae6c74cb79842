package provider

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/go-jose/go-jose/v4"

	"regain/provider/clientauth"
	"regain/provider/clients"
	"regain/provider/dpop"
	"regain/provider/oauth"
)

// metadata is OpenID Connect Discovery 1.0 §3 and RFC 8414 §2, encoded once so that it is the same to the byte at
// every request and on every node.
type metadata struct {
	Issuer                        string                    `json:"issuer"`
	AuthorizationEndpoint         string                    `json:"authorization_endpoint"`
	TokenEndpoint                 string                    `json:"token_endpoint"`
	UserInfoEndpoint              string                    `json:"userinfo_endpoint"`
	JWKSURI                       string                    `json:"jwks_uri"`
	PAREndpoint                   string                    `json:"pushed_authorization_request_endpoint"`
	EndSessionEndpoint            string                    `json:"end_session_endpoint"`
	BackChannelLogout             bool                      `json:"backchannel_logout_supported"`
	BackChannelLogoutSession      bool                      `json:"backchannel_logout_session_supported"`
	PassEndpoint                  string                    `json:"temporary_access_pass_endpoint"`
	ScopesSupported               []string                  `json:"scopes_supported"`
	ResponseTypes                 []string                  `json:"response_types_supported"`
	ResponseModes                 []oauth.ResponseMode      `json:"response_modes_supported"`
	GrantTypes                    []string                  `json:"grant_types_supported"`
	SubjectTypes                  []string                  `json:"subject_types_supported"`
	IDTokenAlgorithms             []jose.SignatureAlgorithm `json:"id_token_signing_alg_values_supported"`
	UserInfoAlgorithms            []jose.SignatureAlgorithm `json:"userinfo_signing_alg_values_supported"`
	TokenAuthMethods              []clients.AuthMethod      `json:"token_endpoint_auth_methods_supported"`
	TokenAuthAlgorithms           []jose.SignatureAlgorithm `json:"token_endpoint_auth_signing_alg_values_supported"`
	CodeChallengeMethods          []string                  `json:"code_challenge_methods_supported"`
	ACRValues                     []string                  `json:"acr_values_supported"`
	ClaimsSupported               []string                  `json:"claims_supported"`
	PromptValues                  []string                  `json:"prompt_values_supported"`
	IssParameter                  bool                      `json:"authorization_response_iss_parameter_supported"`
	RequestParameter              bool                      `json:"request_parameter_supported"`
	RequestURIParameter           bool                      `json:"request_uri_parameter_supported"`
	ClaimsParameter               bool                      `json:"claims_parameter_supported"`
	RecoveryTokenEncryption       []string                  `json:"recovery_token_encryption_alg_values_supported"`
	RecoveryTokenContent          []string                  `json:"recovery_token_encryption_enc_values_supported"`
	RequirePushedAuthorizationReq bool                      `json:"require_pushed_authorization_requests"`
	RequestObjectAlgorithms       []jose.SignatureAlgorithm `json:"request_object_signing_alg_values_supported"`
	ResponseAlgorithms            []jose.SignatureAlgorithm `json:"authorization_signing_alg_values_supported"`
	DPoPAlgorithms                []jose.SignatureAlgorithm `json:"dpop_signing_alg_values_supported"`
	CertificateBound              bool                      `json:"tls_client_certificate_bound_access_tokens"`
	MutualTLS                     *aliases                  `json:"mtls_endpoint_aliases,omitempty"`
}

// aliases are RFC 8705 §5.
type aliases struct {
	Token    string `json:"token_endpoint"`
	PAR      string `json:"pushed_authorization_request_endpoint"`
	UserInfo string `json:"userinfo_endpoint"`
}

func encodeMetadata(cfg Config, algorithms []jose.SignatureAlgorithm) ([]byte, error) {
	issuer := cfg.Issuer
	m := metadata{
		Issuer:                issuer,
		AuthorizationEndpoint: issuer + "/authorize", TokenEndpoint: issuer + "/token", UserInfoEndpoint: issuer + "/userinfo",
		JWKSURI: issuer + "/jwks", PAREndpoint: issuer + "/par", PassEndpoint: issuer + "/pass/verify",
		EndSessionEndpoint: issuer + "/logout", BackChannelLogout: true, BackChannelLogoutSession: true,
		ScopesSupported: clients.Scopes(),
		ResponseTypes:   []string{"code"}, ResponseModes: oauth.ResponseModes(), GrantTypes: []string{"authorization_code"},
		SubjectTypes: []string{"public"}, IDTokenAlgorithms: algorithms, UserInfoAlgorithms: algorithms,
		TokenAuthMethods:     clients.AuthMethods(),
		TokenAuthAlgorithms:  append(clientauth.Algorithms(), jose.RS256),
		CodeChallengeMethods: []string{"S256"}, ACRValues: []string{acrVerified},
		ClaimsSupported: []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "txn"},
		PromptValues:    []string{"none", "login", "consent", "select_account"},
		IssParameter:    true, RequestParameter: true, RecoveryTokenEncryption: []string{"ECDH-ES"}, RecoveryTokenContent: []string{"A256GCM"},
		RequestObjectAlgorithms: append(clientauth.Algorithms(), jose.RS256), ResponseAlgorithms: algorithms, DPoPAlgorithms: dpop.Algorithms(),
		CertificateBound: cfg.MutualTLS != "",
	}
	if base := cfg.MutualTLS; base != "" {
		m.MutualTLS = &aliases{Token: base + "/token", PAR: base + "/par", UserInfo: base + "/userinfo"}
	}
	encoded, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode provider metadata: %w", err)
	}
	return encoded, nil
}

func (p *Provider) serveMetadata(c *gin.Context) {
	c.Header("Cache-Control", "public, max-age=300")
	c.Data(http.StatusOK, "application/json", p.metadata)
}

func (p *Provider) serveJWKS(c *gin.Context) {
	c.Header("Cache-Control", "public, max-age=300")
	c.Data(http.StatusOK, "application/jwk-set+json", p.deps.Ring.JWKS())
}
