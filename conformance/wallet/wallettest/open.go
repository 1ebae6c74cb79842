package wallettest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"testing"

	jose "github.com/go-jose/go-jose/v4"
)

// Open decrypts with nothing but the standard library (RFC 7516 §5.2, RFC 7518 §4.6, §5.3).
func (v *Verifier) Open(compact string) (map[string]any, []byte) {
	v.T.Helper()
	parts := strings.Split(compact, ".")
	if len(parts) != 5 || parts[1] != "" {
		v.T.Fatalf("the answer is no JWE of direct key agreement: %d parts", len(parts))
	}
	var header struct {
		Alg, Enc, Kid, Apu, Apv string
		Epk                     struct{ Kty, Crv, X, Y string }
	}
	FromJSON(v.T, Decode(v.T, parts[0]), &header)
	epk, err := ecdh.P256().NewPublicKey(append(append([]byte{4}, Decode(v.T, header.Epk.X)...), Decode(v.T, header.Epk.Y)...))
	if err != nil {
		v.T.Fatal(err)
	}
	secret, err := v.Key.ECDH(epk)
	if err != nil {
		v.T.Fatal(err)
	}
	size := map[string]int{"A128GCM": 16, "A192GCM": 24, "A256GCM": 32}[header.Enc]
	info := append([]byte{0, 0, 0, 1}, secret...)
	for _, part := range [][]byte{[]byte(header.Enc), Decode(v.T, header.Apu), Decode(v.T, header.Apv)} {
		info = append(binary.BigEndian.AppendUint32(info, uint32(len(part))), part...)
	}
	derived := sha256.Sum256(binary.BigEndian.AppendUint32(info, uint32(size*8)))
	block, err := aes.NewCipher(derived[:size])
	if err != nil {
		v.T.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		v.T.Fatal(err)
	}
	plaintext, err := gcm.Open(nil, Decode(v.T, parts[2]), append(Decode(v.T, parts[3]), Decode(v.T, parts[4])...), []byte(parts[0]))
	if err != nil {
		v.T.Fatal(err)
	}
	var members map[string]any
	FromJSON(v.T, Decode(v.T, parts[0]), &members)
	v.secondOpinion(compact, plaintext)
	return members, plaintext
}

// secondOpinion holds that go-jose reads the same.
func (v *Verifier) secondOpinion(compact string, plaintext []byte) {
	v.T.Helper()
	jwe, err := jose.ParseEncryptedCompact(compact, []jose.KeyAlgorithm{jose.ECDH_ES}, []jose.ContentEncryption{jose.A128GCM, jose.A192GCM, jose.A256GCM})
	if err != nil {
		v.T.Fatal(err)
	}
	if again, err := jwe.Decrypt(joseKey(v.T, v.Key)); err != nil || string(again) != string(plaintext) {
		v.T.Fatalf("go-jose reads the answer differently: %v", err)
	}
}

func joseKey(t testing.TB, key *ecdh.PrivateKey) jose.JSONWebKey {
	t.Helper()
	point := key.PublicKey().Bytes()
	var jwk jose.JSONWebKey
	raw := ToJSON(t, map[string]any{"kty": "EC", "crv": "P-256", "x": Encode(point[1:33]), "y": Encode(point[33:]), "d": Encode(key.Bytes())})
	if err := jwk.UnmarshalJSON([]byte(raw)); err != nil {
		t.Fatal(err)
	}
	return jwk
}
