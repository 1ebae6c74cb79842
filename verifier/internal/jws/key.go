package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
)

// Key reads a public JWK of a kind that Verify takes: EC on P-256 or secp256k1, OKP on Ed25519.
func Key(jwk map[string]any) (crypto.PublicKey, error) {
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		if _, private := jwk[name]; private { // whoever shows it has given it away
			return nil, fmt.Errorf("%w: the JWK is of a private key", ErrMalformed)
		}
	}
	kind, _ := jwk["kty"].(string)
	curve, _ := jwk["crv"].(string)
	switch kind + " " + curve {
	case "EC P-256":
		point, err := point(jwk)
		if err != nil {
			return nil, err
		}
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
		if err != nil {
			return nil, fmt.Errorf("%w: the JWK is not on its curve", ErrMalformed)
		}
		return key, nil
	case "EC secp256k1": // RFC 8812 §3.1
		point, err := point(jwk)
		if err != nil {
			return nil, err
		}
		key, err := secp256k1.ParsePubKey(point)
		if err != nil {
			return nil, fmt.Errorf("%w: the JWK is not on its curve", ErrMalformed)
		}
		return key, nil
	case "OKP Ed25519": // RFC 8037 §2
		x, err := coordinate(jwk, "x")
		if err != nil {
			return nil, err
		}
		return ed25519.PublicKey(x), nil
	}
	return nil, fmt.Errorf("%w: the JWK is of another kind of key", ErrMalformed)
}

// point writes x and y as SEC 1 §2.3.3 does, not compressed.
func point(jwk map[string]any) ([]byte, error) {
	x, err := coordinate(jwk, "x")
	if err != nil {
		return nil, err
	}
	y, err := coordinate(jwk, "y")
	if err != nil {
		return nil, err
	}
	return append(append([]byte{4}, x...), y...), nil
}

func coordinate(jwk map[string]any, name string) ([]byte, error) {
	text, _ := jwk[name].(string)
	raw, err := Decode(text)
	if err != nil || len(raw) != half {
		return nil, fmt.Errorf("%w: %s of the JWK is not %d bytes", ErrMalformed, name, half)
	}
	return raw, nil
}

// SameKey reports whether two keys that Verify takes are one.
func SameKey(a, b crypto.PublicKey) bool {
	switch a := a.(type) {
	case *ecdsa.PublicKey:
		b, ok := b.(*ecdsa.PublicKey)
		return ok && a != nil && b != nil && a.Equal(b)
	case *secp256k1.PublicKey:
		b, ok := b.(*secp256k1.PublicKey)
		return ok && a != nil && b != nil && a.IsEqual(b)
	case ed25519.PublicKey:
		b, ok := b.(ed25519.PublicKey)
		return ok && len(a) == ed25519.PublicKeySize && a.Equal(b)
	}
	return false
}
