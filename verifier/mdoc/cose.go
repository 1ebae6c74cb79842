package mdoc

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"fmt"
	"math/big"

	"github.com/fxamacker/cbor/v2"

	"regain/internal/publickey"
)

// sign1 is an untagged COSE_Sign1 (RFC 9052 §4.2; ISO 18013-5 §9.1.2.4 and §9.1.3.6).
type sign1 struct {
	_           struct{} `cbor:",toarray"`
	Protected   octets
	Unprotected header
	Payload     cbor.RawMessage
	Signature   octets
}

// header has the header parameters that this package uses (RFC 9052 §3.1, RFC 9360 §2).
type header struct {
	Algorithm cbor.RawMessage `cbor:"1,keyasint"`
	Critical  cbor.RawMessage `cbor:"2,keyasint"`
	Chain     cbor.RawMessage `cbor:"33,keyasint"`
}

const signatureSize = 64 // r and s (RFC 9053 §2.1)

// sign1 decodes a COSE_Sign1. alg must be ES256 (-7) or its fully specified form ESP256 (-9): HAIP 1.0 §7.
func (r reader) sign1(what string, raw []byte) (sign1, error) {
	var s sign1
	if err := r.open(what, majorArray, raw, &s); err != nil {
		return sign1{}, err
	}
	var protected header
	if err := r.open(what+": protected header", majorMap, s.Protected, &protected); err != nil {
		return sign1{}, err
	}
	const es256, esp256 = 0x26, 0x28 // the integers -7 and -9
	if !bytes.Equal(protected.Algorithm, []byte{es256}) && !bytes.Equal(protected.Algorithm, []byte{esp256}) {
		return sign1{}, fmt.Errorf("%w: %s: alg is not ES256", ErrMalformed, what)
	}
	// crit announces extensions, of which we support none. alg in the unprotected header is not signed, and another
	// verifier might prefer it.
	if protected.Critical != nil || s.Unprotected.Critical != nil || s.Unprotected.Algorithm != nil {
		return sign1{}, fmt.Errorf("%w: %s: crit, or alg in the unprotected header", ErrMalformed, what)
	}
	if len(s.Signature) != signatureSize {
		return sign1{}, fmt.Errorf("%w: %s: signature is not %d bytes", ErrMalformed, what, signatureSize)
	}
	return s, nil
}

// certificates decodes x5chain: one certificate, or an array of them, leaf first (RFC 9360 §2).
func (r reader) certificates(raw []byte) ([][]byte, error) {
	if raw == nil {
		return nil, nil
	}
	var list []octets
	if raw[0]>>5 == majorBytes {
		list = make([]octets, 1)
		if err := r.open("x5chain", majorBytes, raw, &list[0]); err != nil {
			return nil, err
		}
	} else if err := r.open("x5chain", majorArray, raw, &list); err != nil {
		return nil, err
	}
	if len(list) == 0 || len(list) > publickey.MaxChain {
		return nil, fmt.Errorf("%w: x5chain has not 1 to %d certificates", ErrMalformed, publickey.MaxChain)
	}
	chain := make([][]byte, 0, len(list))
	for _, der := range list {
		if len(der) == 0 {
			return nil, fmt.Errorf("%w: x5chain has an empty certificate", ErrMalformed)
		}
		chain = append(chain, der)
	}
	return chain, nil
}

// verify verifies the signature over a payload with a P-256 key (RFC 9052 §4.4).
func (s sign1) verify(key *ecdsa.PublicKey, payload []byte) error {
	if key == nil || key.Curve != elliptic.P256() {
		return fmt.Errorf("%w: the key is not on P-256", ErrSignature)
	}
	signed, err := cbor.Marshal([]any{"Signature1", []byte(s.Protected), []byte{}, payload})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	const half = signatureSize / 2
	digest := sha256.Sum256(signed)
	if !ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(s.Signature[:half]), new(big.Int).SetBytes(s.Signature[half:])) {
		return ErrSignature
	}
	return nil
}
