package rp

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"regain/conformance/jose"
)

// IDToken are the claims of an ID token that a main IdP looks at.
type IDToken struct {
	jose.Claims
	Nonce       string   `json:"nonce"`
	ACR         string   `json:"acr"`
	AMR         []string `json:"amr"`
	AuthTime    int64    `json:"auth_time"`
	AccessHash  string   `json:"at_hash"`
	Transaction string   `json:"txn"`
}

// Recovery are the claims of a recovery token (docs/recovery-token.md).
type Recovery struct {
	jose.Claims
	Nonce       string   `json:"nonce"`
	ACR         string   `json:"acr"`
	AMR         []string `json:"amr"`
	Transaction string   `json:"txn"`
	Recovery    struct {
		Requested string `json:"requested_account"`
		Profile   string `json:"profile"`
		Mode      string `json:"mode"`
		Flow      string `json:"flow"`
		Bound     bool   `json:"session_bound"`
		FaceCheck struct {
			Score     float64 `json:"score"`
			Threshold int     `json:"threshold"`
			Source    string  `json:"source"`
		} `json:"face_check"`
		Pass struct {
			Value      string `json:"value"`
			StartsAt   int64  `json:"starts_at"`
			ExpiresAt  int64  `json:"expires_at"`
			UsableOnce bool   `json:"usable_once"`
			Issuer     string `json:"issuer"`
		} `json:"temporary_access_pass"`
	} `json:"recovery"`
	VerifiedClaims struct {
		Verification struct {
			TrustFramework string `json:"trust_framework"`
		} `json:"verification"`
		Claims map[string]string `json:"claims"`
	} `json:"verified_claims"`
}

// Check opens both tokens of a response and checks everything that a main IdP must check before it signs anybody in.
func (r *RP) Check(ctx context.Context, a Attempt, account string, tokens Tokens) (Recovery, error) {
	keys, err := r.fetchKeys(ctx)
	if err != nil {
		return Recovery{}, err
	}
	var id IDToken
	if err := verify(tokens.IDToken, "JWT", keys, &id); err != nil {
		return Recovery{}, fmt.Errorf("ID token: %w", err)
	}
	var recovery Recovery
	if err := r.openRecoveryToken(tokens.RecoveryToken, keys, &recovery); err != nil {
		return Recovery{}, fmt.Errorf("recovery token: %w", err)
	}
	hash := sha256.Sum256([]byte(tokens.AccessToken))
	switch {
	case id.Nonce != a.Nonce || recovery.Nonce != a.Nonce:
		return Recovery{}, errors.New("nonce is not the one that was sent")
	case id.Transaction == "" || id.Transaction != recovery.Transaction:
		return Recovery{}, errors.New("ID token and recovery token are of different transactions")
	case id.AccessHash != base64.RawURLEncoding.EncodeToString(hash[:16]):
		return Recovery{}, errors.New("at_hash is not the access token's")
	case recovery.Subject != account || id.Subject != account:
		return Recovery{}, fmt.Errorf("the tokens are for %q, not for %q", recovery.Subject, account)
	case recovery.Recovery.Requested != a.Account:
		return Recovery{}, fmt.Errorf("the tokens answer a request for %q, not for %q", recovery.Recovery.Requested, a.Account)
	case recovery.Recovery.Mode != "production":
		return Recovery{}, fmt.Errorf("mode is %q", recovery.Recovery.Mode)
	case recovery.Recovery.Pass.Value == "":
		return Recovery{}, errors.New("there is no pass")
	}
	for name, claims := range map[string]jose.Claims{"ID token": id.Claims, "recovery token": recovery.Claims} {
		if err := claims.Check(r.cfg.Issuer, r.cfg.ClientID, r.cfg.Clock()); err != nil {
			return Recovery{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	return recovery, nil
}

// OpenRecoveryToken decrypts a recovery token and reads its claims without checking them: for measurements, where Check
// would cost more than what is measured.
func (r *RP) OpenRecoveryToken(token string) (Recovery, error) {
	signed, _, err := jose.Decrypt(token, r.encryption)
	if err != nil {
		return Recovery{}, err
	}
	parsed, err := jose.Parse(string(signed))
	if err != nil {
		return Recovery{}, err
	}
	var recovery Recovery
	return recovery, json.Unmarshal(parsed.PayloadUnverified(), &recovery)
}

func (r *RP) openRecoveryToken(token string, keys jose.JWKSet, into *Recovery) error {
	if token == "" {
		return errors.New("missing")
	}
	signed, header, err := jose.Decrypt(token, r.encryption)
	if err != nil {
		return err
	}
	if header.Encoding != "A256GCM" {
		return errors.New("it is encrypted otherwise than with A256GCM")
	}
	return verify(string(signed), "recovery+jwt", keys, into)
}

func verify(compact, typ string, keys jose.JWKSet, into any) error {
	signed, err := jose.ParseTyped(compact, typ)
	if err != nil {
		return err
	}
	for _, key := range keys.Key(signed.KeyID) {
		payload, err := signed.Verify(key.Key)
		if err == nil && signed.Algorithm == jose.ES256 {
			return json.Unmarshal(payload, into)
		}
	}
	return errors.New("no published key verifies the signature")
}

func (r *RP) fetchKeys(ctx context.Context) (jose.JWKSet, error) {
	var keys jose.JWKSet
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.cfg.Issuer+"/jwks", nil)
	if err != nil {
		return keys, fmt.Errorf("fetch keys: %w", err)
	}
	resp, err := r.http.Do(req)
	if err != nil {
		return keys, fmt.Errorf("fetch keys: %w", err)
	}
	defer resp.Body.Close()
	return keys, json.NewDecoder(io.LimitReader(resp.Body, maxBody)).Decode(&keys)
}
