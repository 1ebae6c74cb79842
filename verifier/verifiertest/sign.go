package verifiertest

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"testing"
)

// Encode encodes base64url without padding.
func Encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// Hash returns the SHA-256 of a text in base64url.
func Hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return Encode(sum[:])
}

// Multihash returns the SHA-256 of raw as a multihash in base64url.
func Multihash(raw []byte) string {
	sum := sha256.Sum256(raw)
	return Encode(append([]byte{0x12, sha256.Size}, sum[:]...))
}

// JSON encodes a value.
func JSON(t testing.TB, value any) []byte {
	t.Helper()
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// SignRaw makes a compact JWS with ES256. header and payload need not be JSON.
func SignRaw(t testing.TB, key *ecdsa.PrivateKey, header, payload []byte) string {
	t.Helper()
	text := Encode(header) + "." + Encode(payload)
	return text + "." + Encode(SignBytes(t, key, []byte(text)))
}

// SignBytes returns an ES256 signature for JOSE and COSE: r and s, 32 bytes each (RFC 7518 §3.4, RFC 9053 §2.1).
func SignBytes(t testing.TB, key *ecdsa.PrivateKey, message []byte) []byte {
	t.Helper()
	sum := sha256.Sum256(message)
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signature
}

// Sign makes a compact JWS with ES256.
func Sign(t testing.TB, key *ecdsa.PrivateKey, header, payload map[string]any) string {
	t.Helper()
	return SignRaw(t, key, JSON(t, header), JSON(t, payload))
}

// x5c encodes certificates in standard base64 (RFC 7515 §4.1.6).
func x5c(chain [][]byte) []string {
	list := make([]string, len(chain))
	for i, der := range chain {
		list[i] = base64.StdEncoding.EncodeToString(der)
	}
	return list
}

// JWK returns the public key as a JWK.
func JWK(t testing.TB, key *ecdsa.PrivateKey) map[string]any {
	t.Helper()
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{"kty": "EC", "crv": "P-256", "x": Encode(point[1:33]), "y": Encode(point[33:])}
}
