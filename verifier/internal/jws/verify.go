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
	if err := j.check(key); err != nil {
		return err
	}
	if j.proved != nil {
		j.proved.Store(&key)
	}
	return nil
}

func (j JWS) check(key crypto.PublicKey) error {
	wrong := fmt.Errorf("%w: the key type does not match alg", ErrSignature)
	digest := sha256.Sum256([]byte(j.signed))
	var ok bool
	switch j.algorithm {
	case ES256:
		k, _ := key.(*ecdsa.PublicKey)
		if k == nil || k.Curve != elliptic.P256() {
			return wrong
		}
		r, s := new(big.Int).SetBytes(j.signature[:half]), new(big.Int).SetBytes(j.signature[half:])
		ok = ecdsa.Verify(k, digest[:], r, s)
	case ES256K:
		k, _ := key.(*secp256k1.PublicKey)
		if k == nil {
			return wrong
		}
		var r, s secp256k1.ModNScalar
		// SetByteSlice reports a scalar that is not below the group order and was reduced: it is invalid. So is zero,
		// which Verify refuses.
		reduced := r.SetByteSlice(j.signature[:half]) || s.SetByteSlice(j.signature[half:])
		ok = !reduced && secp256k1ecdsa.NewSignature(&r, &s).Verify(digest[:], k)
	case EdDSA, Ed25519:
		k, _ := key.(ed25519.PublicKey)
		if len(k) != ed25519.PublicKeySize {
			return wrong
		}
		ok = ed25519.Verify(k, []byte(j.signed), j.signature)
	default:
		return wrong
	}
	if !ok {
		return ErrSignature
	}
	return nil
}
