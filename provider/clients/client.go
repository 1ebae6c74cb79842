// Package clients holds the registered relying parties, with their settings and keys. The defaults suit a recovery: requests
// are pushed, PKCE is required, clients authenticate with keys, and every request involves the person anew. Each
// relaxation is a setting of one client, named as in OpenID Connect Dynamic Client Registration 1.0 §2 or RFC 7591
// if they define it.
package clients

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"maps"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"regain/provider/contract"
	"regain/provider/jwa"
	"regain/provider/mtls"
)

// AuthMethod is how a client authenticates (OpenID Connect Core 1.0 §9).
type AuthMethod string

// The supported methods. PrivateKeyJWT is the default.
const (
	PrivateKeyJWT     AuthMethod = "private_key_jwt"
	ClientSecretBasic AuthMethod = "client_secret_basic"
	ClientSecretPost  AuthMethod = "client_secret_post"

	TLSClientAuth           AuthMethod = "tls_client_auth" // RFC 8705 §2
	SelfSignedTLSClientAuth AuthMethod = "self_signed_tls_client_auth"

	// NoAuth is for clients that never use the back channel: contract entra-external-method only.
	NoAuth AuthMethod = "none"
)

// AuthMethods returns the methods for the back channel, the default first.
func AuthMethods() []AuthMethod {
	return []AuthMethod{PrivateKeyJWT, ClientSecretBasic, ClientSecretPost, TLSClientAuth, SelfSignedTLSClientAuth}
}

// UsableMethods returns the methods that a server can offer: those with a certificate need mutual TLS, and tls_client_auth
// also the certificates of CAs.
func UsableMethods(mutualTLS, roots bool) []AuthMethod {
	return slices.DeleteFunc(AuthMethods(), func(m AuthMethod) bool {
		return m.TLS() && !mutualTLS || m == TLSClientAuth && !roots
	})
}

// Secret reports whether the method uses a shared secret.
func (m AuthMethod) Secret() bool { return m == ClientSecretBasic || m == ClientSecretPost }

// Profile is a set of security rules for a client.
type Profile string

// The profiles. ProfileRecovery is the default and leaves each rule to its own setting; FAPI 2.0 fixes them.
const (
	ProfileRecovery     Profile = "recovery"
	ProfileFAPI2        Profile = "fapi2-security"        // FAPI 2.0 Security Profile
	ProfileFAPI2Signing Profile = "fapi2-message-signing" // the same with FAPI 2.0 Message Signing: JAR and JARM
)

// FAPI reports whether the profile is one of FAPI 2.0.
func (p Profile) FAPI() bool { return p == ProfileFAPI2 || p == ProfileFAPI2Signing }

// TLS reports whether the client authenticates with a certificate.
func (m AuthMethod) TLS() bool { return m == TLSClientAuth || m == SelfSignedTLSClientAuth }

// The supported scopes. `recovery` requests the recovery token; profile, email, address and phone are those of OpenID
// Connect Core 1.0 §5.4.
const (
	ScopeOpenID   = "openid"
	ScopeProfile  = "profile"
	ScopeEmail    = "email"
	ScopeAddress  = "address"
	ScopePhone    = "phone"
	ScopeRecovery = "recovery"
	ScopeOffline  = "offline_access" // OpenID Connect Core 1.0 §11: a refresh token
)

// Scopes lists every scope.
func Scopes() []string {
	return []string{ScopeOpenID, ScopeProfile, ScopeEmail, ScopeAddress, ScopePhone, ScopeOffline, ScopeRecovery}
}

// Client is a relying party: a main IdP, or a broker in front of one.
type Client struct {
	ID         string
	Name       string // the organisation's name, shown to the person
	Profile    Profile
	AuthMethod AuthMethod
	// Contract is the vendor's contract that the client uses in place of standard OpenID Connect. Tenant is the Entra
	// tenant whose hints name the account, for entra-external-method.
	Contract contract.Name
	Tenant   contract.Tenant
	// AssertionAlgorithm is token_endpoint_auth_signing_alg; "" allows every algorithm of package jwa that the
	// profile allows.
	AssertionAlgorithm jose.SignatureAlgorithm
	// TokenEndpointAudience accepts client assertions whose audience is the URL of an endpoint instead of the issuer, nil
	// means outside FAPI.
	TokenEndpointAudience *bool
	TLSIdentity           mtls.Identity     // expected certificate, for tls_client_auth
	SecretDigest          [sha256.Size]byte // a plain hash suffices for a secret of 256 random bits
	// OtherSecrets are the digests of those that are good beside it, while the client replaces one by another.
	OtherSecrets [][sha256.Size]byte
	Keys         jose.JSONWebKeySet
	JWKSURI      string // where the client publishes its keys, in place of Keys; KeySource fetches them
	PolicyURI    string // shown to the person, as is TermsURI; "" for none
	TermsURI     string
	RedirectURIs []string
	Scopes       []string // scopes that it may request; empty means openid and recovery

	// SubjectFrom is what sub is made of, SubjectName by default.
	SubjectFrom SubjectSource
	// Claims maps claim names to directory attributes. They are in every ID token of the client and at userinfo, for
	// brokers that look for a certain name and cannot request it.
	Claims map[string]string

	// AllowUnpushed accepts authorization requests that were not pushed (RFC 9126 §6), AllowNoPKCE those without a
	// code challenge: some brokers support neither.
	AllowUnpushed bool
	AllowNoPKCE   bool
	// DPoPBound (dpop_bound_access_tokens) and CertificateBound (tls_client_certificate_bound_access_tokens) issue
	// only access tokens that are bound to a key. DPoPNonce requires a server nonce in each proof (RFC 9449 §8).
	DPoPBound, CertificateBound, DPoPNonce bool
	// AskAccount lets the person name the account if the request does not.
	AskAccount bool
	// ShowPass (deliver: screen) shows the pass to the person, once, for clients that do not support recovery tokens.
	ShowPass bool
	// ReuseSession lets a browser sign in again without a wallet if it presented a Verified ID recently. Recoveries
	// never reuse a session.
	ReuseSession bool

	PostLogoutRedirectURIs []string
	// BackChannelLogoutURI is notified when a session ends (OpenID Connect Back-Channel Logout 1.0 §2.2); "" for
	// none.
	BackChannelLogoutURI string

	IDTokenAlgorithm  jose.SignatureAlgorithm // id_token_signed_response_alg; "" means ES256, and RS256 with a contract
	UserInfoAlgorithm jose.SignatureAlgorithm // userinfo_signed_response_alg; "" means plain JSON
	// RequestObjectAlgorithm is request_object_signing_alg: "" refuses request objects. RequireRequestObject is
	// require_signed_request_object (RFC 9101 §10.5).
	RequestObjectAlgorithm jose.SignatureAlgorithm
	RequireRequestObject   bool
}

// OwnClaims returns the names of the claims that the client has by registration.
func (c *Client) OwnClaims() []string { return slices.Collect(maps.Keys(c.Claims)) }

// IssuerAudience reports whether the client's assertions must be made out to the issuer (FAPI 2.0 Security Profile
// §5.3.2.1), and not to the URL of an endpoint.
func (c *Client) IssuerAudience() bool {
	if c.TokenEndpointAudience != nil {
		return !*c.TokenEndpointAudience
	}
	return c.Profile.FAPI()
}

// Algorithm returns the algorithm of the client's ID tokens.
func (c *Client) Algorithm() jose.SignatureAlgorithm {
	switch {
	case c.IDTokenAlgorithm != "":
		return c.IDTokenAlgorithm
	case c.Contract != "":
		return jwa.Vendor
	}
	return jose.ES256
}

// Refreshes reports whether the client may get refresh tokens.
func (c *Client) Refreshes() bool { return slices.Contains(c.Scope(), ScopeOffline) }

// Scope returns the scopes that the client may request. Those of a contract have no effect here.
func (c *Client) Scope() []string {
	if c.Contract != "" {
		return []string{ScopeOpenID}
	}
	if len(c.Scopes) == 0 {
		return []string{ScopeOpenID, ScopeRecovery}
	}
	return c.Scopes
}

// Recovers reports whether the client may ask for recovery tokens, for which it needs an encryption key.
func (c *Client) Recovers() bool { return slices.Contains(c.Scope(), ScopeRecovery) }

// CheckSecret reports whether secret is the client's, in constant time.
func (c *Client) CheckSecret(secret string) bool {
	digest := sha256.Sum256([]byte(secret))
	equal := subtle.ConstantTimeCompare(digest[:], c.SecretDigest[:])
	for _, other := range c.OtherSecrets {
		equal |= subtle.ConstantTimeCompare(digest[:], other[:])
	}
	return c.AuthMethod.Secret() && equal == 1
}

// ErrUnknown means that the client does not exist.
var ErrUnknown = errors.New("no such client")

// Layered combines registries; the first that has the client wins.
type Layered []Registry

func (l Layered) Client(ctx context.Context, id string) (*Client, error) {
	for _, registry := range l {
		if c, err := registry.Client(ctx, id); !errors.Is(err, ErrUnknown) {
			return c, err
		}
	}
	return nil, ErrUnknown
}

// Registry finds clients by their id.
type Registry interface {
	// Client returns the client, or ErrUnknown. The caller must not change the client.
	Client(ctx context.Context, id string) (*Client, error)
}
