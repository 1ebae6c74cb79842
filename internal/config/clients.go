package config

// ClientConfig is one client: a main IdP.
type ClientConfig struct {
	ID           string        `koanf:"id"`
	Name         string        `koanf:"name"`
	AuthMethod   string        `koanf:"token_endpoint_auth_method"`
	Contract     string        `koanf:"contract"` // okta-idv or entra-external-method; default: standard OpenID Connect
	Entra        EntraConfig   `koanf:"entra"`
	JWKSFile     string        `koanf:"jwks_file"`
	JWKSURI      string        `koanf:"jwks_uri"` // in place of jwks_file
	PolicyURI    string        `koanf:"policy_uri"`
	TermsURI     string        `koanf:"tos_uri"`
	Secret       Secret        `koanf:"secret"`
	AuthAlg      string        `koanf:"token_endpoint_auth_signing_alg"` // default any that the profile allows
	TokenAud     *bool         `koanf:"token_endpoint_audience"`         // default true, but for FAPI
	SubjectDN    string        `koanf:"tls_client_auth_subject_dn"`
	SANDNS       string        `koanf:"tls_client_auth_san_dns"`
	SANURI       string        `koanf:"tls_client_auth_san_uri"`
	SANIP        string        `koanf:"tls_client_auth_san_ip"`
	SANEmail     string        `koanf:"tls_client_auth_san_email"`
	DPoPBound    bool          `koanf:"dpop_bound_access_tokens"`
	DPoPNonce    bool          `koanf:"require_dpop_nonce"`
	MTLSBound    bool          `koanf:"tls_client_certificate_bound_access_tokens"`
	RedirectURIs []string      `koanf:"redirect_uris"`
	Scope        []string      `koanf:"scope"`                                 // default openid and recovery
	Claims       []ClaimConfig `koanf:"claims"`                                // none
	Subject      string        `koanf:"subject"`                               // name (default) or id
	RequirePAR   *bool         `koanf:"require_pushed_authorization_requests"` // default true
	RequirePKCE  *bool         `koanf:"require_pkce"`                          // default true
	AskAccount   bool          `koanf:"ask_account"`
	Deliver      string        `koanf:"deliver"` // token (default: by the scope recovery) or screen
	ReuseSession bool          `koanf:"session_reuse"`
	Profile      string        `koanf:"profile"`                    // default recovery
	RequestAlg   string        `koanf:"request_object_signing_alg"` // default none: request objects are refused
	RequireJAR   bool          `koanf:"require_signed_request_object"`
	PostLogout   []string      `koanf:"post_logout_redirect_uris"`
	BackChannel  string        `koanf:"backchannel_logout_uri"`
	IDTokenAlg   string        `koanf:"id_token_signed_response_alg"` // default ES256
	UserInfoAlg  string        `koanf:"userinfo_signed_response_alg"` // default none: plain JSON
}

// ClaimConfig maps a directory attribute to a claim for a client.
type ClaimConfig struct {
	Name      string `koanf:"name"`
	Attribute string `koanf:"attribute"`
}

// RegistrationConfig configures dynamic client registration (RFC 7591). Without tokens it is disabled.
type RegistrationConfig struct {
	Tokens       Secret   `koanf:"initial_access_tokens"` // one per line
	Scope        []string `koanf:"scope"`                 // default openid, profile, email, address and phone
	RequirePAR   *bool    `koanf:"require_pushed_authorization_requests"`
	RequirePKCE  *bool    `koanf:"require_pkce"`
	AskAccount   bool     `koanf:"ask_account"`
	Subject      string   `koanf:"subject"` // name (default) or id
	ReuseSession bool     `koanf:"session_reuse"`
	TokenAud     *bool    `koanf:"token_endpoint_audience"` // default true, but for FAPI
}

// EntraConfig names the Entra tenant whose id_token_hints are accepted, for the contract entra-external-method.
type EntraConfig struct {
	TenantID      string `koanf:"tenant_id"`
	ApplicationID string `koanf:"application_id"`
	Authority     string `koanf:"authority"` // default https://login.microsoftonline.com
}
