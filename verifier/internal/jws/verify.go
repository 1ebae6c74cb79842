package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"fmt"
	"math/big"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	secp256k1ecdsa "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// Algorithm is the JOSE name of a signature algorithm. Each has exactly one key type, so that a message cannot choose
// how a key is used.
type Algorithm string

// The supported algorithms and their key types.
const (
	ES256   Algorithm = "ES256"   // *ecdsa.PublicKey on P-256 (RFC 7518 §3.4)
	ES256K  Algorithm = "ES256K"  // *secp256k1.PublicKey (RFC 8812 §3.2)
	EdDSA   Algorithm = "EdDSA"   // ed25519.PublicKey, no other curve (RFC 8037 §3.1)
	Ed25519 Algorithm = "Ed25519" // the fully specified name of the same (RFC 9864 §2.2)
)

const half = 32 // bytes of r and of s

// Verify verifies the signature with a key of the algorithm's key type. It remembers the key with which it succeeded:
// one cached status list is verified again for every credential.
//
// ECDSA signatures are malleable: if (r, s) verifies, so does (r, n-s). Both are accepted. Neither RFC 7518 nor RFC
// 8812 requires the lower s, key stores of phones return either, and refusing one would refuse about half of the
// answers of an honest wallet. That is harmless as long as nothing is identified by the bytes of its signature, and
// nothing is: nonces are used once, and credentials are identified by the signed content.
func (j JWS) Verify(key crypto.PublicKey) error {
	if j.proved != nil {
		if known := j.proved.Load(); known != nil && SameKey(*known, key) {
			return nil
		}
	}
	ok, err := j.check(key)
	if err != nil {
		return err
	}
	if !ok {
		return ErrSignature
	}
	if j.proved != nil {
		j.proved.Store(&key)
	}
	return nil
}

func (j JWS) check(key crypto.PublicKey) (bool, error) {
	wrong := fmt.Errorf("%w: the key type does not match alg", ErrSignature)
	digest := sha256.Sum256([]byte(j.signed))
	switch j.algorithm {
	case ES256:
		k, ok := key.(*ecdsa.PublicKey)
		if !ok || k == nil || k.Curve != elliptic.P256() {
			return false, wrong
		}
		r, s := new(big.Int).SetBytes(j.signature[:half]), new(big.Int).SetBytes(j.signature[half:])
		return ecdsa.Verify(k, digest[:], r, s), nil
	case ES256K:
		k, ok := key.(*secp256k1.PublicKey)
		if !ok || k == nil {
			return false, wrong
		}
		var r, s secp256k1.ModNScalar
		// SetByteSlice reports a scalar that is not below the group order and was reduced. Such scalars, and zero, are
		// invalid.
		if r.SetByteSlice(j.signature[:half]) || s.SetByteSlice(j.signature[half:]) || r.IsZero() || s.IsZero() {
			return false, nil
		}
		return secp256k1ecdsa.NewSignature(&r, &s).Verify(digest[:], k), nil
	case EdDSA, Ed25519:
		k, ok := key.(ed25519.PublicKey)
		if !ok || len(k) != ed25519.PublicKeySize {
			return false, wrong
		}
		return ed25519.Verify(k, []byte(j.signed), j.signature), nil
	}
	return false, wrong
}
