package publickey_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"math"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/go-jose/go-jose/v4"

	"regain/internal/publickey"
	"regain/internal/publickey/publickeytest"
)

// checkBounds holds what the package promises of every key that it returns.
func checkBounds(t *testing.T, key crypto.PublicKey, least int) {
	t.Helper()
	switch key := key.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits > 8192 || bits < least || key.E < 3 || key.E > math.MaxInt32 || key.E%2 == 0 {
			t.Errorf("an RSA key of %d bits with the exponent %d", bits, key.E)
		}
	case *ecdsa.PublicKey:
		if _, err := key.ECDH(); err != nil { // says whether it is on its curve
			if key.Curve != elliptic.P224() { // which crypto/ecdh does not have, and certificates may
				t.Error(err)
			}
		}
	case ed25519.PublicKey:
		if len(key) != ed25519.PublicKeySize {
			t.Errorf("an Ed25519 key of %d bytes", len(key))
		}
	case *secp256k1.PublicKey:
		if !key.IsOnCurve() {
			t.Error("off its curve")
		}
	default:
		if least > 0 { // x509 reads certificates of other kinds, which nothing verifies with
			t.Errorf("a %T", key)
		}
	}
}

func FuzzParseCertificate(f *testing.F) {
	for _, key := range []*rsa.PublicKey{publickeytest.RSA(2048, usual), publickeytest.RSA(8192, math.MaxInt32), publickeytest.RSA(65_536, usual), publickeytest.RSA(2048, 1)} {
		f.Add(publickeytest.Certificate(f, key))
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		certificate, err := publickey.ParseCertificate(der)
		if err != nil {
			return
		}
		if len(certificate.Raw) > 16<<10 {
			t.Errorf("a certificate of %d bytes", len(certificate.Raw))
		}
		checkBounds(t, certificate.PublicKey, 0)
	})
}

func FuzzParseSet(f *testing.F) {
	authority := publickeytest.RSA(2048, usual)
	f.Add(set(f, publickeytest.JWK(authority), ec(f, elliptic.P256()), ec(f, elliptic.P521()), edwards(f), koblitz(f)))
	f.Add(set(f, with(publickeytest.JWK(authority), "x5c", x5c(publickeytest.Certificate(f, authority)))))
	f.Add(set(f, publickeytest.JWK(publickeytest.RSA(8192, math.MaxInt32)), publickeytest.JWK(publickeytest.RSA(65_536, usual))))
	f.Add(set(f, map[string]any{"kty": "LWE"}, edwards(f)))
	f.Fuzz(func(t *testing.T, text []byte) {
		read, err := publickey.ParseSet(text)
		if err != nil {
			return
		}
		if n := len(read.Keys) + len(read.Skipped); n > 64 {
			t.Errorf("%d keys", n)
		}
		for _, key := range read.Keys {
			if !key.IsPublic() || !key.Valid() || len(key.Certificates) > publickey.MaxChain {
				t.Errorf("go-jose finds fault with %v", key)
			}
			checkBounds(t, key.Key, publickey.MinRSABits)
			for _, certificate := range key.Certificates {
				checkBounds(t, certificate.PublicKey, 0)
			}
		}
		checkAgain(t, read)
	})
}

// checkAgain holds that a set which is written is read as the same keys.
func checkAgain(t *testing.T, read publickey.Set) {
	t.Helper()
	text, err := json.Marshal(read)
	if err != nil {
		t.Fatalf("it cannot be written: %v", err)
	}
	again, err := publickey.ParseSet(text)
	if err != nil || len(again.Keys) != len(read.Keys) || len(again.Skipped) != 0 {
		t.Fatalf("read again: %d of %d keys, %v, %v", len(again.Keys), len(read.Keys), again.Skipped, err)
	}
	for i, key := range again.Keys {
		if !publickey.Equal(key.Key, read.Keys[i].Key) {
			t.Errorf("key %d became another", i)
		}
	}
}

// FuzzParseToken holds that what go-jose reads in a header, we have read before it, within bounds.
func FuzzParseToken(f *testing.F) {
	signature := "." + encode([]byte(`{"sub":"x"}`)) + "." + encode(make([]byte, 64))
	for _, header := range []map[string]any{
		{"alg": "ES256", "kid": "1", "typ": "JWT"},
		{"alg": "ES256", "jwk": ec(f, elliptic.P256())},
		{"alg": "PS256", "jwk": publickeytest.JWK(publickeytest.RSA(4096, usual))},
		{"alg": "PS256", "jwk": publickeytest.JWK(publickeytest.RSA(65_536, usual))},
		{"alg": "ES256", "x5c": x5c(publickeytest.Certificate(f, publickeytest.RSA(2048, usual)))},
	} {
		text, err := json.Marshal(header)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(encode(text) + signature)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, err := publickey.ParseToken(text, []jose.SignatureAlgorithm{jose.ES256, jose.PS256, jose.EdDSA})
		if err != nil {
			return
		}
		if len(text) > 64<<10 {
			t.Errorf("a token of %d characters", len(text))
		}
		for _, header := range token.Headers {
			if header.JSONWebKey != nil {
				checkBounds(t, header.JSONWebKey.Key, publickey.MinRSABits)
			}
		}
	})
}
