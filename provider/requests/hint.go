package requests

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/internal/clock"
	"regain/internal/publickey"
	"regain/provider/claims"
	"regain/provider/clients"
	"regain/provider/jwa"
	"regain/provider/problem"
	"regain/provider/remotekeys"
	"regain/recovery"
)

// TypeIDToken is the `typ` of our ID tokens.
const TypeIDToken = "JWT"

// namedAccount returns the account that the request names: by login_hint, by id_token_hint, or by a sub in the claims
// parameter. If several are sent they must agree, but for the case of A to Z, so that there is no doubt which account is
// recovered. Whether a name and an id are of one account only the directory knows, and it is told to nobody.
func (r *Reader) namedAccount(ctx context.Context, client *clients.Client, form url.Values, wanted claims.Request) (string, *problem.Error) {
	var subject string
	var err error
	hint, token := form.Get("login_hint"), form.Get("id_token_hint")
	if len(hint) > maxHint || len(token) > maxHint {
		return "", problem.InvalidRequest("The hint is too long.")
	}
	if token != "" {
		if subject, err = r.hintSubject(ctx, client, token); errors.Is(err, remotekeys.ErrUnavailable) {
			return "", problem.Unavailable(err)
		} else if err != nil {
			return "", problem.InvalidRequest("The id_token_hint is neither an ID token that this server made for the client, nor a current JWT of the client: iss its client_id, aud the issuer, sub the account, exp, signed by a registered key.").WithCause(err)
		}
	}
	for _, target := range []claims.Target{claims.IDToken, claims.UserInfo} {
		values, demanded := wanted[target].Essential("sub")
		if demanded && (len(values) != 1 || subject != "" && !sameName(subject, values[0])) {
			return "", problem.InvalidRequest("The claims parameter and the id_token_hint name different accounts.")
		}
		if demanded {
			subject = values[0]
		}
	}
	switch {
	case hint != "" && subject != "" && !sameName(hint, subject):
		return "", problem.InvalidRequest("login_hint names another account than the id_token_hint or the claims parameter.")
	case subject != "":
		return subject, nil
	case hint == "" && !client.AskAccount:
		return "", problem.InvalidRequest("Name the account to recover in login_hint or in an id_token_hint signed by the client.")
	}
	return hint, nil
}

// sameName reports whether two hints name one account for certain, whatever the directory has.
func sameName(a, b string) bool {
	return recovery.AccountName(a).Exact() == recovery.AccountName(b).Exact()
}

// hintSubject returns the subject of an id_token_hint, which is either a JWT signed by the client or an ID token
// issued by this server.
func (r *Reader) hintSubject(ctx context.Context, client *clients.Client, hint string) (string, error) {
	token, err := publickey.ParseToken(hint, jwa.All())
	if err != nil {
		return "", fmt.Errorf("parse id_token_hint: %w", err)
	}
	var claims jwt.Claims
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil { // iss determines the keys that verify it
		return "", fmt.Errorf("read id_token_hint: %w", err)
	}
	if claims.Subject == "" {
		return "", errors.New("sub is missing")
	}
	if claims.Issuer == r.issuer {
		return claims.Subject, r.checkOwnToken(token, claims, client.ID)
	}
	return claims.Subject, r.checkClientsHint(ctx, token, claims, client)
}

// checkOwnToken verifies an ID token issued by this server with any key that is still in the ring. Expired tokens are
// valid hints (OpenID Connect Core 1.0 §3.1.2.2).
func (r *Reader) checkOwnToken(token *jwt.JSONWebToken, claims jwt.Claims, clientID string) error {
	header := token.Headers[0]
	if typ, _ := header.ExtraHeaders[jose.HeaderType].(string); typ != TypeIDToken {
		return fmt.Errorf("typ %q is no ID token's", typ)
	}
	if !clients.HasExactly(claims.Audience, clientID) {
		return errors.New("the ID token was made for another client")
	}
	for _, key := range r.ring.Public(header.KeyID) {
		if token.Claims(key.Key) == nil {
			return nil
		}
	}
	return errors.New("no key of ours verifies the signature")
}

func (r *Reader) checkClientsHint(ctx context.Context, token *jwt.JSONWebToken, claims jwt.Claims, client *clients.Client) error {
	if err := r.keys.Verify(ctx, token, client); err != nil {
		return err
	}
	now := r.clock()
	switch {
	case claims.Issuer != client.ID:
		return errors.New("iss is not the client id")
	case !clients.HasExactly(claims.Audience, r.issuer):
		return errors.New("aud is not the issuer")
	case claims.Expiry == nil || clock.Over(claims.Expiry.Time(), now):
		return errors.New("exp is missing or past")
	case claims.IssuedAt == nil || clock.Clients.InFuture(claims.IssuedAt.Time(), now):
		return errors.New("iat is missing or in the future")
	}
	return nil
}

// checkAccount refuses a name that cannot be put into records and shown as it is.
func checkAccount(name string) *problem.Error {
	if recovery.Recordable(name) {
		return nil
	}
	return problem.InvalidRequest("The account's name is too long, or has characters that do not show: at most 320 octets of printable UTF-8.")
}
