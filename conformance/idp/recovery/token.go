package recovery

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"regain/conformance/jose"
)

const (
	tokenType    = "recovery+jwt"
	acrAccepted  = "urn:regain:acr:verified-id-face-check"
	tokenSeen    = 15 * time.Minute // longer than a recovery token lives
	tokenLives   = 5 * time.Minute  // exp − iat, docs/recovery-token.md
	clockLeeway  = time.Minute      // for a token from a clock ahead of ours; never for one that has expired
	modeAccepted = "production"
)

// ErrToken reports tokens that do not prove the recovery that this browser started.
var ErrToken = errors.New("tokens refused")

// Recovered is what good tokens say. It is built by Client.Redeem alone.
type Recovered struct {
	Account     string
	Pass        Secret
	Expires     time.Time // of the pass
	UsableOnce  bool
	Transaction string
}

// recoveryClaims are the claims of a recovery token that are looked at (docs/recovery-token.md).
type recoveryClaims struct {
	jose.Claims
	Transaction string `json:"txn"`
	Nonce       Secret `json:"nonce"`
	ACR         string `json:"acr"`
	Recovery    struct {
		Requested string `json:"requested_account"`
		Mode      string `json:"mode"`
		Pass      struct {
			Value      Secret `json:"value"`
			ExpiresAt  int64  `json:"expires_at"`
			UsableOnce bool   `json:"usable_once"`
		} `json:"temporary_access_pass"`
	} `json:"recovery"`
}

// tokenCheck verifies what Regain's token endpoint gave.
type tokenCheck struct {
	issuer, clientID string
	key              *ecdsa.PrivateKey // opens recovery tokens
	seen             func(jti string, until time.Time) bool
	clock            func() time.Time
}

// check verifies both tokens of a response against what this browser asked for.
func (k *tokenCheck) check(ctx context.Context, m *metadata, a Request, t tokens) (Recovered, error) {
	transaction, err := k.checkIDToken(ctx, m, a, t)
	if err != nil {
		return Recovered{}, fmt.Errorf("%w: ID token: %w", ErrToken, err)
	}
	claims, err := k.openRecoveryToken(ctx, m, t.Recovery)
	if err != nil {
		return Recovered{}, fmt.Errorf("%w: recovery token: %w", ErrToken, err)
	}
	if err := k.checkRecovery(claims, a, transaction); err != nil {
		return Recovered{}, fmt.Errorf("%w: recovery token: %w", ErrToken, err)
	}
	pass := claims.Recovery.Pass
	return Recovered{
		Account: a.Account, Pass: pass.Value, Expires: time.Unix(pass.ExpiresAt, 0).UTC(), UsableOnce: pass.UsableOnce, Transaction: transaction,
	}, nil
}

// checkIDToken is OpenID Connect Core 1.0 §3.1.3.7, and returns the transaction.
func (k *tokenCheck) checkIDToken(ctx context.Context, m *metadata, a Request, t tokens) (string, error) {
	token, err := m.verifier.Verify(ctx, t.ID.Reveal())
	if err != nil {
		return "", err
	}
	var more struct {
		Transaction string `json:"txn"`
	}
	if err := token.Claims(&more); err != nil {
		return "", errors.New("claims are not as expected")
	}
	switch {
	case !a.Nonce.Is(token.Nonce):
		return "", errors.New("nonce is not the one that was sent")
	case len(token.Audience) != 1:
		return "", errors.New("meant for others too")
	case token.Subject != a.Account:
		return "", errors.New("for another account")
	case more.Transaction == "":
		return "", errors.New("no transaction")
	}
	if token.AccessTokenHash != "" {
		if err := token.VerifyAccessToken(t.Access.Reveal()); err != nil {
			return "", err
		}
	}
	return more.Transaction, nil
}

// openRecoveryToken decrypts the outer layer, verifies the inner one and decodes the claims. A token that is only
// signed is refused: a bystander who sees it has the pass.
func (k *tokenCheck) openRecoveryToken(ctx context.Context, m *metadata, token Secret) (recoveryClaims, error) {
	var claims recoveryClaims
	inner, header, err := jose.Decrypt(token.Reveal(), k.key)
	if err != nil {
		return claims, err
	}
	if header.Type != tokenType || header.ContentType != "JWT" || header.KeyID != encryptionKeyID || header.Encoding != "A256GCM" {
		return claims, errors.New("typ, cty, kid or enc of the outer layer is wrong")
	}
	signed, err := jose.ParseTyped(string(inner), tokenType)
	if err != nil {
		return claims, err
	}
	if signed.Algorithm != jose.ES256 || signed.KeyID == "" {
		return claims, errors.New("the inner layer is not a JWS by ES256, or names no key")
	}
	payload, err := m.keys.VerifySignature(ctx, string(inner)) // typ and algorithm were checked above
	if err != nil {
		return claims, err
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return claims, errors.New("claims are not as expected")
	}
	return claims, nil
}

// checkRecovery is the table of docs/recovery-token.md, row by row. The jti comes last: only a token that is good in
// every other way is remembered, so that strangers cannot fill the memory.
func (k *tokenCheck) checkRecovery(c recoveryClaims, a Request, transaction string) error {
	now := k.clock()
	pass := c.Recovery.Pass
	switch {
	case c.Issuer != k.issuer:
		return errors.New("iss is another issuer")
	case !slices.Equal(c.Audience, jose.Audience{k.clientID}):
		return errors.New("aud is another client")
	case c.Subject != a.Account:
		return errors.New("sub is another account than the one this browser recovers")
	case c.Recovery.Requested != a.Account:
		return errors.New("requested_account is not the account that was sent")
	case !a.Nonce.Is(c.Nonce.Reveal()):
		return errors.New("nonce is not the one that was sent")
	case c.IssuedAt == nil || c.Expiry == nil || *c.Expiry-*c.IssuedAt > int64(tokenLives.Seconds()):
		return errors.New("iat or exp is missing, or they are too far apart")
	case now.Unix() >= *c.Expiry || *c.IssuedAt > now.Add(clockLeeway).Unix():
		return errors.New("not current")
	case c.ACR != acrAccepted:
		return errors.New("acr is not accepted")
	case c.Recovery.Mode != modeAccepted:
		return errors.New("mode is not production")
	case c.Transaction != transaction:
		return errors.New("txn is another than the ID token's")
	case pass.Value.Reveal() == "" || pass.ExpiresAt <= now.Unix():
		return errors.New("no pass, or one that has expired")
	case c.ID == "":
		return errors.New("no jti")
	case !k.seen(c.ID, now.Add(tokenSeen)):
		return errors.New("jti was seen before")
	}
	return nil
}
