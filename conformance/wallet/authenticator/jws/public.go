package jws

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/base64"
	"errors"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/go-jose/go-jose/v4/json"
)

// ErrKey reports a JWK that is no public key of the profile.
var ErrKey = errors.New("it is not a public JWK of secp256k1, P-256, P-384 or Ed25519")

// Public is a public key: a point that is on its curve. The zero value is no key.
type Public struct{ key any }

// IsZero reports whether it is no key.
func (p Public) IsZero() bool { return p.key == nil }

// Equal reports whether both are the same key.
func (p Public) Equal(other Public) bool {
	switch key := p.key.(type) {
	case *secp256k1.PublicKey:
		o, ok := other.key.(*secp256k1.PublicKey)
		return ok && key.IsEqual(o)
	case *ecdsa.PublicKey:
		return key.Equal(other.key)
	case ed25519.PublicKey:
		o, ok := other.key.(ed25519.PublicKey)
		return ok && key.Equal(o)
	}
	return false
}

// Algorithm is the one algorithm that goes with the key, empty for the zero value.
func (p Public) Algorithm() Algorithm {
	switch key := p.key.(type) {
	case *secp256k1.PublicKey:
		return ES256K
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P384() {
			return ES384
		}
		return ES256
	case ed25519.PublicKey:
		return EdDSA
	}
	return ""
}

// JWK returns the members that make the key (RFC 7518 §6.2, RFC 8037 §2, RFC 8812 §3.1), nil for
// the zero value.
func (p Public) JWK() map[string]any {
	switch key := p.key.(type) {
	case *secp256k1.PublicKey:
		return point("secp256k1", key.SerializeUncompressed()) // 0x04, x, y
	case *ecdsa.PublicKey:
		raw, err := key.Bytes() // likewise
		if err != nil {
			return nil
		}
		return point(key.Params().Name, raw)
	case ed25519.PublicKey:
		return map[string]any{"kty": "OKP", "crv": "Ed25519", "x": encode(key)}
	}
	return nil
}

func point(curve string, raw []byte) map[string]any {
	half := 1 + len(raw)/2
	return map[string]any{"kty": "EC", "crv": curve, "x": encode(raw[1:half]), "y": encode(raw[half:])}
}

// ParseJWK reads a public key. Members that say more than the key are ignored; a private key where
// a public one belongs is refused, for it is not one any more.
func ParseJWK(raw []byte) (Public, error) {
	var jwk struct {
		Type    string          `json:"kty"`
		Curve   string          `json:"crv"`
		X       string          `json:"x"`
		Y       string          `json:"y"`
		Private json.RawMessage `json:"d"`
	}
	if err := json.Unmarshal(raw, &jwk); err != nil || jwk.Private != nil {
		return Public{}, ErrKey
	}
	if jwk.Type == "OKP" && jwk.Curve == "Ed25519" && jwk.Y == "" {
		x, err := coordinate(jwk.X, ed25519.PublicKeySize)
		if err != nil {
			return Public{}, err
		}
		return Public{ed25519.PublicKey(x)}, nil
	}
	size := map[string]int{"secp256k1": 32, "P-256": 32, "P-384": 48}[jwk.Curve]
	x, errX := coordinate(jwk.X, size)
	y, errY := coordinate(jwk.Y, size)
	if jwk.Type != "EC" || size == 0 || errX != nil || errY != nil {
		return Public{}, ErrKey
	}
	return fromPoint(jwk.Curve, append(append([]byte{4}, x...), y...))
}

func fromPoint(curve string, raw []byte) (Public, error) {
	if curve == "secp256k1" {
		key, err := secp256k1.ParsePubKey(raw)
		if err != nil {
			return Public{}, ErrKey
		}
		return Public{key}, nil
	}
	on := elliptic.P256()
	if curve == "P-384" {
		on = elliptic.P384()
	}
	key, err := ecdsa.ParseUncompressedPublicKey(on, raw)
	if err != nil {
		return Public{}, ErrKey
	}
	return Public{key}, nil
}

// coordinate decodes a number of full length: a shorter one is another spelling of the same key.
func coordinate(text string, size int) ([]byte, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != size || len(text) != base64.RawURLEncoding.EncodedLen(size) {
		return nil, ErrKey
	}
	return raw, nil
}
