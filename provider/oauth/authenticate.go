package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/provider/clients"
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
func (s *Server) Authenticate(r *http.Request, form url.Values) (*clients.Client, error) {
	basicID, secret, basic := r.BasicAuth()
	methods := 0
	for _, used := range []bool{r.Header.Get("Authorization") != "", form.Has("client_secret"), form.Has("client_assertion")} {
		if used {
			methods++
		}
	}
	switch {
	case methods > 1 || len(r.Header.Values("Authorization")) > 1:
		return nil, invalidClient(errors.New("two client authentications at once")) // RFC 6749 §2.3
	case basic:
		id, err1 := url.QueryUnescape(basicID) // RFC 6749 §2.3.1: form-encoded inside Basic
		secret, err2 := url.QueryUnescape(secret)
		if err := errors.Join(err1, err2); err != nil {
			return nil, invalidClient(err)
		}
		return s.authenticateSecret(r, form, credentials{clients.ClientSecretBasic, id, secret})
	case form.Has("client_secret"):
		return s.authenticateSecret(r, form, credentials{clients.ClientSecretPost, form.Get("client_id"), form.Get("client_secret")})
	case form.Has("client_assertion"):
		return s.authenticateAssertion(r, form.Get("client_assertion"), form)
	}
	return nil, invalidClient(errors.New("no client authentication"))
}

// credentials are a secret as a request showed it.
type credentials struct {
	method     clients.AuthMethod
	id, secret string
}

func (s *Server) authenticateSecret(r *http.Request, form url.Values, c credentials) (*clients.Client, error) {
	client, err := s.clients.Client(r.Context(), c.id)
	switch {
	case errors.Is(err, clients.ErrUnknown):
		client = &clients.Client{AuthMethod: c.method} // spend the same time on a client that does not exist
	case err != nil:
		return nil, Unavailable(err)
	}
	if !client.CheckSecret(c.secret) || client.ID == "" || client.AuthMethod != c.method {
		return nil, invalidClient(errors.New("wrong id, secret or method"))
	}
	return client, matchClientID(client, form)
}

// authenticateAssertion is RFC 7523 §3 with the rules of OpenID Connect Core 1.0 §9: the audience is the issuer
// and nothing else, the life is short, and each jti works once.
func (s *Server) authenticateAssertion(r *http.Request, assertion string, form url.Values) (*clients.Client, error) {
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
	client, err := s.clients.Client(r.Context(), claims.Subject)
	if err != nil && !errors.Is(err, clients.ErrUnknown) {
		return nil, Unavailable(err)
	}
	if err != nil || client.AuthMethod != clients.PrivateKeyJWT {
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
func verifyWithKeys(token *jwt.JSONWebToken, client *clients.Client) error {
	header := token.Headers[0]
	for _, key := range client.SignatureKeys(header.KeyID) {
		if key.Algorithm != "" && key.Algorithm != header.Algorithm {
			continue
		}
		if err := token.Claims(key.Key); err == nil {
			return nil
		}
	}
	return fmt.Errorf("no registered key verifies the signature (kid %q, alg %s)", header.KeyID, header.Algorithm)
}

func (s *Server) checkAssertion(claims jwt.Claims, client *clients.Client) error {
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
func (s *Server) useOnce(r *http.Request, client *clients.Client, claims jwt.Claims) error {
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
func matchClientID(client *clients.Client, form url.Values) error {
	if id := form.Get("client_id"); id != "" && id != client.ID {
		return invalidClient(errors.New("client_id is not the authenticated client"))
	}
	return nil
}

// hasExactly reports whether the audience is the one wanted value: a client that lets its assertion be used at two
// servers is refused.
func hasExactly(audience []string, wanted string) bool {
	return slices.Equal(audience, []string{wanted})
}
