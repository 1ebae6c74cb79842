package mdoc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"errors"
	"fmt"
	"io"

	"github.com/veraison/go-cose"

	"regain/conformance/chain"
)

// signature is a COSE_Sign1 without a tag, as ISO/IEC 18013-5 has it.
type signature = cose.UntaggedSign1Message

// sign makes one with ES256 and, for an issuer, its certificate as x5chain (RFC 9360 §2).
func sign(random io.Reader, key *ecdsa.PrivateKey, certificate, payload []byte) (*signature, error) {
	signer, err := cose.NewSigner(cose.AlgorithmES256, key)
	if err != nil {
		return nil, fmt.Errorf("preparing a COSE_Sign1: %w", err)
	}
	s := &signature{Payload: payload, Headers: cose.Headers{
		Protected: cose.ProtectedHeader{cose.HeaderLabelAlgorithm: cose.AlgorithmES256}, Unprotected: cose.UnprotectedHeader{},
	}}
	if certificate != nil {
		s.Headers.Unprotected[cose.HeaderLabelX5Chain] = certificate
	}
	if err := s.Sign(random, nil, signer); err != nil {
		return nil, fmt.Errorf("signing a COSE_Sign1: %w", err)
	}
	return s, nil
}

// verify checks a COSE_Sign1 against a key, with the one algorithm that goes with the key (ISO/IEC 18013-5 Table B.3).
func verify(s *signature, key crypto.PublicKey) error {
	verifier, err := cose.NewVerifier(algorithmOf(key), key)
	if err != nil {
		return fmt.Errorf("its key is none of ISO/IEC 18013-5: %w", err)
	}
	if err := s.Verify(nil, verifier); err != nil {
		return errors.New("its signature is not by the key of its signer")
	}
	return nil
}

func algorithmOf(key crypto.PublicKey) cose.Algorithm {
	switch public := key.(type) {
	case *ecdsa.PublicKey:
		return map[elliptic.Curve]cose.Algorithm{
			elliptic.P256(): cose.AlgorithmES256, elliptic.P384(): cose.AlgorithmES384, elliptic.P521(): cose.AlgorithmES512,
		}[public.Curve]
	case ed25519.PublicKey:
		return cose.AlgorithmEdDSA
	}
	return cose.AlgorithmReserved
}

// certificates reads x5chain: one byte string, or an array of them (RFC 9360 §2).
func certificates(s *signature) (chain.Chain, error) {
	var ders [][]byte
	switch found := s.Headers.Unprotected[cose.HeaderLabelX5Chain].(type) {
	case []byte:
		ders = [][]byte{found}
	case []any:
		for _, one := range found {
			der, _ := one.([]byte)
			ders = append(ders, der)
		}
	}
	c, err := chain.Parse(ders)
	if err != nil {
		return nil, fmt.Errorf("%w: x5chain: %w", ErrMalformed, err)
	}
	return c, nil
}

// deviceKey reads the COSE_Key of a holder, on P-256: the one curve that the wallet makes keys on.
func deviceKey(key *cose.Key) (*ecdsa.PublicKey, error) {
	refused := fmt.Errorf("%w: its device key is not on P-256", ErrMalformed)
	if key == nil {
		return nil, refused
	}
	public, err := key.PublicKey()
	if err != nil {
		return nil, refused
	}
	found, ok := public.(*ecdsa.PublicKey)
	if !ok || found.Curve != elliptic.P256() {
		return nil, refused
	}
	if _, err := found.ECDH(); err != nil { // go-cose does not look whether the point is on the curve
		return nil, refused
	}
	return found, nil
}
