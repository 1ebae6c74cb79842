package publickey

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/go-jose/go-jose/v4"
)

// Kind is a type of key: the `kty` of a JWK, with its `crv` if it has one.
type Kind string

// The supported kinds and their Go types.
const (
	RSA       Kind = "RSA"          // *rsa.PublicKey (RFC 7518 §6.3.1)
	P256      Kind = "EC P-256"     // *ecdsa.PublicKey (RFC 7518 §6.2.1)
	P384      Kind = "EC P-384"     // *ecdsa.PublicKey
	P521      Kind = "EC P-521"     // *ecdsa.PublicKey
	Secp256k1 Kind = "EC secp256k1" // *secp256k1.PublicKey (RFC 8812 §3.1)
	Ed25519   Kind = "OKP Ed25519"  // ed25519.PublicKey (RFC 8037 §2)
)

// Key parses a public JWK of one of the kinds. jwk is a result of package strictjson, which refuses duplicate names.
// The error is an ErrKind, ErrPrivate, ErrBounds or ErrMalformed.
func Key(jwk map[string]any, kinds ...Kind) (crypto.PublicKey, error) {
	for _, name := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"} {
		if _, private := jwk[name]; private {
			return nil, fmt.Errorf("%w: it has the member %s", ErrPrivate, name)
		}
	}
	kty, _ := jwk["kty"].(string)
	kind := Kind(kty)
	if kind != RSA {
		curve, _ := jwk["crv"].(string)
		kind += Kind(" " + curve)
	}
	if !slices.Contains(kinds, kind) {
		return nil, ErrKind
	}
	key, err := kind.read(jwk)
	if err != nil {
		return nil, err // an untyped nil key: key may be a typed nil
	}
	return key, nil
}

func (k Kind) read(jwk map[string]any) (crypto.PublicKey, error) {
	switch k {
	case RSA:
		return rsaKey(jwk)
	case Ed25519:
		return ed25519Key(jwk)
	case P256, P384, P521, Secp256k1:
		x, errX := coordinate(jwk, "x", k.size())
		y, errY := coordinate(jwk, "y", k.size())
		if errX != nil || errY != nil {
			return nil, fmt.Errorf("%w: x or y is not %d bytes of base64url", ErrMalformed, k.size())
		}
		return k.point(x, y)
	}
	return nil, ErrKind
}

func ed25519Key(jwk map[string]any) (crypto.PublicKey, error) {
	x, err := coordinate(jwk, "x", ed25519.PublicKeySize)
	if err != nil {
		return nil, err
	}
	// Under a point of low order anyone can forge signatures. go-jose detects those points when it computes a
	// thumbprint.
	key := jose.JSONWebKey{Key: ed25519.PublicKey(x)}
	if _, err := key.Thumbprint(crypto.SHA256); err != nil {
		return nil, fmt.Errorf("%w: x is a point of low order", ErrMalformed)
	}
	return key.Key, nil
}

// P256Key returns the P-256 key with the given coordinates, 32 bytes each.
func P256Key(x, y []byte) (*ecdsa.PublicKey, error) {
	if len(x) != P256.size() || len(y) != P256.size() {
		return nil, fmt.Errorf("%w: x or y is not %d bytes", ErrMalformed, P256.size())
	}
	return onCurve(elliptic.P256(), x, y)
}

// size returns the length of a coordinate in bytes.
func (k Kind) size() int {
	switch k {
	case P384:
		return 48
	case P521:
		return 66
	}
	return 32
}

func (k Kind) point(x, y []byte) (crypto.PublicKey, error) {
	switch k {
	case P256:
		return onCurve(elliptic.P256(), x, y)
	case P384:
		return onCurve(elliptic.P384(), x, y)
	case P521:
		return onCurve(elliptic.P521(), x, y)
	}
	key, err := secp256k1.ParsePubKey(uncompressed(x, y))
	if err != nil {
		return nil, fmt.Errorf("%w: it is not on its curve", ErrMalformed)
	}
	return key, nil
}

func onCurve(curve elliptic.Curve, x, y []byte) (*ecdsa.PublicKey, error) {
	key, err := ecdsa.ParseUncompressedPublicKey(curve, uncompressed(x, y))
	if err != nil {
		return nil, fmt.Errorf("%w: it is not on its curve", ErrMalformed)
	}
	return key, nil
}

// uncompressed encodes a point in uncompressed form (SEC 1 §2.3.3).
func uncompressed(x, y []byte) []byte { return slices.Concat([]byte{4}, x, y) }

// rsaKey parses n and e. The length of their encoding is checked before they are converted to numbers.
func rsaKey(jwk map[string]any) (*rsa.PublicKey, error) {
	n, err := number(jwk, "n", maxRSABits)
	if err != nil {
		return nil, err
	}
	const exponentBits = 32
	e, err := number(jwk, "e", exponentBits)
	if err != nil {
		return nil, err
	}
	key := &rsa.PublicKey{N: n, E: int(e.Int64())}
	if err := Check(key); err != nil {
		return nil, err
	}
	if !Strong(key) {
		return nil, fmt.Errorf("%w: an RSA modulus of %d bits; %d are the least", ErrBounds, n.BitLen(), MinRSABits)
	}
	return key, nil
}

// number parses a Base64urlUInt (RFC 7518 §2) of at most bits bits. One extra byte is allowed, since some libraries
// prepend a zero as in ASN.1.
func number(jwk map[string]any, name string, bits int) (*big.Int, error) {
	text, _ := jwk[name].(string)
	if most := base64.RawURLEncoding.EncodedLen(bits/8 + 1); len(text) > most {
		return nil, fmt.Errorf("%w: %s has %d characters; %d are the most", ErrBounds, name, len(text), most)
	}
	raw, err := decode(text)
	if err != nil || len(raw) == 0 {
		return nil, fmt.Errorf("%w: %s is not a number in base64url", ErrMalformed, name)
	}
	return new(big.Int).SetBytes(raw), nil
}

func coordinate(jwk map[string]any, name string, size int) ([]byte, error) {
	text, _ := jwk[name].(string)
	if len(text) != base64.RawURLEncoding.EncodedLen(size) {
		return nil, fmt.Errorf("%w: %s is not %d bytes of base64url", ErrMalformed, name, size)
	}
	raw, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %s is not base64url", ErrMalformed, name)
	}
	return raw, nil
}

// decode decodes base64url and accepts only the canonical encoding.
func decode(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, base64.CorruptInputError(0)
	}
	return base64.RawURLEncoding.Strict().DecodeString(text)
}
