package verifiertest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	secp256k1ecdsa "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// Signer has a key for one of the algorithms of JWT VCs.
type Signer struct {
	Algorithm string // ES256, ES256K or EdDSA

	p256    *ecdsa.PrivateKey
	koblitz *secp256k1.PrivateKey
	edwards ed25519.PrivateKey
}

// NewSigner makes a key for ES256, ES256K or EdDSA.
func NewSigner(t testing.TB, algorithm string) *Signer {
	t.Helper()
	s := &Signer{Algorithm: algorithm}
	var err error
	switch algorithm {
	case "ES256":
		s.p256 = NewKey(t)
	case "ES256K":
		s.koblitz, err = secp256k1.GeneratePrivateKey()
	case "EdDSA":
		_, s.edwards, err = ed25519.GenerateKey(rand.Reader)
	default:
		t.Fatalf("no key goes with %s", algorithm)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Public returns the public key, as package verifier uses it.
func (s *Signer) Public() crypto.PublicKey {
	switch {
	case s.koblitz != nil:
		return s.koblitz.PubKey()
	case s.edwards != nil:
		return s.edwards.Public()
	}
	return s.p256.Public()
}

// JWK returns the public key as a JWK (RFC 7518 §6.2, RFC 8812 §3.1, RFC 8037 §2).
func (s *Signer) JWK(t testing.TB) map[string]any {
	t.Helper()
	switch {
	case s.koblitz != nil:
		point := s.koblitz.PubKey().SerializeUncompressed()
		return map[string]any{"kty": "EC", "crv": "secp256k1", "x": Encode(point[1:33]), "y": Encode(point[33:])}
	case s.edwards != nil:
		public, _ := s.edwards.Public().(ed25519.PublicKey)
		return map[string]any{"kty": "OKP", "crv": "Ed25519", "x": Encode(public)}
	}
	return JWK(t, s.p256)
}

// Sign makes a compact JWS. If the header has no alg it adds that of the signer; a header member set to nil is left
// out.
func (s *Signer) Sign(t testing.TB, header, payload map[string]any) string {
	t.Helper()
	full := map[string]any{"alg": s.Algorithm}
	for name, value := range header {
		full[name] = value
		if value == nil {
			delete(full, name)
		}
	}
	return s.SignRaw(t, JSON(t, full), JSON(t, payload))
}

// SignRaw makes a compact JWS. header and payload need not be JSON.
func (s *Signer) SignRaw(t testing.TB, header, payload []byte) string {
	t.Helper()
	if s.p256 != nil {
		return SignRaw(t, s.p256, header, payload)
	}
	text := Encode(header) + "." + Encode(payload)
	if s.edwards != nil {
		return text + "." + Encode(ed25519.Sign(s.edwards, []byte(text)))
	}
	digest := sha256.Sum256([]byte(text))
	signature := secp256k1ecdsa.Sign(s.koblitz, digest[:])
	rs := make([]byte, 0, 64)
	for _, scalar := range []secp256k1.ModNScalar{signature.R(), signature.S()} {
		raw := scalar.Bytes()
		rs = append(rs, raw[:]...)
	}
	return text + "." + Encode(rs)
}
