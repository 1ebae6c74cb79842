package mdoc

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/big"

	"github.com/fxamacker/cbor/v2"

	"regain/conformance/wallet/chain"
)

// COSE algorithm identifiers (RFC 9053 §2).
const (
	ES256 = -7
	ES384 = -35
	ES512 = -36
	EdDSA = -8
)

// sign1 is COSE_Sign1 (RFC 9052 §4.2).
type sign1 struct {
	_           struct{} `cbor:",toarray"`
	Protected   []byte
	Unprotected map[any]cbor.RawMessage
	Payload     []byte
	Signature   []byte
}

const (
	headerAlgorithm = 1
	headerX5Chain   = 33
)

// toBeSigned is Sig_structure of RFC 9052 §4.4.
func (s sign1) toBeSigned(payload []byte) ([]byte, error) {
	return encode([]any{"Signature1", s.Protected, []byte{}, payload})
}

func (s sign1) algorithm() (int64, error) {
	var header map[any]cbor.RawMessage
	if err := decode(s.Protected, &header); err != nil {
		return 0, err
	}
	var alg int64
	if err := decode(header[uint64(headerAlgorithm)], &alg); err != nil {
		return 0, fmt.Errorf("%w: its protected header has no alg", ErrMalformed)
	}
	return alg, nil
}

// certificates reads x5chain: one byte string, or an array of them (RFC 9360 §2).
func (s sign1) certificates() (chain.Chain, error) {
	raw, ok := s.Unprotected[uint64(headerX5Chain)]
	if !ok {
		return nil, fmt.Errorf("%w: it has no x5chain", ErrMalformed)
	}
	var one []byte
	if decode(raw, &one) == nil {
		return chain.Parse([][]byte{one})
	}
	var several [][]byte
	if err := decode(raw, &several); err != nil {
		return nil, err
	}
	return chain.Parse(several)
}

func (s sign1) verify(key any) error {
	alg, err := s.algorithm()
	if err != nil {
		return err
	}
	message, err := s.toBeSigned(s.Payload)
	if err != nil {
		return err
	}
	switch public := key.(type) {
	case *ecdsa.PublicKey:
		digest, curve := hashOf(alg)
		if digest == nil || public.Curve != curve {
			break
		}
		digest.Write(message)
		half := (curve.Params().BitSize + 7) / 8
		if len(s.Signature) != 2*half {
			break
		}
		r, t := new(big.Int).SetBytes(s.Signature[:half]), new(big.Int).SetBytes(s.Signature[half:])
		if ecdsa.Verify(public, digest.Sum(nil), r, t) {
			return nil
		}
	case ed25519.PublicKey:
		if alg == EdDSA && ed25519.Verify(public, message, s.Signature) {
			return nil
		}
	}
	return errors.New("its signature is not by the key of its certificate")
}

// hashOf returns what an ECDSA algorithm hashes with, and the curve that ISO/IEC 18013-5 Table B.3
// pairs it with; nil for any other.
func hashOf(alg int64) (hash.Hash, elliptic.Curve) {
	switch alg {
	case ES256:
		return sha256.New(), elliptic.P256()
	case ES384:
		return sha512.New384(), elliptic.P384()
	case ES512:
		return sha512.New(), elliptic.P521()
	}
	return nil, nil
}

// signDetached makes a COSE_Sign1 with ES256 over a payload that does not travel with it.
func signDetached(key *ecdsa.PrivateKey, payload []byte, random io.Reader) (sign1, error) {
	protected, err := encode(map[int]int{headerAlgorithm: ES256})
	if err != nil {
		return sign1{}, err
	}
	s := sign1{Protected: protected, Unprotected: map[any]cbor.RawMessage{}}
	message, err := s.toBeSigned(payload)
	if err != nil {
		return sign1{}, err
	}
	sum := sha256.Sum256(message)
	r, t, err := ecdsa.Sign(random, key, sum[:])
	if err != nil {
		return sign1{}, fmt.Errorf("signing: %w", err)
	}
	s.Signature = make([]byte, 64)
	r.FillBytes(s.Signature[:32])
	t.FillBytes(s.Signature[32:])
	return s, nil
}

// coseKey is a COSE_Key on an elliptic curve (RFC 9053 §7.1).
type coseKey struct {
	Type  int64  `cbor:"1,keyasint"`
	Curve int64  `cbor:"-1,keyasint"`
	X     []byte `cbor:"-2,keyasint"`
	Y     []byte `cbor:"-3,keyasint"`
}

// p256 returns the key if it is on P-256, the one curve that this wallet makes holder keys on.
func (k coseKey) p256() (*ecdsa.PublicKey, error) {
	if k.Type != 2 || k.Curve != 1 || len(k.X) != 32 || len(k.Y) != 32 {
		return nil, fmt.Errorf("%w: its device key is not on P-256", ErrMalformed)
	}
	point := append(append([]byte{4}, k.X...), k.Y...)
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return nil, fmt.Errorf("%w: its device key is not on P-256", ErrMalformed)
	}
	return public, nil
}
