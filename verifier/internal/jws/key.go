package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"regain/internal/publickey"
)

// Key parses a public JWK of a type that Verify supports: EC on P-256 or secp256k1, OKP on Ed25519.
func Key(jwk map[string]any) (crypto.PublicKey, error) {
	key, err := publickey.Key(jwk, publickey.P256, publickey.Secp256k1, publickey.Ed25519)
	if err != nil {
		return nil, fmt.Errorf("%w: JWK: %w", ErrMalformed, err)
	}
	return key, nil
}

// SameKey reports whether two keys, of types that Verify supports, are equal.
func SameKey(a, b crypto.PublicKey) bool {
	switch a := a.(type) {
	case *ecdsa.PublicKey:
		b, _ := b.(*ecdsa.PublicKey)
		return a != nil && b != nil && a.Equal(b)
	case *secp256k1.PublicKey:
		b, _ := b.(*secp256k1.PublicKey)
		return a != nil && b != nil && a.IsEqual(b)
	case ed25519.PublicKey:
		b, _ := b.(ed25519.PublicKey)
		return len(a) == ed25519.PublicKeySize && a.Equal(b)
	}
	return false
}
