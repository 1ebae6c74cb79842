// Package clients knows the relying parties that federate with us: what each registered, and what each may therefore
// ask for. The defaults are those of a recovery: requests are pushed, PKCE is required, keys authenticate, and every
// request involves the person anew. What loosens one of them is a setting of one client, by the name that OpenID
// Connect Dynamic Client Registration 1.0 §2 or RFC 7591 gives it where there is one.
package clients

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
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

	// NoAuth is of a client that never talks to the back channel: entra-external-method only.
	NoAuth AuthMethod = "none"
)

// AuthMethods lists the methods of the back channel, the default first.
func AuthMethods() []AuthMethod {
	return []AuthMethod{PrivateKeyJWT, ClientSecretBasic, ClientSecretPost, TLSClientAuth, SelfSignedTLSClientAuth}
}

// Secret reports whether the method shows a shared secret.
func (m AuthMethod) Secret() bool { return m == ClientSecretBasic || m == ClientSecretPost }

// Profile is a set of rules that a client's requests keep.
type Profile string

// The profiles. Recovery is the default, and leaves each rule to its own setting; FAPI 2.0 fixes them.
const (
	ProfileRecovery     Profile = "recovery"
	ProfileFAPI2        Profile = "fapi2-security"        // FAPI 2.0 Security Profile
	ProfileFAPI2Signing Profile = "fapi2-message-signing" // and FAPI 2.0 Message Signing: JAR and JARM
)

// FAPI reports whether the profile is one of FAPI 2.0.
func (p Profile) FAPI() bool { return p == ProfileFAPI2 || p == ProfileFAPI2Signing }

// TLS reports whether the method is the client's certificate.
func (m AuthMethod) TLS() bool { return m == TLSClientAuth || m == SelfSignedTLSClientAuth }

// The scopes there are. `recovery` asks for the recovery token; the four in the middle are OpenID Connect Core 1.0 §5.4.
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
	Name       string // shown to the person: the organisation
	Profile    Profile
	AuthMethod AuthMethod
	// Contract is the vendor's contract that the client follows in place of the standard; Tenant is whose hints name the
	// account, with entra-external-method.
	Contract contract.Name
	Tenant   contract.Tenant
	// AssertionAlgorithm is token_endpoint_auth_signing_alg; "" allows every one of package jwa that the profile does.
	AssertionAlgorithm jose.SignatureAlgorithm
	// TokenEndpointAudience takes assertions made out to the token endpoint's URL beside those made out to the issuer. A
	// client that has its assertions taken by other servers too should not have it.
	TokenEndpointAudience bool
	TLSIdentity           mtls.Identity     // whose certificate, with tls_client_auth
	SecretDigest          [sha256.Size]byte // of a secret of 256 random bits: a plain hash is enough, and it is fast
	Keys                  jose.JSONWebKeySet
	JWKSURI               string // where the keys are published, in place of Keys: a KeySource has them
	PolicyURI             string // shown to the person, as is TermsURI; "" shows nothing
	TermsURI              string
	RedirectURIs          []string
	Scopes                []string // what it may ask for; empty means openid and recovery

	// Claims maps names of claims to attributes of the directory. They are in the client's every ID token and at userinfo,
	// for brokers whose mappers look for a name and which cannot ask for it.
	Claims map[string]string

	// AllowUnpushed accepts authorization requests that were not pushed (RFC 9126 §6), and AllowNoPKCE those without a
	// code challenge: stock brokers can do neither.
	AllowUnpushed bool
	AllowNoPKCE   bool
	// DPoPBound (dpop_bound_access_tokens) and CertificateBound (tls_client_certificate_bound_access_tokens) refuse access
	// tokens to those who do not show a key. DPoPNonce wants a nonce of ours in each proof (RFC 9449 §8).
	DPoPBound, CertificateBound, DPoPNonce bool
	// AskAccount has the person name the account when the request names none.
	AskAccount bool
	// ShowPass (deliver: screen) shows the pass to the person, once, for a client that cannot open a recovery token.
	ShowPass bool
	// ReuseSession lets a browser that showed a Verified ID a while ago sign in again without it. A recovery never does.
	ReuseSession bool

	PostLogoutRedirectURIs []string
	// BackChannelLogoutURI hears when a session ends (OpenID Connect Back-Channel Logout 1.0 §2.2); "" hears nothing.
	BackChannelLogoutURI string

	IDTokenAlgorithm  jose.SignatureAlgorithm // id_token_signed_response_alg; "" means ES256, and RS256 with a contract
	UserInfoAlgorithm jose.SignatureAlgorithm // userinfo_signed_response_alg; "" answers with plain JSON
	// RequestObjectAlgorithm is request_object_signing_alg: "" refuses request objects. RequireRequestObject is
	// require_signed_request_object (RFC 9101 §10.5).
	RequestObjectAlgorithm jose.SignatureAlgorithm
	RequireRequestObject   bool
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

// Scope returns the scopes that the client may ask for. Those of a contract mean nothing further here.
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

// CheckSecret reports whether secret is the client's. It takes the same time for every secret of one length.
func (c *Client) CheckSecret(secret string) bool {
	digest := sha256.Sum256([]byte(secret))
	return c.AuthMethod.Secret() && subtle.ConstantTimeCompare(digest[:], c.SecretDigest[:]) == 1
}

// ErrUnknown means that there is no such client.
var ErrUnknown = errors.New("no such client")

// Layered asks one registry after the other.
type Layered []Registry

// Client implements Registry.
func (l Layered) Client(ctx context.Context, id string) (*Client, error) {
	for _, registry := range l {
		if c, err := registry.Client(ctx, id); err == nil || !errors.Is(err, ErrUnknown) {
			return c, err
		}
	}
	return nil, ErrUnknown
}

// Registry finds clients by their id.
type Registry interface {
	// Client returns the client, which the caller does not change, or ErrUnknown.
	Client(ctx context.Context, id string) (*Client, error)
}
