// Package jws reads compact JSON Web Signatures of one kind, strictly (RFC 7515 §7.1, RFC 8725), and verifies them.
//
// They are read here, and not by go-jose, for what go-jose lets pass: names that stand twice in the header, base64url
// that is not canonical, and `x5c` that it parses before anybody knows whether the rest is worth it. The cryptography
// is the standard library's.
package jws

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync/atomic"

	"regain/internal/strictjson"
)

const (
	headerDepth    = 4
	payloadDepth   = 16
	maxHeader      = 16 << 10 // characters of base64url; certificates make it kilobytes
	maxChain       = 4
	signatureChars = 86 // of 64 bytes: r and s (RFC 7518 §3.4)
)

// Errors of this package. Their messages name members, never values.
var (
	ErrMalformed = errors.New("malformed JWS")
	ErrSignature = errors.New("signature does not verify")
)

// JWS is a message that was read and not verified.
type JWS struct {
	Payload      map[string]any
	Certificates [][]byte // x5c as DER, leaf first; may be empty

	signed    string // header and payload as they were signed
	signature []byte
	proved    *atomic.Pointer[ecdsa.PublicKey] // the key with which it verified; shared by copies
}

// ParseInsecure reads a JWS whose typ is the given one. Nothing is verified yet. ES256 is the only algorithm: HAIP 1.0 §7.
func ParseInsecure(compact, typ string) (JWS, error) {
	parts := strings.SplitN(compact, ".", 4)
	if len(parts) != 3 || len(parts[0]) > maxHeader {
		return JWS{}, fmt.Errorf("%w: not a compact JWS", ErrMalformed)
	}
	header, err := object(parts[0], headerDepth)
	if err != nil {
		return JWS{}, fmt.Errorf("header: %w", err)
	}
	if header["alg"] != "ES256" {
		return JWS{}, fmt.Errorf("%w: alg is not ES256", ErrMalformed)
	}
	if header["typ"] != typ {
		return JWS{}, fmt.Errorf("%w: typ is not %s", ErrMalformed, typ)
	}
	// Extensions that change the meaning, of which we know none, and keys that the sender would choose (RFC 8725 §3.10).
	for _, name := range []string{"crit", "b64", "jwk", "jku", "x5u"} {
		if _, there := header[name]; there {
			return JWS{}, fmt.Errorf("%w: header has %s", ErrMalformed, name)
		}
	}
	j := JWS{proved: new(atomic.Pointer[ecdsa.PublicKey]), signed: compact[:len(parts[0])+1+len(parts[1])]}
	if j.Certificates, err = certificates(header["x5c"]); err != nil {
		return JWS{}, err
	}
	if len(parts[2]) != signatureChars {
		return JWS{}, fmt.Errorf("%w: signature is not 64 bytes", ErrMalformed)
	}
	if j.signature, err = Decode(parts[2]); err != nil {
		return JWS{}, fmt.Errorf("signature: %w", err)
	}
	if j.Payload, err = object(parts[1], payloadDepth); err != nil {
		return JWS{}, fmt.Errorf("payload: %w", err)
	}
	return j, nil
}

// certificates reads x5c: standard base64, leaf first (RFC 7515 §4.1.6).
func certificates(x5c any) ([][]byte, error) {
	if x5c == nil {
		return nil, nil
	}
	list, ok := x5c.([]any)
	if !ok || len(list) == 0 || len(list) > maxChain {
		return nil, fmt.Errorf("%w: x5c is not an array of 1 to %d certificates", ErrMalformed, maxChain)
	}
	chain := make([][]byte, 0, len(list))
	for _, element := range list {
		text, _ := element.(string)
		der, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil || len(der) == 0 || strings.ContainsAny(text, "\r\n") {
			return nil, fmt.Errorf("%w: x5c is not base64", ErrMalformed)
		}
		chain = append(chain, der)
	}
	return chain, nil
}

// Verify checks the signature with a P-256 key. It remembers the key with which it succeeded: a status list is asked
// about for every credential, and nothing about it changes.
func (j JWS) Verify(key *ecdsa.PublicKey) error {
	if key == nil || key.Curve != elliptic.P256() {
		return fmt.Errorf("%w: the key is not on P-256", ErrSignature)
	}
	if j.proved != nil {
		if known := j.proved.Load(); known != nil && known.Equal(key) {
			return nil
		}
	}
	const half = 32
	r, s := new(big.Int).SetBytes(j.signature[:half]), new(big.Int).SetBytes(j.signature[half:])
	digest := sha256.Sum256([]byte(j.signed))
	if !ecdsa.Verify(key, digest[:], r, s) {
		return ErrSignature
	}
	if j.proved != nil {
		j.proved.Store(key)
	}
	return nil
}

func object(encoded string, depth int) (map[string]any, error) {
	raw, err := Decode(encoded)
	if err != nil {
		return nil, err
	}
	parsed, err := strictjson.Object(raw, depth)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return parsed, nil
}

// Decode reads base64url in its one canonical form.
func Decode(text string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, errors.New("not base64url in its canonical form"))
	}
	return raw, nil
}

// Encode writes base64url.
func Encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// NumericDate reads seconds since 1970 (RFC 7519 §2), fractions cut off.
func NumericDate(value any) (int64, error) {
	number, ok := value.(json.Number)
	if !ok {
		return 0, fmt.Errorf("%w: not a number", ErrMalformed)
	}
	if whole, err := number.Int64(); err == nil && whole >= 0 && whole < maxDate {
		return whole, nil
	}
	float, err := number.Float64()
	if err != nil || float < 0 || float >= maxDate {
		return 0, fmt.Errorf("%w: not a date", ErrMalformed)
	}
	return int64(float), nil
}

// maxDate is the end of the year 9999.
const maxDate = 253_402_300_800
