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

// Algorithm is a signature algorithm by its JOSE name. Each goes with one kind of key, so that a message cannot choose
// how a key is used.
type Algorithm string

// The algorithms that can be verified, and the keys that they go with.
const (
	ES256   Algorithm = "ES256"   // *ecdsa.PublicKey on P-256 (RFC 7518 §3.4)
	ES256K  Algorithm = "ES256K"  // *secp256k1.PublicKey (RFC 8812 §3.2)
	EdDSA   Algorithm = "EdDSA"   // ed25519.PublicKey, and no other curve (RFC 8037 §3.1)
	Ed25519 Algorithm = "Ed25519" // the same under its newer name (RFC 9864 §2.2)
)

const half = 32 // bytes of r and of s

// Verify checks the signature with a key of the kind that the algorithm goes with. It remembers the key with which it
// succeeded: a status list is asked about for every credential, and nothing about it changes.
//
// ECDSA signatures are malleable: where (r, s) verifies, so does (r, n-s). Both are taken. Neither RFC 7518 nor RFC
// 8812 asks for the lower s, the key stores of phones return either, and refusing one would refuse every other
// answer of an honest wallet. It is harmless as long as nothing is known by the bytes of its signature, and nothing
// is: a nonce is used up once, and credentials are named by what was signed.
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
	wrong := fmt.Errorf("%w: the key is not of the kind that alg goes with", ErrSignature)
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
		// Zero, and numbers that are only right when they are reduced, are other spellings of no signature.
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
