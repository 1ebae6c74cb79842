package keys_test

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/provider/keys"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func ring(t *testing.T, algorithms ...jose.SignatureAlgorithm) []keys.Key {
	t.Helper()
	list, err := keys.GenerateRing(rand.Reader, algorithms...)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// says fails the test unless there is an error that contains this.
func says(t *testing.T, what string, err error, why string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), why) {
		t.Errorf("%s: got %v, want %q", what, err, why)
	}
}

// TestNewRingSaysWhy breaks one key of a ring: a weak one would sign tokens that others can forge.
func TestNewRingSaysWhy(t *testing.T) {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		key crypto.Signer
		why string
	}{
		"none": {nil, "signing key: is missing"}, "P-384": {p384, "EC keys must be on P-256"}, "no EC key": {(*ecdsa.PrivateKey)(nil), "EC keys must be on P-256"},
		"1024 bits": {weak, "RSA keys must have 2048 bits at least"}, "no RSA key": {(*rsa.PrivateKey)(nil), "RSA keys must have 2048 bits at least"},
		"another kind": {foreign{p384}, "a keys_test.foreign cannot be used; use EC on P-256, RSA or Ed25519"},
	} {
		_, err := keys.NewRing(append(ring(t, jose.ES256), keys.Key{Private: row.key}), time.Now)
		says(t, name, err, row.why)
		_, err = keys.Rotate(ring(t, jose.ES256), keys.Rotation{Algorithm: jose.ES256, New: row.key, Now: noon})
		says(t, name+", rotated in", err, row.why)
		_, err = keys.Certify([]keys.Key{{Private: row.key}}, "host", noon)
		says(t, name+", certified", err, row.why)
		if row.key != nil && name != "no RSA key" && name != "no EC key" {
			_, err = keys.Rotate([]keys.Key{{Private: row.key}}, keys.Rotation{Algorithm: jose.ES256, New: generate(t, jose.ES256), Now: noon})
			says(t, name+", rotated out", err, row.why)
		}
	}
	_, err = keys.NewRing(ring(t, jose.ES256), nil)
	says(t, "no clock", err, "a clock is required")
	_, err = keys.GenerateFor("HS256", rand.Reader)
	says(t, "a symmetric algorithm", err, `algorithm "HS256": use `)
	_, err = keys.GenerateRing(rand.Reader, jose.ES256, "none")
	says(t, "none", err, `algorithm "none": use `)
	_, err = keys.Rotate(ring(t, jose.ES256), keys.Rotation{Algorithm: jose.RS256, New: generate(t, jose.ES256), Now: noon})
	says(t, "a key of another algorithm", err, "a *ecdsa.PrivateKey cannot sign RS256")
}

// foreign is a signer of a kind that no algorithm uses.
type foreign struct{ crypto.Signer }

// TestJWKsNameTheirAlgorithm holds that a key of one algorithm says so, and one of two does not (RFC 7517 §4.4).
func TestJWKsNameTheirAlgorithm(t *testing.T) {
	r, err := keys.NewRing(ring(t, jose.ES256, jose.EdDSA, jose.RS256), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	var set struct {
		Keys []struct{ Kty, Alg, Use, Kid string }
	}
	if err := json.Unmarshal(r.JWKS(), &set); err != nil || len(set.Keys) != 3 {
		t.Fatalf("%s, %v", r.JWKS(), err)
	}
	for _, k := range set.Keys {
		if want := map[string]string{"EC": "ES256", "OKP": "EdDSA", "RSA": ""}[k.Kty]; k.Alg != want || k.Use != "sig" {
			t.Errorf("%+v, want alg %q", k, want)
		}
		if found := r.Public(k.Kid); len(found) != 1 || found[0].KeyID != k.Kid {
			t.Errorf("%s is %d keys", k.Kid, len(found))
		}
	}
	if found := r.Public("another"); len(found) != 0 {
		t.Errorf("another kid is %d keys", len(found))
	}
}

// TestCertify holds what a certificate of ours says, that a key keeps the one it has, and that none is left without.
func TestCertify(t *testing.T) {
	list := ring(t, jose.ES256, jose.ES256, jose.EdDSA)
	once, err := keys.Certify(list[:1], "first.example", noon)
	if err != nil {
		t.Fatal(err)
	}
	all, err := keys.Certify(append(once, list[1:]...), "second.example", noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range all {
		if len(k.Certificates) != 1 {
			t.Fatalf("key %d has %d certificates", i, len(k.Certificates))
		}
		name, begun := "second.example", noon.Add(time.Hour)
		if i == 0 {
			name, begun = "first.example", noon
		}
		c := k.Certificates[0]
		public, _ := c.PublicKey.(interface{ Equal(x crypto.PublicKey) bool })
		if c.Subject.CommonName != name || !public.Equal(k.Private.Public()) || c.IsCA || c.KeyUsage != x509.KeyUsageDigitalSignature {
			t.Errorf("key %d: %s, CA %t, %v", i, c.Subject, c.IsCA, c.KeyUsage)
		}
		if !c.NotBefore.Equal(begun.Add(-time.Hour)) || !c.NotAfter.Equal(begun.Add(2*365*24*time.Hour)) || c.SerialNumber.BitLen() > 120 || c.SerialNumber.BitLen() < 80 {
			t.Errorf("key %d: from %v to %v, serial of %d bits", i, c.NotBefore, c.NotAfter, c.SerialNumber.BitLen())
		}
	}
	if len(list[0].Certificates) != 0 {
		t.Error("the list that was given has changed")
	}
	r, err := keys.NewRing(all, func() time.Time { return noon })
	if err != nil || r.CheckCertificates() != nil || bytes.Count(r.JWKS(), []byte(`"x5c"`)) != 3 {
		t.Errorf("%s, %v", r.JWKS(), err)
	}
	bare, err := keys.NewRing(append(once, list[1]), func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	says(t, "one without", bare.CheckCertificates(), "has no certificate after it")
	_, err = keys.Certify(list, "", noon)
	says(t, "no name", err, "a name is required")
}

// TestReplaceKeepsCertificates holds that a ring which is published with x5c is not replaced by one without.
func TestReplaceKeepsCertificates(t *testing.T) {
	at := func() time.Time { return noon }
	certified, err := keys.Certify(ring(t, jose.ES256), "host", noon)
	if err != nil {
		t.Fatal(err)
	}
	r, err := keys.NewRing(certified, at)
	if err != nil {
		t.Fatal(err)
	}
	before := string(r.JWKS())
	says(t, "without x5c", r.Replace(ring(t, jose.ES256)), "has no certificate after it")
	if string(r.JWKS()) != before {
		t.Error("it was replaced all the same")
	}
	other, err := keys.Certify(ring(t, jose.ES256), "host", noon)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Replace(other); err != nil || string(r.JWKS()) == before {
		t.Errorf("with x5c: %v", err)
	}
}

// TestCertifyFile holds that a rotation of a certified ring certifies the new key too, under the same name, and that a
// file that cannot be read or written is told with its path and stays as it is.
func TestCertifyFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "signing.pem")
	rotation := func() keys.Rotation {
		return keys.Rotation{Algorithm: jose.ES256, New: generate(t, jose.ES256), Now: noon, Announce: time.Hour, Overlap: time.Hour}
	}
	says(t, "no file", keys.CertifyFile(path, "host.example", noon), "no such file")
	if err := keys.RotateFile(path, rotation()); err != nil {
		t.Fatal(err)
	}
	says(t, "no name", keys.CertifyFile(path, "", noon), path+": certify: a name is required")
	if err := keys.CertifyFile(path, "host.example", noon); err != nil {
		t.Fatal(err)
	}
	if err := keys.RotateFile(path, rotation()); err != nil {
		t.Fatal(err)
	}
	list, err := keys.ReadFile(path)
	if err != nil || len(list) != 2 {
		t.Fatalf("%d keys, %v", len(list), err)
	}
	for i, k := range list {
		if len(k.Certificates) != 1 || k.Certificates[0].Subject.CommonName != "host.example" {
			t.Errorf("key %d has %d certificates", i, len(k.Certificates))
		}
	}
	text, err := keys.Describe(list, noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"KEY ID", "host.example until 2028-11-23", "the beginning", "2026-11-24T13:00:00Z", "2026-11-24T14:00:00Z", "taken out"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not told:\n%s", want, text)
		}
	}
	wrong := rotation()
	wrong.Algorithm = jose.RS256
	says(t, "a key of another algorithm", keys.RotateFile(path, wrong), path+": a *ecdsa.PrivateKey cannot sign RS256")
	nowhere := filepath.Join(dir, "none", "signing.pem")
	says(t, "no directory", keys.RotateFile(nowhere, rotation()), "write "+nowhere)
	if err := os.Mkdir(filepath.Join(dir, "taken"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "taken", "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	says(t, "a directory in its place", keys.CertifyFile(filepath.Join(dir, "taken"), "host", noon), "is a directory")
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("%d files are left: %v, %v", len(entries), entries, err)
	}
	_, err = keys.Describe(nil, noon)
	says(t, "an empty ring", err, "that signs now")
}

// TestRotateOnTime holds when each key signs and goes: a key that signs before verifiers know it, or goes while its tokens
// are valid, makes honest tokens fail.
func TestRotateOnTime(t *testing.T) {
	old := ring(t, jose.ES256, jose.EdDSA)
	at := func(d time.Duration) keys.Rotation {
		return keys.Rotation{Algorithm: jose.ES256, New: generate(t, jose.ES256), Now: noon.Add(d + 500*time.Millisecond), Announce: time.Hour, Overlap: 2 * time.Hour}
	}
	list, err := keys.Rotate(old, at(0))
	if err != nil || len(list) != 3 {
		t.Fatalf("%d keys, %v", len(list), err)
	}
	if signs, until := list[0].SignsFrom, list[1].PublishedUntil; !signs.Equal(noon.Add(time.Hour)) || !until.Equal(noon.Add(3*time.Hour)) || !list[2].PublishedUntil.IsZero() {
		t.Errorf("signs from %v, the old one is published until %v, the other algorithm's until %v", signs, until, list[2].PublishedUntil)
	}
	again, err := keys.Rotate(list, at(time.Hour)) // the first keeps its end
	if err != nil || len(again) != 4 || !again[2].PublishedUntil.Equal(noon.Add(3*time.Hour)) || !again[1].PublishedUntil.Equal(noon.Add(4*time.Hour)) {
		t.Errorf("%d keys, %v", len(again), err)
	}
	last, err := keys.Rotate(again, at(3*time.Hour)) // its end has come
	if err != nil || len(last) != 4 {
		t.Errorf("%d keys, %v", len(last), err)
	}
	first, err := keys.Rotate(nil, at(0))
	if err != nil || len(first) != 1 || !first[0].SignsFrom.IsZero() {
		t.Errorf("the first key waits until %v, %v", first[0].SignsFrom, err)
	}
}

// TestParseRingReadsEveryForm holds the forms in which tools write private keys.
func TestParseRingReadsEveryForm(t *testing.T) {
	short, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	list, err := keys.ParseRing(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(short)}))
	if err != nil || !short.Equal(list[0].Private) {
		t.Errorf("PKCS #1: %v", err)
	}
	agreement := pkcs8(t, agreementKey(t))
	_, err = keys.ParseRing(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: agreement}))
	says(t, "a key that agrees and does not sign", err, "which cannot sign")
	good := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8(t, generate(t, jose.ES256))})
	_, err = keys.ParseRing(append(good, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})...))
	says(t, "a certificate that is none", err, "certificate after key 1: ")
	_, err = keys.EncodeRing([]keys.Key{{Private: foreign{short}}})
	says(t, "a key that cannot be written", err, "encode key 1: ")
}

func agreementKey(t *testing.T) *ecdh.PrivateKey {
	t.Helper()
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestTheLatestSigns holds that of the keys that may sign the one that began last does, wherever it stands in the file, and
// that a key which cannot be read says so in each form.
func TestTheLatestSigns(t *testing.T) {
	list := ring(t, jose.ES256, jose.ES256, jose.ES256)
	for i, begins := range []time.Duration{-2 * time.Hour, -time.Hour, time.Hour} {
		list[i].SignsFrom = noon.Add(begins)
	}
	for _, order := range [][]int{{0, 1, 2}, {1, 0, 2}, {2, 1, 0}} {
		r, err := keys.NewRing([]keys.Key{list[order[0]], list[order[1]], list[order[2]]}, func() time.Time { return noon })
		if err != nil || !r.Key().Equal(list[1].Private) {
			t.Errorf("in the order %v another key signs: %v", order, err)
		}
	}
	for _, form := range []string{"PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"} {
		_, err := keys.ParseRing(pem.EncodeToMemory(&pem.Block{Type: form, Bytes: []byte("x")}))
		says(t, form, err, "key 1: parse private key: ")
	}
}
