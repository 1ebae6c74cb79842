package clients

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"regain/provider/contract"
	"regain/provider/jwa"
)

// Validate returns an error that names the configuration key of the first mistake.
func (c *Client) Validate() error {
	switch {
	case c.ID == "":
		return errors.New("client without an id")
	case c.Name == "":
		return fmt.Errorf("client %s: name is missing; it is what people see as their organisation", c.ID)
	case len(c.RedirectURIs) == 0:
		return fmt.Errorf("client %s: redirect_uris is empty", c.ID)
	}
	for _, uri := range c.RedirectURIs {
		if err := checkRedirectURI(uri); err != nil {
			return fmt.Errorf("client %s: redirect_uris: %w", c.ID, err)
		}
	}
	for _, uri := range c.PostLogoutRedirectURIs {
		if err := checkRedirectURI(uri); err != nil {
			return fmt.Errorf("client %s: post_logout_redirect_uris: %w", c.ID, err)
		}
	}
	if c.BackChannelLogoutURI != "" {
		if err := checkURI(c.BackChannelLogoutURI); err != nil {
			return fmt.Errorf("client %s: backchannel_logout_uri: %w", c.ID, err)
		}
	}
	for _, check := range []func() error{c.checkAuthentication, c.checkScopes, c.checkAlgorithms, c.checkProfile, c.checkClaims, c.checkSubject, c.checkContract} {
		if err := check(); err != nil {
			return fmt.Errorf("client %s: %w", c.ID, err)
		}
	}
	return nil
}

// ErrRedirectURI means that a URI is not acceptable as a redirect URI of any kind.
var ErrRedirectURI = errors.New("cannot be a redirect URI")

// checkRedirectURI also refuses a query with a parameter that responses add: the client would see it twice, and might
// take its own.
func checkRedirectURI(uri string) error {
	_, query, _ := strings.Cut(uri, "?")
	for _, parameter := range strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' }) {
		name, _, _ := strings.Cut(parameter, "=")
		if decoded, err := url.QueryUnescape(name); err == nil { // as the client's own reader does
			name = decoded
		}
		if slices.Contains([]string{"code", "state", "iss", "error", "error_description", "response", "id_token"}, name) {
			return fmt.Errorf("%q holds the parameter %s, which responses add: %w", uri, name, ErrRedirectURI)
		}
	}
	return checkURI(uri)
}

func checkURI(uri string) error {
	u, err := url.Parse(uri)
	if err != nil || !u.IsAbs() || u.Host == "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("%q is not an absolute https URI without a fragment: %w", uri, ErrRedirectURI)
	}
	if strings.Contains(uri, "#") { // an empty one, which url.Parse does not tell
		return fmt.Errorf("%q has a fragment: %w", uri, ErrRedirectURI)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !LoopbackName(u.Hostname())) {
		return fmt.Errorf("%q must be https: %w", uri, ErrRedirectURI)
	}
	return nil
}

func (c *Client) checkAuthentication() error {
	switch {
	case c.AuthMethod == NoAuth && c.Contract == contract.EntraExternalMethod:
		return nil
	case !slices.Contains(AuthMethods(), c.AuthMethod):
		return fmt.Errorf("token_endpoint_auth_method %q is unknown; use one of %v", c.AuthMethod, AuthMethods())
	case c.AuthMethod == PrivateKeyJWT && !c.signs():
		return errors.New("jwks has no signature key, which private_key_jwt needs (RSA keys of 2048 bits at least)")
	case c.AuthMethod == SelfSignedTLSClientAuth && !c.signs():
		return errors.New("jwks has no signature key, which self_signed_tls_client_auth needs")
	case c.AuthMethod == TLSClientAuth:
		return c.TLSIdentity.Validate()
	case c.AuthMethod.Secret() && c.SecretDigest == [sha256.Size]byte{}:
		return fmt.Errorf("secret is missing, which %s needs", c.AuthMethod)
	}
	return nil
}

func (c *Client) checkScopes() error {
	for _, scope := range c.Scope() {
		if !slices.Contains(Scopes(), scope) {
			return fmt.Errorf("scope %q is unknown; use some of %v", scope, Scopes())
		}
	}
	if !slices.Contains(c.Scope(), ScopeOpenID) {
		return errors.New("scope lacks openid")
	}
	switch {
	case c.ShowPass && c.Recovers():
		return errors.New("deliver: screen and the scope recovery exclude each other: a pass is delivered in one way")
	case c.ShowPass && (c.Refreshes() || c.ReuseSession):
		return errors.New("deliver: screen excludes session_reuse and the scope offline_access: a recovery happens once, and involves the person")
	case !c.Recovers():
		return nil
	}
	if c.Refreshes() {
		return errors.New("the scopes recovery and offline_access exclude each other: a recovery happens once")
	}
	if c.ReuseSession {
		return errors.New("session_reuse and the scope recovery exclude each other: a recovery involves the person each time")
	}
	if c.JWKSURI != "" {
		return nil // fetched when it is needed, before a pass is issued
	}
	_, err := encryptionKey(c.Keys.Keys)
	return err
}

// signs reports whether the client has a signature key, or publishes its keys.
func (c *Client) signs() bool { return c.JWKSURI != "" || len(signatureKeys(c.Keys.Keys, "")) > 0 }

// chosen is an algorithm that a client registered ("" for none), with its configuration key.
type chosen struct {
	key string
	alg jose.SignatureAlgorithm
}

func (c *Client) algorithms() []chosen {
	return []chosen{
		{"id_token_signed_response_alg", c.IDTokenAlgorithm}, {"userinfo_signed_response_alg", c.UserInfoAlgorithm},
		{"request_object_signing_alg", c.RequestObjectAlgorithm}, {"token_endpoint_auth_signing_alg", c.AssertionAlgorithm},
	}
}

func (c *Client) checkAlgorithms() error {
	for _, chosen := range c.algorithms() {
		if chosen.alg != "" && !jwa.Known(chosen.alg) {
			return fmt.Errorf("%s %q: use %s", chosen.key, chosen.alg, jwa.Cure(jwa.All()))
		}
	}
	if c.RequestObjectAlgorithm != "" && !c.signs() {
		return errors.New("jwks has no signature key, which request_object_signing_alg needs")
	}
	if c.RequireRequestObject && c.RequestObjectAlgorithm == "" {
		return errors.New("require_signed_request_object needs request_object_signing_alg")
	}
	return nil
}

// checkProfile checks FAPI 2.0 Security Profile §5.3.2 and §5.4, and FAPI 2.0 Message Signing §5.3.
func (c *Client) checkProfile() error {
	switch c.Profile {
	case "", ProfileRecovery:
		return nil
	case ProfileFAPI2, ProfileFAPI2Signing:
	default:
		return fmt.Errorf("profile %q is unknown; use %s, %s or %s", c.Profile, ProfileRecovery, ProfileFAPI2, ProfileFAPI2Signing)
	}
	switch {
	case c.AuthMethod.Secret():
		return fmt.Errorf("profile %s does not allow %s", c.Profile, c.AuthMethod)
	case !c.DPoPBound && !c.CertificateBound:
		return fmt.Errorf("profile %s needs dpop_bound_access_tokens or tls_client_certificate_bound_access_tokens", c.Profile)
	case !c.IssuerAudience():
		return fmt.Errorf("profile %s does not allow token_endpoint_audience", c.Profile)
	case c.AllowUnpushed || c.AllowNoPKCE:
		return fmt.Errorf("profile %s needs require_pushed_authorization_requests and require_pkce", c.Profile)
	case c.Profile == ProfileFAPI2Signing && (c.RequestObjectAlgorithm == "" || !c.RequireRequestObject):
		return fmt.Errorf("profile %s needs request_object_signing_alg and require_signed_request_object", c.Profile)
	}
	for _, chosen := range c.algorithms() {
		if chosen.alg != "" && !jwa.InFAPI(chosen.alg) {
			return fmt.Errorf("%s: profile %s does not allow %s; use %s", chosen.key, c.Profile, chosen.alg, jwa.Cure(jwa.FAPI()))
		}
	}
	return nil
}

// checkContract returns an error for settings that contradict the contract or that it requires.
func (c *Client) checkContract() error {
	switch c.Contract {
	case "":
		return nil
	case contract.OktaIDV:
		if !c.AuthMethod.Secret() {
			return fmt.Errorf("contract %s: Okta authenticates with a secret; use client_secret_post or client_secret_basic", c.Contract)
		}
	case contract.EntraExternalMethod:
		if c.AuthMethod != NoAuth {
			return fmt.Errorf("contract %s: Entra ID never authenticates; set token_endpoint_auth_method: none", c.Contract)
		}
		if c.IDTokenAlgorithm != "" && c.IDTokenAlgorithm != jwa.Vendor {
			return fmt.Errorf("contract %s: Entra ID takes %s only; leave id_token_signed_response_alg out", c.Contract, jwa.Vendor)
		}
		if err := c.Tenant.Validate(); err != nil {
			return err
		}
	default:
		return fmt.Errorf("contract %q is unknown; use %s or %s", c.Contract, contract.OktaIDV, contract.EntraExternalMethod)
	}
	if len(c.Scopes) > 0 || c.Profile.FAPI() || c.ReuseSession || c.ShowPass || len(c.Claims) > 0 || c.AskAccount || c.AllowUnpushed || c.AllowNoPKCE || c.RequestObjectAlgorithm != "" || c.UserInfoAlgorithm != "" {
		return fmt.Errorf("contract %s settles scope, claims, profile, deliver, session_reuse, ask_account, PAR, PKCE, request objects and userinfo; leave their settings out", c.Contract)
	}
	return nil
}

// checkClaims returns an error if a mapping would replace a claim that the server sets itself.
func (c *Client) checkClaims() error {
	ours := []string{
		"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "azp", "auth_time", "nonce", "acr", "amr", "at_hash", "c_hash", "s_hash", "sid", "txn", "cnf",
		"client_id", "scope", "verified_claims", "recovery", "recovery_token",
	}
	for _, name := range slices.Sorted(maps.Keys(c.Claims)) {
		if name == "" || c.Claims[name] == "" {
			return errors.New("claims: maps a claim's name to an attribute of the directory, and neither may be empty")
		}
		if slices.Contains(ours, name) {
			return fmt.Errorf("claims: %s is a claim that the server sets itself", name)
		}
	}
	return nil
}

// LoopbackName reports whether host always means this machine (RFC 6761 §6.3, RFC 8252 §7.3).
func LoopbackName(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "127.0.0.1" || host == "::1"
}
