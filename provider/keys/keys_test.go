package keys_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/provider/keys"
)

func newSigner(t *testing.T) *keys.Ring {
	t.Helper()
	key, err := keys.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := keys.NewRing([]keys.Key{{Private: key}}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What Mint puts together by hand is what another JOSE implementation reads, with a key of the published set.
func TestMintedTokensVerifyWithThePublishedKey(t *testing.T) {
	s := newSigner(t)
	text, err := s.Mint("recovery+jwt", map[string]any{"iss": "https://regain.example", "text": `<ä> "&"`})
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(s.JWKS(), &set); err != nil {
		t.Fatal(err)
	}
	header := token.Headers[0]
	if header.KeyID != s.KeyID() || header.ExtraHeaders["typ"] != "recovery+jwt" || len(set.Keys) != 1 {
		t.Errorf("kid %q, typ %v, %d keys", header.KeyID, header.ExtraHeaders["typ"], len(set.Keys))
	}
	var claims map[string]string
	if err := token.Claims(set.Key(header.KeyID)[0], &claims); err != nil || claims["text"] != `<ä> "&"` {
		t.Errorf("claims %v, %v", claims, err)
	}
	if err := token.Claims(newSigner(t).Key().Public()); err == nil {
		t.Error("another key verifies it")
	}
}

// The set is public: no private member, and a kid that anyone can compute (RFC 7638).
func TestTheSetHoldsPublicKeysOnly(t *testing.T) {
	s := newSigner(t)
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(s.JWKS(), &set); err != nil || len(set.Keys) != 1 {
		t.Fatalf("%d keys, %v", len(set.Keys), err)
	}
	key := set.Keys[0]
	if _, private := key["d"]; private || key["use"] != "sig" || key["alg"] != "ES256" || key["crv"] != "P-256" {
		t.Errorf("published as %v", key)
	}
	public := jose.JSONWebKey{Key: s.Key().Public()}
	sum, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if want := base64.RawURLEncoding.EncodeToString(sum); s.KeyID() != want || key["kid"] != want {
		t.Errorf("kid %v, want the thumbprint %s", key["kid"], want)
	}
}

func TestNewRingRefusesOtherKeys(t *testing.T) {
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]*ecdsa.PrivateKey{"none": nil, "P-384": other} {
		if _, err := keys.NewRing([]keys.Key{{Private: key}}, time.Now); err == nil || !strings.Contains(err.Error(), "EC keys must be on P-256") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMintRefusesWhatIsNotJSON(t *testing.T) {
	if token, err := newSigner(t).Mint("JWT", map[string]any{"n": math.NaN()}); err == nil || !strings.Contains(err.Error(), "unsupported value") || token != "" {
		t.Errorf("minted %s, %v", token, err)
	}
}

func TestParsePEM(t *testing.T) {
	key, err := keys.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"SEC 1":   pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1}),
		"PKCS #8": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8(t, key)}),
	} {
		if got, err := keys.ParsePEM(text); err != nil || !got.Equal(key) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Each is refused with a word on what was expected, and without a byte of what was given.
func TestParsePEMRefuses(t *testing.T) {
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text []byte
		says string
	}{
		"nothing":   {nil, "no PEM block"},
		"text":      {[]byte("c2VjcmV0"), "no PEM block"},
		"not a key": {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("c2VjcmV0")}), "parse private key"},
		"Ed25519":   {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8(t, edwards)}), "EC key on P-256 is required"},
		"RSA":       {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8(t, rsaKey)}), "EC key on P-256 is required"},
	} {
		_, err := keys.ParsePEM(c.text)
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "c2VjcmV0") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func pkcs8(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}
