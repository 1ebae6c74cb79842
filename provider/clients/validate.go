package clients

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

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
		if err := checkRedirectURI(c.BackChannelLogoutURI); err != nil {
			return fmt.Errorf("client %s: backchannel_logout_uri: %w", c.ID, err)
		}
	}
	for _, check := range []func() error{c.checkAuthentication, c.checkScopes, c.checkAlgorithms} {
		if err := check(); err != nil {
			return fmt.Errorf("client %s: %w", c.ID, err)
		}
	}
	return nil
}

func checkRedirectURI(uri string) error {
	u, err := url.Parse(uri)
	if err != nil || !u.IsAbs() || u.Host == "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("%q is not an absolute https URI without a fragment", uri)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !LoopbackName(u.Hostname())) {
		return fmt.Errorf("%q must be https", uri)
	}
	return nil
}

func (c *Client) checkAuthentication() error {
	switch {
	case !slices.Contains(AuthMethods(), c.AuthMethod):
		return fmt.Errorf("token_endpoint_auth_method %q is unknown; use one of %v", c.AuthMethod, AuthMethods())
	case c.AuthMethod == PrivateKeyJWT && len(c.SignatureKeys("")) == 0:
		return errors.New("jwks has no signature key, which private_key_jwt needs")
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
	if !c.Recovers() {
		return nil
	}
	if c.ReuseSession {
		return errors.New("session_reuse and the scope recovery exclude each other: a recovery involves the person each time")
	}
	_, err := c.EncryptionKey()
	return err
}

func (c *Client) checkAlgorithms() error {
	usable := []jose.SignatureAlgorithm{"", jose.ES256, jose.PS256, jose.RS256, jose.EdDSA}
	if !slices.Contains(usable, c.IDTokenAlgorithm) {
		return fmt.Errorf("id_token_signed_response_alg %q: use ES256, PS256, RS256 or EdDSA", c.IDTokenAlgorithm)
	}
	if !slices.Contains(usable, c.UserInfoAlgorithm) {
		return fmt.Errorf("userinfo_signed_response_alg %q: use ES256, PS256, RS256 or EdDSA", c.UserInfoAlgorithm)
	}
	return nil
}

// LoopbackName reports whether host always means this machine (RFC 6761 §6.3, RFC 8252 §7.3).
func LoopbackName(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "127.0.0.1" || host == "::1"
}
