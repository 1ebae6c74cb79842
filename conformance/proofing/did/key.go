package did

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	secp "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
)

var (
	errKey       = errors.New("it holds no public key on secp256k1, P-256 or Ed25519")
	errSignature = errors.New("the signature is not by this key")
)

const coordinate = 32 // bytes, on all three curves

// readKey reads a public JWK (RFC 7518 §6.2, RFC 8037 §2, RFC 8812 §3.1), and what it is for. One that shows its private
// part is nobody's any more.
func readKey(raw []byte) (key any, use string, err error) {
	var jwk struct {
		Type    string          `json:"kty"`
		Curve   string          `json:"crv"`
		X       string          `json:"x"`
		Y       string          `json:"y"`
		Use     string          `json:"use"`
		Private json.RawMessage `json:"d"`
	}
	if err := json.Unmarshal(raw, &jwk); err != nil || jwk.Private != nil {
		return nil, "", errKey
	}
	x, errX := decode(jwk.X)
	y, errY := decode(jwk.Y)
	if errX != nil || errY != nil || len(x) != coordinate {
		return nil, "", errKey
	}
	point := append(append([]byte{4}, x...), y...) // uncompressed; its readers check that it is on the curve, and its length
	switch jwk.Type + " " + jwk.Curve {
	case "OKP Ed25519":
		return ed25519.PublicKey(x), jwk.Use, nil
	case "EC P-256":
		key, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	case "EC secp256k1":
		key, err = parseSecp256k1(point)
	default:
		err = errKey
	}
	if err != nil {
		return nil, "", errKey
	}
	return key, jwk.Use, nil
}

// secp256k1Key verifies ES256K, which go-jose leaves to others.
type secp256k1Key struct{ point *secp256k1.PublicKey }

func parseSecp256k1(point []byte) (secp256k1Key, error) {
	parsed, err := secp256k1.ParsePubKey(point)
	return secp256k1Key{parsed}, err
}

// VerifyPayload implements jose.OpaqueVerifier: a signature is r and s in 32 bytes each (RFC 8812 §3.2).
func (k secp256k1Key) VerifyPayload(payload, signature []byte, alg jose.SignatureAlgorithm) error {
	var r, s secp256k1.ModNScalar
	if alg != ES256K || len(signature) != 2*coordinate {
		return errSignature
	}
	if r.SetByteSlice(signature[:coordinate]) || s.SetByteSlice(signature[coordinate:]) {
		return errSignature // larger than the order of the group
	}
	sum := sha256.Sum256(payload)
	if !secp.NewSignature(&r, &s).Verify(sum[:], k.point) {
		return errSignature
	}
	return nil
}
