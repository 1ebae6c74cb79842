// Package publickey reads the certificates and the public keys of strangers, within bounds.
//
// Whoever presents a credential, registers a client or proves possession of a key writes a key that this server then
// calculates with, and often nobody has signed it: the x5chain of an mdoc stands in an unprotected header (RFC 9360 §2).
// One RSA signature under a modulus of 720,000 bits takes two minutes of a processor. So every key and certificate of
// a stranger passes through this package, which looks at its size before anything is calculated:
//
//	certificate  at most 16 KiB of DER, 4 in a chain
//	RSA          a modulus of at most 8192 bits; an odd public exponent from 3 to 2³¹-1. In a JWK 2048 bits at least
//	EC, OKP      on the curves that the caller names, and on the curve
//	JWK Set      at most 64 keys and 512 KiB. Keys that are not understood are passed over (RFC 7517 §5)
//	JWS          at most 64 KiB: its header may bring keys and certificates, which are parsed before it is verified
//
// A root test of the repository holds that nothing else parses them. Keys from files of the operator's own pass through here too:
// a mistake there is told at the start.
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
	ErrBounds    = errors.New("beyond the bounds of what is calculated with") // of size; nothing was calculated
	ErrMalformed = errors.New("malformed")                                    // cannot be read as what it should be
	ErrKind      = errors.New("a kind of key that is not used here")
	ErrPrivate   = errors.New("a private key")                  // whoever shows it has given it away
	ErrSet       = errors.New("not a JWK set that can be used") // and one of the above
)

// MinRSABits is the shortest RSA modulus of a JOSE key (RFC 7518 §3.3 and §3.5, FAPI 2.0 Security Profile §5.4.1).
const MinRSABits = 2048

const (
	maxRSABits  = 8192          // as crypto/tls has it
	minExponent = 3             // 1 makes every message its own signature
	maxExponent = math.MaxInt32 // the work of a verification grows with its length
)

// Check reports, as an ErrBounds, a key that would cost too much to calculate with, or that no honest party has. Keys of
// fixed size, which EC and Ed25519 are, pass.
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

// Strong reports whether a key is long enough to verify signatures of JOSE with.
func Strong(key crypto.PublicKey) bool {
	public, ok := key.(*rsa.PublicKey)
	return !ok || public.N.BitLen() >= MinRSABits
}

// Equal reports whether two keys are one.
func Equal(a, b crypto.PublicKey) bool {
	known, ok := a.(interface{ Equal(x crypto.PublicKey) bool })
	return ok && known.Equal(b)
}
