package dpop

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/internal/publickey"
	"regain/internal/strictjson"
	"regain/provider/jwa"
)

const (
	maxProof = 8 << 10
	maxID    = 256
	maxDepth = 8
)

// proof is a DPoP proof whose signature was verified with the key in its header (RFC 9449 §4.2).
type proof struct {
	ID        string           `json:"jti"`
	Method    string           `json:"htm"`
	URL       string           `json:"htu"`
	IssuedAt  *jwt.NumericDate `json:"iat"`
	Expiry    *jwt.NumericDate `json:"exp"`
	NotBefore *jwt.NumericDate `json:"nbf"`
	TokenHash string           `json:"ath"`
	Nonce     string           `json:"nonce"`

	thumbprint string
	issuedAt   time.Time
}

func parse(text string) (proof, error) {
	var p proof
	if len(text) > maxProof {
		return p, errors.New("is too long")
	}
	key, err := keyOf(text)
	if err != nil {
		return p, err
	}
	token, err := publickey.ParseToken(text, jwa.FAPI())
	if err != nil {
		return p, fmt.Errorf("parse: %w", err)
	}
	header := token.Headers[0]
	if typ, _ := header.ExtraHeaders[jose.HeaderType].(string); typ != "dpop+jwt" {
		return p, fmt.Errorf("typ is %.40q, not dpop+jwt", typ)
	}
	if err := checkKey(key, header.Algorithm); err != nil {
		return p, err
	}
	if err := token.Claims(key, &p); err != nil {
		return p, fmt.Errorf("signature or claims: %w", err)
	}
	switch {
	case p.ID == "" || len(p.ID) > maxID:
		return p, fmt.Errorf("jti is missing, or longer than %d", maxID)
	case p.IssuedAt == nil:
		return p, errors.New("iat is missing")
	}
	p.issuedAt = p.IssuedAt.Time()
	sum, err := (&jose.JSONWebKey{Key: key}).Thumbprint(crypto.SHA256)
	if err != nil {
		return p, fmt.Errorf("thumbprint: %w", err)
	}
	p.thumbprint = base64.RawURLEncoding.EncodeToString(sum)
	return p, nil
}

// keyOf parses header and claims strictly and returns the key in the header, which must not be a private one (RFC
// 9449 §4.3, item 7). It verifies nothing.
func keyOf(text string) (crypto.PublicKey, error) {
	parts := strings.Split(text, ".")
	const compact = 3
	if len(parts) != compact {
		return nil, errors.New("is not a compact JWS")
	}
	var objects [2]map[string]any
	for i := range objects {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			return nil, errors.New("is not base64url")
		}
		if objects[i], err = strictjson.Object(raw, maxDepth); err != nil {
			return nil, err
		}
	}
	jwk, ok := objects[0]["jwk"].(map[string]any)
	if !ok {
		return nil, errors.New("header has no jwk")
	}
	key, err := publickey.Key(jwk, publickey.P256, publickey.RSA, publickey.Ed25519)
	if err != nil {
		return nil, fmt.Errorf("jwk: %w", err)
	}
	return key, nil
}

// checkKey refuses a key that does not fit the algorithm: the message alone must not decide how a key is used
// (algorithm confusion, RFC 8725 §3.1).
func checkKey(key crypto.PublicKey, alg string) error {
	fits := ""
	switch key.(type) {
	case *ecdsa.PublicKey:
		fits = string(jose.ES256)
	case ed25519.PublicKey:
		fits = string(jose.EdDSA)
	case *rsa.PublicKey:
		fits = string(jose.PS256)
	}
	if fits != alg {
		return fmt.Errorf("jwk does not fit %s", alg)
	}
	return nil
}

// sameURL compares two URLs without query and fragment, normalised by RFC 3986 §6.2.2 and §6.2.3. What is no absolute URL
// is the same as nothing.
func sameURL(a, b string) bool {
	one := normal(a)
	return one != "" && one == normal(b)
}

// normal returns "" for what is no absolute URL.
func normal(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil {
		return ""
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	host = strings.TrimSuffix(host, map[string]string{"https": ":443", "http": ":80"}[scheme])
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	return scheme + "://" + host + path
}
