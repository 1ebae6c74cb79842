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

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// IDToken are the claims of an ID token that a main IdP looks at.
type IDToken struct {
	jwt.Claims
	Nonce       string   `json:"nonce"`
	ACR         string   `json:"acr"`
	AMR         []string `json:"amr"`
	AuthTime    int64    `json:"auth_time"`
	AccessHash  string   `json:"at_hash"`
	Transaction string   `json:"txn"`
}

// Recovery are the claims of a recovery token (docs/recovery-token.md).
type Recovery struct {
	jwt.Claims
	Nonce       string   `json:"nonce"`
	ACR         string   `json:"acr"`
	AMR         []string `json:"amr"`
	Transaction string   `json:"txn"`
	Recovery    struct {
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
	case recovery.Recovery.Mode != "production":
		return Recovery{}, fmt.Errorf("mode is %q", recovery.Recovery.Mode)
	case recovery.Recovery.Pass.Value == "":
		return Recovery{}, errors.New("there is no pass")
	}
	for name, claims := range map[string]jwt.Claims{"ID token": id.Claims, "recovery token": recovery.Claims} {
		if err := claims.ValidateWithLeeway(jwt.Expected{Issuer: r.cfg.Issuer, AnyAudience: jwt.Audience{r.cfg.ClientID}, Time: r.cfg.Clock()}, 0); err != nil {
			return Recovery{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	return recovery, nil
}

// OpenRecoveryToken decrypts a recovery token and reads its claims without checking them: for measurements, where Check
// would cost more than what is measured.
func (r *RP) OpenRecoveryToken(token string) (Recovery, error) {
	encrypted, err := jose.ParseEncryptedCompact(token, []jose.KeyAlgorithm{jose.ECDH_ES}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil {
		return Recovery{}, fmt.Errorf("parse: %w", err)
	}
	signed, err := encrypted.Decrypt(r.encryption)
	if err != nil {
		return Recovery{}, fmt.Errorf("decrypt: %w", err)
	}
	parsed, err := jwt.ParseSigned(string(signed), []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return Recovery{}, fmt.Errorf("parse: %w", err)
	}
	var recovery Recovery
	return recovery, parsed.UnsafeClaimsWithoutVerification(&recovery)
}

func (r *RP) openRecoveryToken(token string, keys jose.JSONWebKeySet, into *Recovery) error {
	if token == "" {
		return errors.New("missing")
	}
	encrypted, err := jose.ParseEncryptedCompact(token, []jose.KeyAlgorithm{jose.ECDH_ES}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil {
		return fmt.Errorf("parse: %w", err)
	}
	signed, err := encrypted.Decrypt(r.encryption)
	if err != nil {
		return fmt.Errorf("decrypt: %w", err)
	}
	return verify(string(signed), "recovery+jwt", keys, into)
}

func verify(token, typ string, keys jose.JSONWebKeySet, into any) error {
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return fmt.Errorf("parse: %w", err)
	}
	header := signed.Signatures[0].Header
	if header.ExtraHeaders[jose.HeaderType] != typ {
		return fmt.Errorf("typ is %v, not %s", header.ExtraHeaders[jose.HeaderType], typ)
	}
	for _, key := range keys.Key(header.KeyID) {
		payload, err := signed.Verify(key)
		if err == nil {
			return json.Unmarshal(payload, into)
		}
	}
	return errors.New("no published key verifies the signature")
}

func (r *RP) fetchKeys(ctx context.Context) (jose.JSONWebKeySet, error) {
	var keys jose.JSONWebKeySet
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
