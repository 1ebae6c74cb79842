// Package jws reads the JWTs that strangers send to the proofing provider: compact, ES256 unless a caller takes more,
// explicitly typed (RFC 8725 §3.1, §3.11), and with no name twice in their claims. Every sender has its own media type, so
// that a JWT made for one place is nothing anywhere else.
package jws

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
)

// Err means that a JWT from outside is not what it has to be.
var Err = errors.New("unacceptable JWT")

// Token is a JWS that was taken apart: its one header is known to have the expected alg and typ. Nothing in it is to be
// believed before Open.
type Token struct {
	Header jose.Header
	signed *jose.JSONWebSignature
}

// Parse reads a compact JWS with alg ES256 and the media type in typ.
func Parse(compact, mediaType string) (Token, error) {
	return ParseWith(compact, mediaType, jose.ES256)
}

// ParseWith is Parse for one of several algorithms. That it is the one of the key, Open checks.
func ParseWith(compact, mediaType string, algorithms ...jose.SignatureAlgorithm) (Token, error) {
	if strings.Count(compact, ".") != 2 {
		return Token{}, fmt.Errorf("%w: not a compact JWS", Err)
	}
	signed, err := jose.ParseSignedCompact(compact, algorithms)
	if err != nil {
		return Token{}, fmt.Errorf("%w: %w", Err, err)
	}
	t := Token{signed: signed, Header: signed.Signatures[0].Protected}
	if found, _ := t.Header.ExtraHeaders[jose.HeaderType].(string); found != mediaType {
		return Token{}, fmt.Errorf("%w: typ is not %s", Err, mediaType)
	}
	return t, nil
}

// Open verifies the signature and decodes the claims into a struct. Names that occur twice are refused.
func (t Token) Open(key, claims any) error {
	payload, err := t.signed.Verify(key)
	if err != nil {
		return fmt.Errorf("%w: %w", Err, err)
	}
	if err := json.Unmarshal(payload, claims); err != nil {
		return fmt.Errorf("%w: claims: %w", Err, err)
	}
	return nil
}

// HasCertificates reports whether the header carries an x5c, good or bad.
func (t Token) HasCertificates() bool {
	_, err := t.Header.Certificates(x509.VerifyOptions{})
	return !errors.Is(err, jose.ErrMissingX5cHeader)
}

// CertifiedBy reports whether the x5c header is a chain below the anchor that begins with exactly this leaf.
func (t Token) CertifiedBy(anchor, leaf *x509.Certificate, now time.Time) bool {
	roots := x509.NewCertPool()
	roots.AddCert(anchor)
	chains, err := t.Header.Certificates(x509.VerifyOptions{
		Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err == nil && len(chains) > 0 && chains[0][0].Equal(leaf)
}

// PublicP256 reports whether the key is a public key on P-256, and nothing but that.
func PublicP256(key *jose.JSONWebKey) bool {
	if key == nil || !key.Valid() || !key.IsPublic() {
		return false
	}
	public, ok := key.Key.(*ecdsa.PublicKey)
	return ok && public.Curve == elliptic.P256()
}

// Usable are the keys of a set that may have made a signature; a kid narrows them down.
func Usable(set jose.JSONWebKeySet, kid string) []any {
	var keys []any
	for _, key := range set.Keys {
		fits := kid == "" || key.KeyID == "" || key.KeyID == kid
		if PublicP256(&key) && fits && (key.Use == "" || key.Use == "sig") && (key.Algorithm == "" || key.Algorithm == string(jose.ES256)) {
			keys = append(keys, key.Key)
		}
	}
	return keys
}

// Fresh reports whether iat is neither further back than age nor more than a minute ahead.
func Fresh(iat int64, now time.Time, age time.Duration) bool {
	return iat >= now.Add(-age).Unix() && iat <= now.Add(time.Minute).Unix()
}
