package identity_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"regain/presentation/identity"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

type fatal interface {
	Helper()
	Fatal(args ...any)
}

func must[T any](t fatal, value T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func newKey(t fatal) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return must(t, key, err)
}

// hsm is a key whose private part nobody sees.
type hsm struct{ key crypto.Signer }

func (h hsm) Public() crypto.PublicKey { return h.key.Public() }
func (h hsm) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return h.key.Sign(random, digest, o)
}

// chain is a CA and a leaf under it; change edits the leaf's template.
type chain struct {
	ca, leaf *x509.Certificate
	key      *ecdsa.PrivateKey
}

func newChain(t fatal, change func(*x509.Certificate)) chain {
	t.Helper()
	above, key := newKey(t), newKey(t)
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"}, NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	ca := issue(t, root, root, above.Public(), above)
	signing := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Verifier"}, NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true, DNSNames: []string{"recover.example.org", "*.example.org", "Capital.example.org"},
	}
	if change != nil {
		change(signing)
	}
	return chain{ca: ca, leaf: issue(t, signing, ca, key.Public(), above), key: key}
}

func issue(t fatal, template, parent *x509.Certificate, public crypto.PublicKey, with crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, with)
	must(t, der, err)
	made, err := x509.ParseCertificate(der)
	return must(t, made, err)
}

// signed checks a request of the identity as a wallet does, with go-jose and again with the standard library alone, and
// returns its protected header.
func signed(t *testing.T, who *identity.Identity, public crypto.PublicKey) map[string]any {
	t.Helper()
	payload := []byte(`{"nonce":"n"}`)
	object, err := who.Sign(payload)
	must(t, object, err)
	parsed, err := jose.ParseSignedCompact(string(object), []jose.SignatureAlgorithm{jose.ES256})
	must(t, parsed, err)
	if got, err := parsed.Verify(public); err != nil || string(got) != string(payload) {
		t.Errorf("go-jose: %q, %v", got, err)
	}
	parts := strings.Split(string(object), ".")
	verify(t, public, parts[0]+"."+parts[1], parts[2])
	return decode(t, parts[0])
}

// verify checks an ES256 signature: r and s, 32 bytes each (RFC 7518 §3.4).
func verify(t *testing.T, public crypto.PublicKey, input, signature string) {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	if must(t, raw, err); len(raw) != 64 {
		t.Fatalf("a signature of %d bytes", len(raw))
	}
	digest := sha256.Sum256([]byte(input))
	if !ecdsa.Verify(public.(*ecdsa.PublicKey), digest[:], new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])) {
		t.Error("the standard library does not verify the signature")
	}
}

func decode(t fatal, part string) (object map[string]any) {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(part)
	must(t, raw, err)
	if err := json.Unmarshal(raw, &object); err != nil {
		t.Fatal(err)
	}
	return object
}
