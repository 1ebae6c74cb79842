package mdoc

import (
	"crypto/ecdsa"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"regain/internal/publickey"
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

func (r reader) deviceKey(raw []byte) (*ecdsa.PublicKey, error) {
	const ec2, p256 = 2, 1
	var k coseKey
	if err := r.open("deviceKey", majorMap, raw, &k); err != nil {
		return nil, err
	}
	if k.Type != ec2 || k.Curve != p256 || k.Private != nil {
		return nil, fmt.Errorf("%w: deviceKey is not a public key on P-256", ErrMalformed)
	}
	key, err := publickey.P256Key(k.X, k.Y)
	if err != nil {
		return nil, fmt.Errorf("%w: deviceKey: %w", ErrMalformed, err)
	}
	return key, nil
}
