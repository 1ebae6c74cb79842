package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/ory/fosite"
)

// AuthMethod is how a client authenticates (OpenID Connect Core 1.0 §9).
type AuthMethod string

// The supported methods. PrivateKeyJWT is the default.
const (
	PrivateKeyJWT     AuthMethod = "private_key_jwt"
	ClientSecretBasic AuthMethod = "client_secret_basic"
)

// Client is a main IdP that federates with us.
type Client struct {
	ID           string
	Name         string // shown to the person: the organisation
	AuthMethod   AuthMethod
	SecretDigest [sha256.Size]byte // of a secret of 256 random bits: a plain hash is enough, and it is fast
	Keys         jose.JSONWebKeySet
	RedirectURIs []string
}

// Validate reports what is wrong in the words of the configuration.
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
		u, err := url.Parse(uri)
		if err != nil || !u.IsAbs() || u.Host == "" || u.Fragment != "" {
			return fmt.Errorf("client %s: redirect_uris: %q is not an absolute https URI without a fragment", c.ID, uri)
		}
		if u.Scheme != "https" && !loopbackName(u.Hostname()) {
			return fmt.Errorf("client %s: redirect_uris: %q must be https", c.ID, uri)
		}
	}
	switch c.AuthMethod {
	case PrivateKeyJWT:
		if len(c.signatureKeys("")) == 0 {
			return fmt.Errorf("client %s: jwks has no signature key, which private_key_jwt needs", c.ID)
		}
	case ClientSecretBasic:
		if c.SecretDigest == [sha256.Size]byte{} {
			return fmt.Errorf("client %s: secret_file or secret_env is missing, which client_secret_basic needs", c.ID)
		}
	default:
		return fmt.Errorf("client %s: token_endpoint_auth_method %q is unknown; use %s or %s", c.ID, c.AuthMethod, PrivateKeyJWT, ClientSecretBasic)
	}
	if _, err := c.EncryptionKey(); err != nil {
		return fmt.Errorf("client %s: %w", c.ID, err)
	}
	return nil
}

// loopbackName reports whether host always means this machine (RFC 6761 §6.3, RFC 8252 §7.3).
func loopbackName(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "127.0.0.1" || host == "::1"
}

// EncryptionKey returns the P-256 key that recovery tokens for this client are encrypted to.
func (c *Client) EncryptionKey() (jose.JSONWebKey, error) {
	for _, key := range c.Keys.Keys {
		if key.Use == "enc" && key.IsPublic() && key.Valid() {
			return key, nil
		}
	}
	return jose.JSONWebKey{}, errors.New(`jwks has no key with "use": "enc": the recovery token is encrypted to an EC key on P-256`)
}

func (c *Client) signatureKeys(kid string) []jose.JSONWebKey {
	var keys []jose.JSONWebKey
	for _, key := range c.Keys.Keys {
		if key.Use != "enc" && key.IsPublic() && (kid == "" || key.KeyID == kid) {
			keys = append(keys, key)
		}
	}
	return keys
}

func (c *Client) checkSecret(secret string) bool {
	digest := sha256.Sum256([]byte(secret))
	return c.AuthMethod == ClientSecretBasic && subtle.ConstantTimeCompare(digest[:], c.SecretDigest[:]) == 1
}

// fositeClient is a Client as fosite sees it.
type fositeClient struct{ *Client }

var _ fosite.Client = fositeClient{}

func (c fositeClient) GetID() string                      { return c.ID }
func (c fositeClient) GetHashedSecret() []byte            { return nil }
func (c fositeClient) GetRedirectURIs() []string          { return c.RedirectURIs }
func (c fositeClient) GetGrantTypes() fosite.Arguments    { return fosite.Arguments{"authorization_code"} }
func (c fositeClient) GetResponseTypes() fosite.Arguments { return fosite.Arguments{"code"} }
func (c fositeClient) GetScopes() fosite.Arguments        { return scopes() }
func (c fositeClient) IsPublic() bool                     { return false }
func (c fositeClient) GetAudience() fosite.Arguments      { return nil }

// scopes lists what a client may ask for. `recovery` asks for the recovery token.
func scopes() fosite.Arguments { return fosite.Arguments{"openid", "recovery"} }

// Clients are the registered clients by id.
type Clients map[string]*Client

// NewClients indexes clients and refuses invalid and doubled ones.
func NewClients(list []*Client) (Clients, error) {
	clients := make(Clients, len(list))
	for _, c := range list {
		if err := c.Validate(); err != nil {
			return nil, err
		}
		if clients[c.ID] != nil {
			return nil, fmt.Errorf("client %s is configured twice", c.ID)
		}
		clients[c.ID] = c
	}
	return clients, nil
}

// hasExactly reports whether the audience is the one wanted value: a client that lets its assertion be used at two
// servers is refused.
func hasExactly(audience []string, wanted string) bool {
	return slices.Equal(audience, []string{wanted})
}
