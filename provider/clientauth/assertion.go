package clientauth

import (
	"bytes"
	"context"
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

// Paths of the endpoints whose URLs name this server at every endpoint (RFC 9126 §2). OpenID Connect Core 1.0 §9
// recommended the token endpoint's, which many libraries still send to all.
const (
	tokenPath = "/token"
	parPath   = "/par"
)

// authenticateAssertion verifies a client assertion (RFC 7523 §3, OpenID Connect Core 1.0 §9): its audience is this
// server alone, its lifetime is short, and each jti is accepted once.
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
	if err := a.checkAssertion(r, claims, client); err != nil {
		return nil, problem.InvalidClient(err)
	}
	if err := a.useOnce(r, client, claims); err != nil {
		return nil, err
	}
	return matched(client, form)
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
	a.plain = bytes.HasPrefix(text, []byte(`"`))
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

func (a *Authenticator) checkAssertion(r *http.Request, claims assertionClaims, client *clients.Client) error {
	now := a.clock()
	switch {
	case claims.Issuer != client.ID:
		return errors.New("iss is not the client id")
	case client.Profile.FAPI() && !claims.Audience.plain: // FAPI 2.0 Security Profile §5.3.2.1
		return fmt.Errorf("aud must be the issuer %s as a string", a.issuer)
	case !a.isFor(r, claims.Audience.Audience, client):
		return fmt.Errorf("aud must be the issuer %s%s", a.issuer, map[bool]string{false: ", the token or PAR endpoint, or the one that is called, and nothing else"}[client.IssuerAudience()])
	case claims.ID == "":
		return errors.New("jti is missing")
	case clock.Over(claims.Expiry.Time(), now): // a date that is absent is long ago
		return errors.New("exp is missing or past")
	case clock.Clients.InFuture(claims.Expiry.Time().Add(-maxAssertionLife), now):
		return fmt.Errorf("exp is more than %s ahead", maxAssertionLife)
	case clock.Clients.InFuture(claims.IssuedAt.Time(), now):
		return errors.New("iat is in the future")
	case clock.Clients.InFuture(claims.NotBefore.Time(), now):
		return errors.New("nbf is in the future")
	}
	return nil
}

// isFor reports whether every audience is this server. A second one would let another server replay the assertion here.
//
// The issuer always is. The URLs of the token endpoint, of the PAR endpoint and of the endpoint that is called are too (RFC
// 9126 §2), unless the client is restricted to the issuer: a server at which the client is registered as well, and which
// publishes our token endpoint as its own, could collect assertions for it.
func (a *Authenticator) isFor(r *http.Request, audience []string, client *clients.Client) bool {
	if client.IssuerAudience() {
		return clients.HasExactly(audience, a.issuer)
	}
	ours := slices.Concat([]string{a.issuer}, a.endpoints.All(tokenPath), a.endpoints.All(parPath), a.endpoints.Called(r))
	return len(audience) > 0 && !slices.ContainsFunc(audience, func(one string) bool { return !slices.Contains(ours, one) })
}

// useOnce records the assertion's jti for this client, atomically: at the latest before the request is answered, with the
// first change that is made for it. It is called after all other checks, so that a stranger cannot use up a jti of the
// client.
func (a *Authenticator) useOnce(r *http.Request, client *clients.Client, claims assertionClaims) error {
	used := storage.Record{
		Kind: kindAssertion, ID: storage.Digest(client.ID + "\x00" + claims.ID), ExpiresAt: claims.Expiry.Time().Add(time.Duration(clock.Clients)),
	}
	switch _, err := a.store.Get(r.Context(), kindAssertion, used.ID); {
	case err == nil: // a plain replay is refused before anything is done for it; one at the same moment, by the record
		return notRecorded(storage.ErrExists)
	case !errors.Is(err, storage.ErrNotFound):
		return notRecorded(err)
	}
	return storage.Postpone(r.Context(), a.store, storage.Postponed{Change: storage.Creating(used), Again: func(_ context.Context, failed error) (storage.Change, error) {
		return storage.Change{}, notRecorded(failed)
	}})
}

// notRecorded is the error of an assertion whose jti could not be recorded.
func notRecorded(err error) error {
	if errors.Is(err, storage.ErrExists) {
		return problem.InvalidClient(errors.New("jti was used before"))
	}
	return problem.Unavailable(fmt.Errorf("record jti: %w", err))
}
