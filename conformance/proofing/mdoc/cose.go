package mdoc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"

	"github.com/fxamacker/cbor/v2"
)

// The labels and values of COSE (RFC 9052, RFC 9053, RFC 9360) that licences use.
const (
	headerAlgorithm = 1
	headerChain     = 33
	algorithmES256  = -7

	keyType   = 1
	keyCurve  = -1
	keyX      = -2
	keyY      = -3
	typeEC2   = 2
	curveP256 = 1
)

// half is the length of a coordinate on P-256, and of each number in a signature.
const half = 32

// sign1 is COSE_Sign1: protected header, unprotected header, payload (nil when detached), signature.
type sign1 struct {
	_           struct{} `cbor:",toarray"`
	Protected   []byte
	Unprotected map[int64]cbor.RawMessage
	Payload     []byte
	Signature   []byte
}

// toBeSigned is the Sig_structure (RFC 9052 §4.4).
func (c codec) toBeSigned(protected, payload []byte) ([]byte, error) {
	return c.enc.Marshal([]any{"Signature1", protected, []byte{}, payload})
}

// sign makes a COSE_Sign1 with ES256, its signer's certificate in the unprotected header.
func (c codec) sign(key *ecdsa.PrivateKey, certificate, payload []byte) (sign1, error) {
	protected, err := c.enc.Marshal(map[int64]int64{headerAlgorithm: algorithmES256})
	if err != nil {
		return sign1{}, err
	}
	chain, err := c.enc.Marshal(certificate)
	if err != nil {
		return sign1{}, err
	}
	signed, err := c.toBeSigned(protected, payload)
	if err != nil {
		return sign1{}, err
	}
	sum := sha256.Sum256(signed)
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		return sign1{}, err
	}
	signature := make([]byte, 2*half)
	r.FillBytes(signature[:half])
	s.FillBytes(signature[half:])
	return sign1{
		Protected: protected, Unprotected: map[int64]cbor.RawMessage{headerChain: chain}, Payload: payload, Signature: signature,
	}, nil
}

// verify checks a COSE_Sign1 over a payload, which the caller takes from it or, when it is detached, knows.
func (c codec) verify(s sign1, key *ecdsa.PublicKey, payload []byte) error {
	var protected map[int64]cbor.RawMessage
	if err := c.dec.Unmarshal(s.Protected, &protected); err != nil {
		return fmt.Errorf("protected header: %w", err)
	}
	var algorithm int64
	if err := c.dec.Unmarshal(protected[headerAlgorithm], &algorithm); err != nil || algorithm != algorithmES256 {
		return errors.New("the algorithm is not ES256")
	}
	if len(s.Signature) != 2*half {
		return errors.New("the signature has another length")
	}
	signed, err := c.toBeSigned(s.Protected, payload)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(signed)
	r, v := new(big.Int).SetBytes(s.Signature[:half]), new(big.Int).SetBytes(s.Signature[half:])
	if !ecdsa.Verify(key, sum[:], r, v) {
		return errors.New("the signature is by another key, or of something else")
	}
	return nil
}

// coseKey is a COSE_Key of type EC2 (RFC 9053 §7.1).
func coseKey(key *ecdsa.PublicKey) (map[int64]any, error) {
	point, err := key.Bytes()
	if err != nil {
		return nil, err
	}
	if len(point) != 1+2*half {
		return nil, errors.New("the device key is not on P-256")
	}
	return map[int64]any{keyType: typeEC2, keyCurve: curveP256, keyX: point[1 : 1+half], keyY: point[1+half:]}, nil
}

// readKey reads a COSE_Key on P-256.
func (c codec) readKey(raw cbor.RawMessage) (*ecdsa.PublicKey, error) {
	var key struct {
		Type  int64  `cbor:"1,keyasint"`
		Curve int64  `cbor:"-1,keyasint"`
		X     []byte `cbor:"-2,keyasint"`
		Y     []byte `cbor:"-3,keyasint"`
	}
	if err := c.dec.Unmarshal(raw, &key); err != nil {
		return nil, err
	}
	if key.Type != typeEC2 || key.Curve != curveP256 || len(key.X) != half || len(key.Y) != half {
		return nil, errors.New("not a key on P-256")
	}
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, key.X...), key.Y...))
}
