package mdoc

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// coseKey is an EC2 key (RFC 9053 §7.1.1).
type coseKey struct {
	Type      number          `cbor:"1,keyasint"`
	Algorithm cbor.RawMessage `cbor:"3,keyasint"`
	Curve     number          `cbor:"-1,keyasint"`
	X         octets          `cbor:"-2,keyasint"`
	Y         octets          `cbor:"-3,keyasint"`
	Private   cbor.RawMessage `cbor:"-4,keyasint"`
}

// deviceKey reads the device's public key.
func (r reader) deviceKey(raw []byte) (*ecdsa.PublicKey, error) {
	const ec2, p256, size = 2, 1, 32
	var k coseKey
	if err := r.open("deviceKey", majorMap, raw, &k); err != nil {
		return nil, err
	}
	if k.Type != ec2 || k.Curve != p256 || len(k.X) != size || len(k.Y) != size || k.Private != nil {
		return nil, fmt.Errorf("%w: deviceKey is not a public key on P-256", ErrMalformed)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), bytes.Join([][]byte{{4}, k.X, k.Y}, nil))
	if err != nil {
		return nil, fmt.Errorf("%w: deviceKey is not on its curve", ErrMalformed)
	}
	return key, nil
}
