package clientauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/internal/clock"
	"regain/internal/publickey"
	"regain/provider/clients"
	"regain/provider/jwa"
	"regain/provider/problem"
	"regain/storage"
)

const (
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	kindAssertion = storage.Kind("jti")

	maxAssertionLife = 5 * time.Minute
)

// tokenPath is the path of the token endpoint, whose URL OpenID Connect Core 1.0 §9 first recommended as the audience.
const tokenPath = "/token"

// authenticateAssertion verifies a client assertion (RFC 7523 §3, OpenID Connect Core 1.0 §9): its audience is the
// issuer alone unless the client registered otherwise, its lifetime is short, and each jti is accepted once.
func (a *Authenticator) authenticateAssertion(r *http.Request, assertion string, form url.Values) (*clients.Client, error) {
	if form.Get("client_assertion_type") != assertionType {
		return nil, problem.InvalidClient(fmt.Errorf("client_assertion_type is not %s", assertionType))
	}
	token, err := publickey.ParseToken(assertion, jwa.All())
	if err != nil {
		return nil, problem.InvalidClient(fmt.Errorf("parse client assertion: %w", err))
	}
	var claims assertionClaims // the claims name the client whose keys verify the signature below
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil {
		return nil, problem.InvalidClient(fmt.Errorf("read client assertion: %w", err))
	}
	client, err := a.registry.Client(r.Context(), claims.Subject)
	if err != nil && !errors.Is(err, clients.ErrUnknown) {
		return nil, problem.Unavailable(err)
	}
	if err != nil || client.AuthMethod != clients.PrivateKeyJWT {
		return nil, problem.InvalidClient(errors.New("no such client with private_key_jwt"))
	}
	if err := checkAlgorithm(token.Headers[0].Algorithm, client); err != nil {
		return nil, problem.InvalidClient(err)
	}
	if err := a.keys.Verify(r.Context(), token, client); err != nil {
		return nil, refused(err)
	}
	if err := a.checkAssertion(claims, client); err != nil {
		return nil, problem.InvalidClient(err)
	}
	if err := a.useOnce(r, client, claims); err != nil {
		return nil, err
	}
	return client, matchClientID(client, form)
}

// assertionClaims distinguish an audience that is a string from an array with one element.
type assertionClaims struct {
	jwt.Claims
	Audience audience `json:"aud"`
}

type audience struct {
	jwt.Audience
	plain bool
}

// UnmarshalJSON implements json.Unmarshaler.
func (a *audience) UnmarshalJSON(text []byte) error {
	a.plain = len(text) > 0 && text[0] == '"'
	return json.Unmarshal(text, &a.Audience)
}

// checkAlgorithm requires the registered algorithm, or one that the profile allows.
func checkAlgorithm(alg string, client *clients.Client) error {
	if client.AssertionAlgorithm != "" && alg != string(client.AssertionAlgorithm) {
		return fmt.Errorf("alg is %s, and %s is registered", alg, client.AssertionAlgorithm)
	}
	if client.Profile.FAPI() && !jwa.InFAPI(jose.SignatureAlgorithm(alg)) {
		return fmt.Errorf("profile %s does not allow %s", client.Profile, alg)
	}
	return nil
}

func (a *Authenticator) checkAssertion(claims assertionClaims, client *clients.Client) error {
	now := a.clock()
	switch {
	case claims.Issuer != client.ID:
		return errors.New("iss is not the client id")
	case !a.isFor(claims.Audience.Audience, client), client.Profile.FAPI() && !claims.Audience.plain: // FAPI 2.0 Security Profile §5.3.2.1
		return fmt.Errorf("aud must be the issuer %s", a.issuer)
	case claims.ID == "":
		return errors.New("jti is missing")
	case claims.Expiry == nil || clock.Over(claims.Expiry.Time(), now):
		return errors.New("exp is missing or past")
	case clock.Clients.InFuture(claims.Expiry.Time().Add(-maxAssertionLife), now):
		return fmt.Errorf("exp is more than %s ahead", maxAssertionLife)
	case claims.IssuedAt != nil && clock.Clients.InFuture(claims.IssuedAt.Time(), now):
		return errors.New("iat is in the future")
	case claims.NotBefore != nil && clock.Clients.InFuture(claims.NotBefore.Time(), now):
		return errors.New("nbf is in the future")
	}
	return nil
}

// isFor reports whether the audience is only this server: the issuer, or the token endpoint for a client that
// registered that. A second audience would let another server replay the assertion here.
func (a *Authenticator) isFor(audience []string, client *clients.Client) bool {
	return HasExactly(audience, a.issuer) || client.TokenEndpointAudience && HasExactly(audience, a.issuer+tokenPath)
}

// useOnce records the assertion's jti for this client, atomically. It is called after all other checks, so that a
// stranger cannot use up a jti of the client.
func (a *Authenticator) useOnce(r *http.Request, client *clients.Client, claims assertionClaims) error {
	err := a.store.Create(r.Context(), storage.Record{
		Kind: kindAssertion, ID: storage.Digest(client.ID + "\x00" + claims.ID), ExpiresAt: claims.Expiry.Time().Add(time.Duration(clock.Clients)),
	})
	if errors.Is(err, storage.ErrExists) {
		return problem.InvalidClient(errors.New("jti was used before"))
	}
	if err != nil {
		return problem.Unavailable(fmt.Errorf("record jti: %w", err))
	}
	return nil
}

// HasExactly reports whether the audience is exactly the wanted value: an assertion that is valid at two servers is
// refused.
func HasExactly(audience []string, wanted string) bool {
	return slices.Equal(audience, []string{wanted})
}
