package keys_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/provider/keys"
)

func generate(t *testing.T, alg jose.SignatureAlgorithm) crypto.Signer {
	t.Helper()
	key, err := keys.GenerateFor(alg, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// kids returns the published key ids and the one that signs alg.
func kids(t *testing.T, r *keys.Ring, alg jose.SignatureAlgorithm) (list []string, signs string) {
	t.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(r.JWKS(), &set); err != nil {
		t.Fatal(err)
	}
	for _, k := range set.Keys {
		list = append(list, k.KeyID)
	}
	text, err := r.MintWith(alg, "JWT", map[string]any{"iss": "https://regain.example"})
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.ParseSigned(text, []jose.SignatureAlgorithm{alg})
	if err != nil {
		t.Fatal(err)
	}
	if err := token.Claims(set.Key(token.Headers[0].KeyID)[0], new(map[string]any)); err != nil {
		t.Errorf("%s with the published key: %v", alg, err)
	}
	return list, token.Headers[0].KeyID
}

func TestEveryAlgorithmVerifiesWithThePublishedSet(t *testing.T) {
	r, err := keys.NewRing([]keys.Key{{Private: generate(t, jose.ES256)}, {Private: generate(t, jose.RS256)}, {Private: generate(t, jose.EdDSA)}}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(r.Algorithms()); n != 4 {
		t.Errorf("%d algorithms", n)
	}
	for _, alg := range r.Algorithms() {
		kids(t, r, alg)
	}
	if _, err := newSigner(t).MintWith(jose.RS256, "JWT", struct{}{}); err == nil || !strings.Contains(err.Error(), "no signing key for RS256") {
		t.Error("RS256 without an RSA key")
	}
}

// A new key is published before it signs; the old one is published until its last token has expired; then it goes.
func TestRotationOverlaps(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	list, err := keys.Rotate(nil, keys.Rotation{Algorithm: jose.ES256, New: generate(t, jose.ES256), Now: now, Announce: time.Hour, Overlap: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if !list[0].SignsFrom.IsZero() {
		t.Error("the first key does not sign at once")
	}
	if list, err = keys.Rotate(list, keys.Rotation{Algorithm: jose.ES256, New: generate(t, jose.ES256), Now: now, Announce: time.Hour, Overlap: 2 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	text, err := keys.EncodeRing(list)
	if err != nil {
		t.Fatal(err)
	}
	if list, err = keys.ParseRing(text); err != nil {
		t.Fatal(err)
	}
	clock := now
	r, err := keys.NewRing(list, func() time.Time { return clock })
	if err != nil {
		t.Fatal(err)
	}
	both, old := kids(t, r, jose.ES256)
	for _, c := range []struct {
		after     time.Duration
		published int
		oldSigns  bool
	}{
		{0, 2, true}, {time.Hour - time.Second, 2, true}, {time.Hour, 2, false}, {3*time.Hour - time.Second, 2, false}, {3 * time.Hour, 1, false},
	} {
		clock = now.Add(c.after)
		list, signs := kids(t, r, jose.ES256)
		if len(list) != c.published || (signs == old) != c.oldSigns {
			t.Errorf("after %s: %d keys are published, the old one signs: %t", c.after, len(list), signs == old)
		}
	}
	if len(r.Public(old)) != 1 || len(r.Public("")) != len(both) {
		t.Error("a retired key of the file no longer verifies old hints")
	}
	again, err := keys.Rotate(list, keys.Rotation{Algorithm: jose.RS256, New: generate(t, jose.RS256), Now: clock})
	if err != nil || len(again) != 2 || !again[0].SignsFrom.IsZero() {
		t.Errorf("after the end of the old key, another algorithm: %d keys, %v", len(again), err)
	}
}

func TestX5CIsPublished(t *testing.T) {
	key := generate(t, jose.RS256)
	text := withCertificate(t, key, key)
	list, err := keys.ParseRing(append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8(t, generate(t, jose.ES256))})...))
	if err != nil {
		t.Fatal(err)
	}
	r, err := keys.NewRing(list, time.Now)
	if err != nil || !bytes.Contains(r.JWKS(), []byte(`"x5c":["MI`)) {
		t.Errorf("%s, %v", r.JWKS(), err)
	}
	again, err := keys.EncodeRing(list)
	if reread, err2 := keys.ParseRing(again); err != nil || err2 != nil || len(reread[0].Certificates) != 1 || len(reread[1].Certificates) != 0 {
		t.Errorf("certificates are lost in writing: %v, %v", err, err2)
	}
}

func withCertificate(t *testing.T, key, certified crypto.Signer) []byte {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Regain"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, certified.Public(), certified)
	if err != nil {
		t.Fatal(err)
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8(t, key)}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
}

func TestRingRefuses(t *testing.T) {
	ec := generate(t, jose.ES256)
	block := func(headers map[string]string) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Headers: headers, Bytes: pkcs8(t, ec)})
	}
	later := time.Now().Add(time.Hour).Format(time.RFC3339)
	for name, c := range map[string]struct {
		text []byte
		says string
	}{
		"two of one":        {append(block(nil), block(nil)...), "twice"},
		"unknown header":    {block(map[string]string{"Valid-From": later}), "Valid-From is unknown"},
		"no time":           {block(map[string]string{"Signs-From": "tomorrow"}), "not a time"},
		"none signs yet":    {block(map[string]string{"Signs-From": later}), "that signs now"},
		"all retired":       {block(map[string]string{"Published-Until": "2020-01-01T00:00:00Z"}), "that signs now"},
		"another's x5c":     {withCertificate(t, ec, generate(t, jose.ES256)), "another key's"},
		"certificate first": {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1}}), "before any private key"},
		"public key":        {append(block(nil), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte{1}})...), "no place"},
		"only RSA":          {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8(t, generate(t, jose.RS256))}), "EC key on P-256"},
	} {
		list, err := keys.ParseRing(c.text)
		if err == nil {
			_, err = keys.NewRing(list, time.Now)
		}
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseRing(f *testing.F) {
	key, err := keys.Generate(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Headers: map[string]string{"Signs-From": "2026-11-24T12:00:00Z"}, Bytes: der}))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := keys.ParseRing(text)
		if err != nil {
			return
		}
		again, err := keys.EncodeRing(list)
		if err != nil {
			t.Fatal(err)
		}
		if reread, err := keys.ParseRing(again); err != nil || len(reread) != len(list) {
			t.Errorf("%d keys became %d: %v", len(list), len(reread), err)
		}
	})
}

func TestRotateFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "signing.pem")
	rotate := func(alg jose.SignatureAlgorithm) {
		t.Helper()
		err := keys.RotateFile(path, keys.Rotation{Algorithm: alg, New: generate(t, alg), Now: time.Now(), Announce: time.Hour, Overlap: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
	}
	rotate(jose.ES256)
	rotate(jose.EdDSA)
	rotate(jose.ES256)
	list, err := keys.ReadFile(path)
	if err != nil || len(list) != 3 {
		t.Fatalf("%d keys, %v", len(list), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	text, err := keys.Describe(list, time.Now())
	if err != nil || strings.Count(text, "signs ") != 2 || strings.Count(text, "published ") != 1 {
		t.Errorf("%s, %v", text, err)
	}
	later, err := keys.Describe(list, time.Now().Add(3*time.Hour))
	if err != nil || strings.Count(later, "retired") != 1 {
		t.Errorf("%s, %v", later, err)
	}
	if err := os.WriteFile(path, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := keys.RotateFile(path, keys.Rotation{Algorithm: jose.ES256, New: generate(t, jose.ES256)}); err == nil || !strings.Contains(err.Error(), "no PEM block with a private key") {
		t.Error("a broken file was replaced")
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "broken" {
		t.Error("a broken file was touched")
	}
}

// A ring is replaced as a whole, or not at all.
func TestReplace(t *testing.T) {
	at := func() time.Time { return time.Unix(1_800_000_000, 0) }
	fresh := func(algs ...jose.SignatureAlgorithm) []keys.Key {
		list, err := keys.GenerateRing(rand.Reader, algs...)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	ring, err := keys.NewRing(fresh(jose.ES256, jose.EdDSA), at)
	if err != nil {
		t.Fatal(err)
	}
	before := string(ring.JWKS())
	for name, list := range map[string][]keys.Key{"nothing": nil, "fewer algorithms": fresh(jose.ES256), "other algorithms": fresh(jose.ES256, jose.EdDSA, jose.RS256), "no ES256": fresh(jose.EdDSA)} {
		if err := ring.Replace(list); err == nil || string(ring.JWKS()) != before {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := ring.Replace(fresh(jose.ES256, jose.EdDSA)); err != nil || string(ring.JWKS()) == before {
		t.Errorf("another ring: %v", err)
	}
}
