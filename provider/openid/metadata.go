package openid

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"
	"github.com/go-jose/go-jose/v4"

	"regain/provider/claims"
	"regain/provider/clients"
	"regain/provider/jwa"
	"regain/provider/keys"
	"regain/provider/oauth"
	"regain/provider/registration"
	"regain/provider/requests"
	"regain/recovery"
)

// algorithms is a list of JWS algorithms.
type algorithms = []jose.SignatureAlgorithm

// metadata is OpenID Connect Discovery 1.0 §3 and RFC 8414 §2, encoded once so that it is the same to the byte at
// every request and on every node.
type metadata struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	UserInfoEndpoint      string   `json:"userinfo_endpoint"`
	JWKSURI               string   `json:"jwks_uri"`
	PAREndpoint           string   `json:"pushed_authorization_request_endpoint"`
	IntrospectionEndpoint string   `json:"introspection_endpoint"`
	RevocationEndpoint    string   `json:"revocation_endpoint"`
	EndSessionEndpoint    string   `json:"end_session_endpoint"`
	RegistrationEndpoint  string   `json:"registration_endpoint,omitempty"`
	PassEndpoint          string   `json:"temporary_access_pass_endpoint"` // ours: docs/protocols.md
	ServiceDocumentation  string   `json:"service_documentation,omitempty"`
	PolicyURI             string   `json:"op_policy_uri,omitempty"`
	TermsURI              string   `json:"op_tos_uri,omitempty"`
	UILocales             []string `json:"ui_locales_supported"`
	MutualTLS             *aliases `json:"mtls_endpoint_aliases,omitempty"`

	Scopes        []string                `json:"scopes_supported"`
	ResponseTypes []string                `json:"response_types_supported"`
	ResponseModes []requests.ResponseMode `json:"response_modes_supported"`
	GrantTypes    []string                `json:"grant_types_supported"`
	SubjectTypes  []string                `json:"subject_types_supported"`
	ACRValues     []string                `json:"acr_values_supported"`
	PromptValues  []string                `json:"prompt_values_supported"`
	Claims        []string                `json:"claims_supported"`
	ClaimTypes    []string                `json:"claim_types_supported"`

	CodeChallengeMethods    []string             `json:"code_challenge_methods_supported"`
	TokenAuthMethods        []clients.AuthMethod `json:"token_endpoint_auth_methods_supported"`
	IntrospectionAuth       []clients.AuthMethod `json:"introspection_endpoint_auth_methods_supported"`
	RevocationAuth          []clients.AuthMethod `json:"revocation_endpoint_auth_methods_supported"`
	TokenAuthAlgorithms     algorithms           `json:"token_endpoint_auth_signing_alg_values_supported"`
	IntrospectionAuthAlgs   algorithms           `json:"introspection_endpoint_auth_signing_alg_values_supported"`
	RevocationAuthAlgs      algorithms           `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	IntrospectionAlgorithms algorithms           `json:"introspection_signing_alg_values_supported"` // RFC 9701 §7
	IDTokenAlgorithms       algorithms           `json:"id_token_signing_alg_values_supported"`
	UserInfoAlgorithms      algorithms           `json:"userinfo_signing_alg_values_supported"`
	RequestObjectAlgorithms algorithms           `json:"request_object_signing_alg_values_supported"`
	ResponseAlgorithms      algorithms           `json:"authorization_signing_alg_values_supported"`
	DPoPAlgorithms          algorithms           `json:"dpop_signing_alg_values_supported"`
	RecoveryTokenEncryption []string             `json:"recovery_token_encryption_alg_values_supported"` // ours: docs/recovery-token.md
	RecoveryTokenContent    []string             `json:"recovery_token_encryption_enc_values_supported"`

	IssParameter             bool `json:"authorization_response_iss_parameter_supported"`
	RequestParameter         bool `json:"request_parameter_supported"`
	RequestURIParameter      bool `json:"request_uri_parameter_supported"`
	ClaimsParameter          bool `json:"claims_parameter_supported"`
	RequirePushed            bool `json:"require_pushed_authorization_requests"`
	CertificateBound         bool `json:"tls_client_certificate_bound_access_tokens"`
	BackChannelLogout        bool `json:"backchannel_logout_supported"`
	BackChannelLogoutSession bool `json:"backchannel_logout_session_supported"`

	identityAssurance
}

// identityAssurance is OpenID Connect for Identity Assurance 1.0 §9.
type identityAssurance struct {
	VerifiedClaims   bool                     `json:"verified_claims_supported"`
	TrustFrameworks  []string                 `json:"trust_frameworks_supported"`
	Evidence         []string                 `json:"evidence_supported"`
	Records          []string                 `json:"electronic_records_supported"`
	Documents        []string                 `json:"documents_supported,omitempty"`
	CheckMethods     []string                 `json:"documents_check_methods_supported"`
	ClaimsInVerified []recovery.AttributeName `json:"claims_in_verified_claims_supported"`
}

// aliases are RFC 8705 §5.
type aliases struct {
	Token         string `json:"token_endpoint"`
	PAR           string `json:"pushed_authorization_request_endpoint"`
	UserInfo      string `json:"userinfo_endpoint"`
	Introspection string `json:"introspection_endpoint"`
	Revocation    string `json:"revocation_endpoint"`
}

// encodeMetadata describes a provider with these parts.
func encodeMetadata(cfg Config, deps Deps) ([]byte, error) {
	can, verified := deps.Ring.Algorithms(), deps.Recovery.Profiles().Attributes()
	base, methods := cfg.Issuer, clients.UsableMethods(cfg.MutualTLS != "", cfg.ClientRoots)
	m := metadata{
		Issuer: base, AuthorizationEndpoint: base + "/authorize", TokenEndpoint: base + "/token", UserInfoEndpoint: base + "/userinfo",
		JWKSURI: base + "/jwks", PAREndpoint: base + "/par", IntrospectionEndpoint: base + "/introspect", RevocationEndpoint: base + "/revoke",
		EndSessionEndpoint: base + "/logout", PassEndpoint: base + "/pass/verify",

		Scopes: clients.Scopes(), ResponseTypes: []string{"code"}, ResponseModes: requests.ResponseModes(), GrantTypes: oauth.GrantTypes(),
		SubjectTypes: []string{"public"}, ACRValues: []string{ACR}, PromptValues: []string{"none", "login", "consent", "select_account"},
		Claims: supportedClaims(cfg.Attributes, len(verified) > 0), ClaimTypes: []string{"normal"},
		UILocales: []string{"en"}, ServiceDocumentation: cfg.ServiceDocumentation, PolicyURI: cfg.PolicyURI, TermsURI: cfg.TermsURI,

		CodeChallengeMethods: []string{"S256"}, TokenAuthMethods: methods, IntrospectionAuth: methods, RevocationAuth: methods,
		TokenAuthAlgorithms: jwa.All(), IntrospectionAuthAlgs: jwa.All(), RevocationAuthAlgs: jwa.All(),
		IDTokenAlgorithms: can, UserInfoAlgorithms: can, ResponseAlgorithms: can, IntrospectionAlgorithms: can,
		RequestObjectAlgorithms: jwa.All(), DPoPAlgorithms: jwa.FAPI(),
		RecoveryTokenEncryption: []string{"ECDH-ES"}, RecoveryTokenContent: []string{"A256GCM"},

		IssParameter: true, RequestParameter: true, ClaimsParameter: true, CertificateBound: cfg.MutualTLS != "",
		BackChannelLogout: true, BackChannelLogoutSession: true,

		identityAssurance: identityAssurance{
			VerifiedClaims: len(verified) > 0, TrustFrameworks: []string{trustFramework}, Evidence: []string{"electronic_record"},
			Records: []string{recordVerifiedID}, CheckMethods: []string{checkSignature, checkFace}, ClaimsInVerified: verified,
		},
	}
	m.addDocuments(deps.Recovery.Profiles().Documents())
	if deps.Registration != nil {
		m.RegistrationEndpoint = base + registration.Path
	}
	if cfg.EntraContract {
		m.ResponseTypes, m.GrantTypes = append(m.ResponseTypes, "id_token"), append(m.GrantTypes, "implicit")
	}
	if alias := cfg.MutualTLS; alias != "" {
		m.MutualTLS = &aliases{Token: alias + "/token", PAR: alias + "/par", UserInfo: alias + "/userinfo", Introspection: alias + "/introspect", Revocation: alias + "/revoke"}
	}
	encoded, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode provider metadata: %w", err)
	}
	return encoded, nil
}

// supportedClaims returns the claims that some client can get: those of the protocol, those of scopes that the directory
// has an attribute for, and those that are made of the account itself.
func supportedClaims(attributes []string, verified bool) []string {
	supported := []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid", "txn"}
	if verified {
		supported = append(supported, "verified_claims")
	}
	for _, claim := range claims.Standard() {
		if attributes == nil || has(attributes, claim) {
			supported = append(supported, claim)
		}
	}
	return supported
}

// addDocuments adds what documents stand behind the credentials.
func (i *identityAssurance) addDocuments(documents []recovery.Document) {
	for _, d := range documents {
		if !slices.Contains(i.Evidence, "document") {
			i.Evidence = append(i.Evidence, "document")
		}
		if !slices.Contains(i.Documents, d.Type) {
			i.Documents = append(i.Documents, d.Type)
		}
		if !slices.Contains(i.CheckMethods, d.CheckMethod) {
			i.CheckMethods = append(i.CheckMethods, d.CheckMethod)
		}
	}
}

// publication is what anybody may read: the metadata and the keys.
type publication struct {
	metadata []byte
	ring     *keys.Ring
}

func (p publication) mount(r gin.IRouter) {
	r.GET("/.well-known/openid-configuration", p.serveMetadata)
	r.GET("/.well-known/oauth-authorization-server", p.serveMetadata)
	r.GET("/jwks", p.serveJWKS)
}

func (p publication) serveMetadata(c *gin.Context) {
	c.Header("Cache-Control", "public, max-age=300")
	c.Data(http.StatusOK, "application/json", p.metadata)
}

func (p publication) serveJWKS(c *gin.Context) {
	c.Header("Cache-Control", "public, max-age=300")
	c.Data(http.StatusOK, "application/jwk-set+json", p.ring.JWKS())
}
