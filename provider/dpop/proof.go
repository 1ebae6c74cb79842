package dpop

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/internal/strictjson"
)

const (
	maxProof   = 8 << 10
	maxID      = 256
	minRSABits = 2048
	maxDepth   = 8
)

// Algorithms are the signatures accepted of proofs (dpop_signing_alg_values_supported).
func Algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.ES256, jose.PS256, jose.EdDSA}
}

// proof is a proof whose signature was verified with the key in its header (RFC 9449 §4.2).
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
	if err := checkParts(text); err != nil {
		return p, err
	}
	token, err := jwt.ParseSigned(text, Algorithms())
	if err != nil {
		return p, fmt.Errorf("parse: %w", err)
	}
	header := token.Headers[0]
	if typ, _ := header.ExtraHeaders[jose.HeaderType].(string); typ != "dpop+jwt" {
		return p, fmt.Errorf("typ is %.40q, not dpop+jwt", typ)
	}
	if err := checkKey(header.JSONWebKey, header.Algorithm); err != nil {
		return p, err
	}
	if err := token.Claims(header.JSONWebKey.Key, &p); err != nil {
		return p, fmt.Errorf("signature or claims: %w", err)
	}
	switch {
	case p.ID == "" || len(p.ID) > maxID:
		return p, fmt.Errorf("jti is missing, or longer than %d", maxID)
	case p.IssuedAt == nil:
		return p, errors.New("iat is missing")
	}
	p.issuedAt = p.IssuedAt.Time()
	sum, err := header.JSONWebKey.Thumbprint(crypto.SHA256)
	if err != nil {
		return p, fmt.Errorf("thumbprint: %w", err)
	}
	p.thumbprint = base64.RawURLEncoding.EncodeToString(sum)
	return p, nil
}

// checkParts reads header and claims strictly, and refuses a key with private members (RFC 9449 §4.3, item 7): go-jose
// would read it and go on.
func checkParts(text string) error {
	parts := strings.Split(text, ".")
	const compact = 3
	if len(parts) != compact {
		return errors.New("is not a compact JWS")
	}
	var objects [2]map[string]any
	for i := range objects {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			return errors.New("is not base64url")
		}
		if objects[i], err = strictjson.Object(raw, maxDepth); err != nil {
			return err
		}
	}
	key, ok := objects[0]["jwk"].(map[string]any)
	if !ok {
		return errors.New("header has no jwk")
	}
	for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		if _, there := key[private]; there {
			return errors.New("jwk is not a public key")
		}
	}
	return nil
}

// checkKey refuses weak keys and keys that do not fit the algorithm (FAPI 2.0 §5.4.1).
func checkKey(key *jose.JSONWebKey, alg string) error {
	if key == nil || !key.Valid() || !key.IsPublic() {
		return errors.New("header has no public jwk")
	}
	switch public := key.Key.(type) {
	case *ecdsa.PublicKey:
		if public.Curve == elliptic.P256() && alg == string(jose.ES256) {
			return nil
		}
	case ed25519.PublicKey:
		if alg == string(jose.EdDSA) {
			return nil
		}
	case *rsa.PublicKey:
		if public.N.BitLen() >= minRSABits && alg == string(jose.PS256) {
			return nil
		}
	}
	return fmt.Errorf("jwk is too weak, or does not fit %s", alg)
}

// sameURL compares without query and fragment, and after the normalisation of RFC 3986 §6.2.2 and §6.2.3.
func sameURL(a, b string) bool {
	left, err1 := normal(a)
	right, err2 := normal(b)
	return err1 == nil && err2 == nil && left == right
}

func normal(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Opaque != "" {
		return "", errors.New("is not an absolute URL")
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	host = strings.TrimSuffix(host, map[string]string{"https": ":443", "http": ":80"}[scheme])
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	return scheme + "://" + host + path, nil
}
