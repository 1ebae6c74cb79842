package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/storage"
)

const (
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	kindAssertion = storage.Kind("jti")

	maxAssertionLife = 5 * time.Minute
	clockSkew        = 10 * time.Second // ahead; FAPI 2.0 §5.3.2.1 wants 10 s accepted and 60 s refused
)

// assertionAlgorithms are the signatures accepted from clients: asymmetric and current.
func assertionAlgorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.ES256, jose.PS256, jose.EdDSA}
}

// Authenticate authenticates the client of a POST to par, token or another back-channel endpoint, by the one method
// registered for it. The form must have been read by ReadForm.
func (s *Server) Authenticate(r *http.Request, form url.Values) (*Client, error) {
	basicID, secret, basic := r.BasicAuth()
	assertion := form.Get("client_assertion")
	switch {
	case form.Has("client_secret"):
		return nil, invalidClient(errors.New("client_secret in the body: client_secret_post is not supported"))
	case basic && assertion != "":
		return nil, invalidClient(errors.New("two client authentication methods at once"))
	case basic:
		return s.authenticateBasic(basicID, secret, form)
	case assertion != "":
		return s.authenticateAssertion(r, assertion, form)
	}
	return nil, invalidClient(errors.New("no client authentication"))
}

// authenticateBasic is RFC 6749 §2.3.1: id and secret are form-encoded inside Basic.
func (s *Server) authenticateBasic(id, secret string, form url.Values) (*Client, error) {
	id, err1 := url.QueryUnescape(id)
	secret, err2 := url.QueryUnescape(secret)
	if err := errors.Join(err1, err2); err != nil {
		return nil, invalidClient(err)
	}
	client := s.clients[id]
	if client == nil {
		client = &Client{AuthMethod: ClientSecretBasic} // spend the same time on a client that does not exist
	}
	if !client.checkSecret(secret) || client.ID == "" {
		return nil, invalidClient(errors.New("wrong id or secret"))
	}
	return client, matchClientID(client, form)
}

// authenticateAssertion is RFC 7523 §3 with the rules of OpenID Connect Core 1.0 §9: the audience is the issuer
// and nothing else, the life is short, and each jti works once.
func (s *Server) authenticateAssertion(r *http.Request, assertion string, form url.Values) (*Client, error) {
	if form.Get("client_assertion_type") != assertionType {
		return nil, invalidClient(fmt.Errorf("client_assertion_type is not %s", assertionType))
	}
	token, err := jwt.ParseSigned(assertion, assertionAlgorithms())
	if err != nil {
		return nil, invalidClient(fmt.Errorf("parse client assertion: %w", err))
	}
	var claims jwt.Claims // the signature is checked below: who has to have made it, only they say
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil {
		return nil, invalidClient(fmt.Errorf("read client assertion: %w", err))
	}
	client := s.clients[claims.Subject]
	if client == nil || client.AuthMethod != PrivateKeyJWT {
		return nil, invalidClient(errors.New("no such client with private_key_jwt"))
	}
	if err := verifyWithKeys(token, client); err != nil {
		return nil, invalidClient(err)
	}
	if err := s.checkAssertion(claims, client); err != nil {
		return nil, invalidClient(err)
	}
	if err := s.useOnce(r, client, claims); err != nil {
		return nil, err
	}
	return client, matchClientID(client, form)
}

// verifyWithKeys tries the client's signature keys, those with the token's kid only when it names one.
func verifyWithKeys(token *jwt.JSONWebToken, client *Client) error {
	header := token.Headers[0]
	for _, key := range client.signatureKeys(header.KeyID) {
		if key.Algorithm != "" && key.Algorithm != header.Algorithm {
			continue
		}
		if err := token.Claims(key.Key); err == nil {
			return nil
		}
	}
	return fmt.Errorf("no registered key verifies the signature (kid %q, alg %s)", header.KeyID, header.Algorithm)
}

func (s *Server) checkAssertion(claims jwt.Claims, client *Client) error {
	now := s.clock()
	switch {
	case claims.Issuer != client.ID:
		return errors.New("iss is not the client id")
	case !hasExactly(claims.Audience, s.issuer):
		return fmt.Errorf("aud must be the issuer %s", s.issuer)
	case claims.ID == "":
		return errors.New("jti is missing")
	case claims.Expiry == nil || !now.Before(claims.Expiry.Time()):
		return errors.New("exp is missing or past")
	case claims.Expiry.Time().After(now.Add(maxAssertionLife + clockSkew)):
		return fmt.Errorf("exp is more than %s ahead", maxAssertionLife)
	case claims.IssuedAt != nil && claims.IssuedAt.Time().After(now.Add(clockSkew)):
		return errors.New("iat is in the future")
	case claims.NotBefore != nil && claims.NotBefore.Time().After(now.Add(clockSkew)):
		return errors.New("nbf is in the future")
	}
	return nil
}

// useOnce claims the assertion's jti for this client, atomically and after everything else was checked, so that a
// stranger cannot burn a jti that is not theirs.
func (s *Server) useOnce(r *http.Request, client *Client, claims jwt.Claims) error {
	err := s.store.Create(r.Context(), storage.Record{
		Kind: kindAssertion, ID: digest(client.ID + "\x00" + claims.ID), ExpiresAt: claims.Expiry.Time().Add(clockSkew),
	})
	if errors.Is(err, storage.ErrExists) {
		return invalidClient(errors.New("jti was used before"))
	}
	if err != nil {
		return Unavailable(fmt.Errorf("record jti: %w", err))
	}
	return nil
}

// matchClientID refuses a client_id parameter that names somebody else.
func matchClientID(client *Client, form url.Values) error {
	if id := form.Get("client_id"); id != "" && id != client.ID {
		return invalidClient(errors.New("client_id is not the authenticated client"))
	}
	return nil
}
