// Package publickeytest generates oversized keys and certificates, as an attacker would. It models the attack, not a CA:
// no certificate is signed by the key of the CA that it names as its issuer.
package publickeytest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"testing"
	"time"
)

// RSA returns a public key with a modulus of the given size, for which no private key exists.
func RSA(bits int, exponent int) *rsa.PublicKey {
	n := new(big.Int).SetBit(big.NewInt(1), bits-1, 1) // odd, like a real modulus
	return &rsa.PublicKey{N: n, E: exponent}
}

// JWK encodes an RSA key as a JWK (RFC 7518 §6.3.1).
func JWK(key *rsa.PublicKey) map[string]any {
	return map[string]any{
		"kty": "RSA", "n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
	}
}

// Certificate returns a CA certificate for a key, in DER, signed by a random key.
func Certificate(t testing.TB, key crypto.PublicKey) []byte {
	t.Helper()
	return certify(t, true, key, signer(t))
}

// Chain is the attack: a valid leaf for a P-256 key, issued by a CA whose modulus has many bits. The leaf's signature
// has the right length, so a verifier computes with that modulus.
func Chain(t testing.TB, leaf *ecdsa.PublicKey, authority *rsa.PublicKey) [][]byte {
	t.Helper()
	small, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	var certificate struct {
		Signed, Algorithm asn1.RawValue
		Signature         asn1.BitString
	}
	if _, err := asn1.Unmarshal(certify(t, false, leaf, small), &certificate); err != nil {
		t.Fatal(err)
	}
	size := authority.Size()
	certificate.Signature = asn1.BitString{Bytes: make([]byte, size), BitLength: 8 * size}
	certificate.Signature.Bytes[size-1] = 2 // smaller than the modulus, but not a valid signature
	der, err := asn1.Marshal(certificate)
	if err != nil {
		t.Fatal(err)
	}
	return [][]byte{der, Certificate(t, authority)}
}

func signer(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func certify(t testing.TB, authority bool, key crypto.PublicKey, by crypto.Signer) []byte {
	t.Helper()
	const years = 20 * 365 * 24 * time.Hour // valid at any clock that a test may set
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Issuer of nobody"}, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
		NotBefore: time.Now().Add(-years), NotAfter: time.Now().Add(years), UnknownExtKeyUsage: []asn1.ObjectIdentifier{{1, 0, 18013, 5, 1, 2}},
	}
	parent := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Authority of nobody"}}
	if authority {
		template.Subject, template.IsCA, template.KeyUsage, template.UnknownExtKeyUsage = parent.Subject, true, x509.KeyUsageCertSign, nil
		parent.Subject, parent.SubjectKeyId = pkix.Name{CommonName: "Root of nobody"}, []byte{9}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key, by)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
