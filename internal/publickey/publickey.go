// Package publickey parses certificates and public keys from strangers, within bounds.
//
// A party that presents a credential, registers a client or proves possession of a key chooses a key with which this
// server then computes, and often that key is not signed: the x5chain of an mdoc is in an unprotected header (RFC 9360
// §2). To verify one RSA signature under a modulus of 720,000 bits takes two minutes of CPU time: a denial of service.
// Therefore every key and certificate of a stranger passes through this package, which checks its size before any
// computation:
//
//	certificate  at most 16 KiB of DER, 4 in a chain
//	RSA          a modulus of at most 8192 bits; an odd public exponent from 3 to 2³¹-1. In a JWK 2048 bits at least
//	EC, OKP      on the curves that the caller names, and on the curve
//	JWK Set      at most 64 keys and 512 KiB. Keys that are not understood are skipped (RFC 7517 §5)
//	JWS          at most 64 KiB: its header may bring keys and certificates, which are parsed before it is verified
//
// A test in the repository's root (house_keys_test.go) ensures that no other package parses them. Keys from the
// operator's own files pass through here too, so that a mistake is reported at the start.
package publickey

import (
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"math"
)

// Errors of this package. Their messages name members and numbers, never values.
var (
	ErrBounds    = errors.New("outside the accepted bounds") // of size; nothing was computed
	ErrMalformed = errors.New("malformed")                   // cannot be parsed
	ErrKind      = errors.New("a kind of key that is not used here")
	ErrPrivate   = errors.New("a private key")                  // its owner has disclosed it
	ErrSet       = errors.New("not a JWK set that can be used") // wraps one of the above
)

// MinRSABits is the shortest RSA modulus of a JOSE key (RFC 7518 §3.3 and §3.5, FAPI 2.0 Security Profile §5.4.1).
const MinRSABits = 2048

const (
	maxRSABits  = 8192          // the limit of crypto/tls
	minExponent = 3             // with exponent 1 every message is its own signature
	maxExponent = math.MaxInt32 // the cost of a verification grows with its length
)

// Check returns an ErrBounds for a key that is too expensive to compute with, or that no honest party uses. EC and
// Ed25519 keys have a fixed size and pass.
func Check(key crypto.PublicKey) error {
	public, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil
	}
	if bits := public.N.BitLen(); bits > maxRSABits {
		return fmt.Errorf("%w: an RSA modulus of %d bits; %d are the most", ErrBounds, bits, maxRSABits)
	}
	if public.E < minExponent || public.E > maxExponent || public.E%2 == 0 {
		return fmt.Errorf("%w: an RSA exponent that is not odd, or not from %d to %d", ErrBounds, minExponent, maxExponent)
	}
	return nil
}

// Strong reports whether a key is long enough to verify JOSE signatures with.
func Strong(key crypto.PublicKey) bool {
	public, ok := key.(*rsa.PublicKey)
	return !ok || public.N.BitLen() >= MinRSABits
}

// Equal reports whether two keys are equal.
func Equal(a, b crypto.PublicKey) bool {
	known, ok := a.(interface{ Equal(x crypto.PublicKey) bool })
	return ok && known.Equal(b)
}
