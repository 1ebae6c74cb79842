package openid

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/provider/clients"
	"regain/provider/oauth"
	"regain/provider/problem"
	"regain/provider/remotekeys"
	"regain/recovery"
)

// recoveryTokenLifetime is short: the client redeems the code and uses the token in one go.
const recoveryTokenLifetime = 5 * time.Minute

// recoveryClaims are the claims of a recovery token; docs/recovery-token.md describes them for IdP engineers.
type recoveryClaims struct {
	Issuer         string         `json:"iss"`
	Audience       string         `json:"aud"`
	Subject        string         `json:"sub"`
	IssuedAt       int64          `json:"iat"`
	Expiry         int64          `json:"exp"`
	ID             string         `json:"jti"`
	Transaction    string         `json:"txn"`
	Nonce          string         `json:"nonce,omitempty"`
	ACR            string         `json:"acr"`
	AMR            []string       `json:"amr"`
	VerifiedClaims verifiedClaims `json:"verified_claims"`
	Recovery       recoveryResult `json:"recovery"`
}

// verifiedClaims are OpenID Identity Assurance Schema 1.0 §5. The values are the directory's own, which the evidence
// confirmed: nothing of the credential was kept.
type verifiedClaims struct {
	Verification verification      `json:"verification"`
	Claims       map[string]string `json:"claims"`
}

type verification struct {
	TrustFramework string    `json:"trust_framework"`
	Time           time.Time `json:"time"`
	Process        string    `json:"verification_process"`
}

type recoveryResult struct {
	Requested string          `json:"requested_account"` // as the main IdP sent it
	Profile   string          `json:"profile"`
	Mode      string          `json:"mode"`
	Flow      string          `json:"flow"`
	Bound     bool            `json:"session_bound"`
	FaceCheck faceCheckResult `json:"face_check"`
	Pass      passResult      `json:"temporary_access_pass"`
}

type faceCheckResult struct {
	Score     float64 `json:"score"`
	Threshold int     `json:"threshold"`
	Source    string  `json:"source"`
}

type passResult struct {
	Value      string `json:"value"`
	StartsAt   int64  `json:"starts_at"`
	ExpiresAt  int64  `json:"expires_at"`
	UsableOnce bool   `json:"usable_once"`
	Issuer     string `json:"issuer"`
}

// encrypter encrypts recovery tokens to the client's key. It is made before there is a pass, since a pass that cannot be
// encrypted is lost.
func (t *tokens) encrypter(ctx context.Context, client *clients.Client) (jose.Encrypter, error) {
	key, err := t.oauth.EncryptionKey(ctx, client)
	switch {
	case errors.Is(err, remotekeys.ErrUnavailable):
		return nil, problem.Unavailable(err)
	case errors.Is(err, clients.ErrNoKey):
		// Not the request's fault, which may be repeated once the client's registration or its published keys are mended.
		return nil, problem.New(http.StatusBadRequest, "invalid_client", "The recovery token cannot be encrypted: the client's JWK set has no EC key on P-256 with use enc. The code is still good.").WithCause(err)
	case err != nil:
		return nil, problem.ServerError(err)
	}
	encrypter, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.ECDH_ES, Key: key.Key, KeyID: key.KeyID},
		(&jose.EncrypterOptions{}).WithType("recovery+jwt").WithContentType("JWT"))
	if err != nil {
		return nil, problem.ServerError(fmt.Errorf("prepare the encryption of the recovery token: %w", err))
	}
	return encrypter, nil
}

// recoveryToken signs the outcome and encrypts it to the client's key: it carries the pass.
func (t *tokens) recoveryToken(redeemed oauth.Redemption, r recovery.Redemption, encrypter jose.Encrypter) (string, error) {
	signed, err := t.ring.Mint("recovery+jwt", t.recoveryClaims(redeemed, r))
	if err != nil {
		return "", fmt.Errorf("sign recovery token: %w", err)
	}
	encrypted, err := encrypter.Encrypt([]byte(signed))
	if err != nil {
		return "", fmt.Errorf("encrypt recovery token: %w", err)
	}
	return encrypted.CompactSerialize()
}

func (t *tokens) recoveryClaims(redeemed oauth.Redemption, r recovery.Redemption) recoveryClaims {
	now := t.clock()
	check := r.Transaction.Decision.FaceCheck
	matched, _ := t.recovery.Profiles().Verified(r.Profile.Name)
	claims := make(map[string]string, len(matched))
	for _, attribute := range matched {
		claims[string(attribute)] = r.Account.Attributes[attribute]
	}
	return recoveryClaims{
		Issuer: t.issuer, Audience: redeemed.Client.ID, Subject: redeemed.Subject,
		IssuedAt: now.Unix(), Expiry: now.Add(recoveryTokenLifetime).Unix(), ID: r.Pass.ID, Transaction: redeemed.Transaction,
		Nonce: redeemed.Nonce, ACR: redeemed.ACR, AMR: redeemed.AMR,
		VerifiedClaims: verifiedClaims{
			Verification: verification{TrustFramework: trustFramework, Time: redeemed.AuthTime.UTC().Truncate(time.Second), Process: redeemed.Transaction},
			Claims:       claims,
		},
		Recovery: recoveryResult{
			Requested: string(r.Transaction.Requested),
			Profile:   string(r.Profile.Name), Mode: string(r.Profile.Mode), Flow: string(r.Transaction.Flow), Bound: !r.Transaction.NoRedirectBack,
			FaceCheck: faceCheckResult{Score: check.Score, Threshold: r.Profile.FaceCheck.Threshold, Source: string(check.Source)},
			Pass: passResult{
				Value: r.Pass.Value.Reveal(), StartsAt: r.Pass.StartsAt.Unix(), ExpiresAt: r.Pass.ExpiresAt.Unix(),
				UsableOnce: r.Pass.UsableOnce, Issuer: r.Pass.Issuer,
			},
		},
	}
}
