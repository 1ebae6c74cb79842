package jws_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/conformance/proofing/jws"
)

const kind = "example+jwt"

func newKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t testing.TB, key any, alg jose.SignatureAlgorithm, typ, payload string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func TestTokens(t *testing.T) {
	key := newKey(t, elliptic.P256())
	good := sign(t, key, jose.ES256, kind, `{"iss":"a"}`)
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		compact string
		key     any
	}{
		"another key":  {good, newKey(t, elliptic.P256()).Public()},
		"another typ":  {sign(t, key, jose.ES256, "JWT", `{}`), key.Public()},
		"another alg":  {sign(t, edwards, jose.EdDSA, kind, `{}`), edwards.Public()},
		"a MAC":        {sign(t, make([]byte, 32), jose.HS256, kind, `{}`), make([]byte, 32)},
		"a name twice": {sign(t, key, jose.ES256, kind, `{"iss":"a","iss":"b"}`), key.Public()},
		"a list":       {sign(t, key, jose.ES256, kind, `[]`), key.Public()},
		"two dots":     {"..", key.Public()},
		"JSON":         {`{"payload":"e30","signatures":[]}`, key.Public()},
		"nothing":      {"", key.Public()},
		"cut":          {good[:len(good)-8], key.Public()},
		"none":         {base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"`+kind+`"}`)) + ".e30.", key.Public()},
	} {
		token, err := jws.Parse(row.compact, kind)
		if err == nil {
			var claims struct {
				Issuer string `json:"iss"`
			}
			err = token.Open(row.key, &claims)
		}
		if !errors.Is(err, jws.Err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	token, err := jws.Parse(good, kind)
	var claims struct {
		Issuer string `json:"iss"`
	}
	if err != nil || token.Open(key.Public(), &claims) != nil || claims.Issuer != "a" || token.HasCertificates() {
		t.Errorf("a good one: %v, %+v", err, claims)
	}
}

func TestPublicP256(t *testing.T) {
	key := newKey(t, elliptic.P256())
	for name, row := range map[string]struct {
		key  *jose.JSONWebKey
		want bool
	}{
		"public":  {&jose.JSONWebKey{Key: key.Public()}, true},
		"private": {&jose.JSONWebKey{Key: key}, false},
		"P-384":   {&jose.JSONWebKey{Key: newKey(t, elliptic.P384()).Public()}, false},
		"secret":  {&jose.JSONWebKey{Key: []byte("secret")}, false},
		"empty":   {&jose.JSONWebKey{}, false},
		"nothing": {nil, false},
	} {
		if jws.PublicP256(row.key) != row.want {
			t.Errorf("%s: not %t", name, row.want)
		}
	}
}

func TestFresh(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for offset, want := range map[time.Duration]bool{0: true, -5 * time.Minute: true, -301 * time.Second: false, time.Minute: true, 61 * time.Second: false} {
		if jws.Fresh(now.Add(offset).Unix(), now, 5*time.Minute) != want {
			t.Errorf("%s: not %t", offset, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	key := newKey(f, elliptic.P256())
	good := sign(f, key, jose.ES256, kind, `{"iss":"a"}`)
	f.Add(good)
	f.Add(strings.Replace(good, ".", ".e30.", 1))
	f.Fuzz(func(t *testing.T, compact string) {
		token, err := jws.Parse(compact, kind)
		if err != nil {
			return
		}
		var claims struct {
			Issuer string `json:"iss"`
		}
		if token.Open(key.Public(), &claims) == nil && claims.Issuer != "a" {
			t.Errorf("%q opens, and the key signed nothing of the kind", compact)
		}
	})
}
