package jwe_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"regain/conformance/proofing/jwe"
)

func newPrivate(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newKey(t testing.TB) *jwe.Key {
	t.Helper()
	key, err := jwe.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// seal encrypts as a wallet would.
func seal(t testing.TB, enc jose.ContentEncryption, to jose.Recipient, zip jose.CompressionAlgorithm) string {
	t.Helper()
	encrypter, err := jose.NewEncrypter(enc, to, &jose.EncrypterOptions{Compression: zip})
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := encrypter.Encrypt([]byte(`{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	compact, err := sealed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

func TestRequests(t *testing.T) {
	key := newKey(t)
	public := key.Set().Keys[0]
	if public.KeyID == "" || public.Algorithm != "ECDH-ES" || !public.IsPublic() {
		t.Fatalf("published: %+v", public)
	}
	for _, enc := range jwe.Encodings() {
		plain, err := key.Open(seal(t, jose.ContentEncryption(enc), jose.Recipient{Algorithm: jose.ECDH_ES, KeyID: public.KeyID, Key: public.Key}, jose.NONE))
		if err != nil || string(plain) != `{"a":1}` {
			t.Errorf("%s: %q, %v", enc, plain, err)
		}
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	key := newKey(t)
	public := key.Set().Keys[0]
	good := seal(t, jose.A256GCM, jose.Recipient{Algorithm: jose.ECDH_ES, KeyID: public.KeyID, Key: public.Key}, jose.NONE)
	rest := good[strings.Index(good, "."):]
	for name, compact := range map[string]string{
		"nothing":           "",
		"in the clear":      `{"a":1}`,
		"another kid":       seal(t, jose.A256GCM, jose.Recipient{Algorithm: jose.ECDH_ES, KeyID: "other", Key: public.Key}, jose.NONE),
		"no kid":            seal(t, jose.A256GCM, jose.Recipient{Algorithm: jose.ECDH_ES, KeyID: "", Key: public.Key}, jose.NONE),
		"another key":       seal(t, jose.A256GCM, jose.Recipient{Algorithm: jose.ECDH_ES, KeyID: public.KeyID, Key: newPrivate(t, elliptic.P256()).Public()}, jose.NONE),
		"another alg":       seal(t, jose.A256GCM, jose.Recipient{Algorithm: jose.ECDH_ES_A128KW, KeyID: public.KeyID, Key: public.Key}, jose.NONE),
		"another enc":       seal(t, jose.A128CBC_HS256, jose.Recipient{Algorithm: jose.ECDH_ES, KeyID: public.KeyID, Key: public.Key}, jose.NONE),
		"compressed":        seal(t, jose.A256GCM, jose.Recipient{Algorithm: jose.ECDH_ES, KeyID: public.KeyID, Key: public.Key}, jose.DEFLATE),
		"cut":               good[:len(good)-4],
		"no header":         rest,
		"header not JSON":   "AAAA" + rest,
		"header not base64": "%" + rest,
		"a secret":          seal(t, jose.A256GCM, jose.Recipient{Algorithm: jose.DIRECT, KeyID: public.KeyID, Key: make([]byte, 32)}, jose.NONE),
	} {
		if _, err := key.Open(compact); !errors.Is(err, jwe.ErrRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func parameters(t testing.TB, private *ecdsa.PrivateKey) jwe.Parameters {
	t.Helper()
	return jwe.Parameters{JWK: jose.JSONWebKey{Key: private.Public(), Algorithm: "ECDH-ES", KeyID: "mine"}, Encoding: "A256GCM"}
}

func TestResponses(t *testing.T) {
	private, def := newPrivate(t, elliptic.P256()), "DEF"
	for name, change := range map[string]func(*jwe.Parameters){
		"as it is": func(*jwe.Parameters) {}, "A128GCM": func(p *jwe.Parameters) { p.Encoding = "A128GCM" },
		"compressed": func(p *jwe.Parameters) { p.Zip = &def }, "no kid": func(p *jwe.Parameters) { p.JWK.KeyID = "" },
	} {
		p := parameters(t, private)
		change(&p)
		compact, err := p.Seal([]byte(`{"credentials":[]}`))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		sealed, err := jose.ParseEncryptedCompact(compact, []jose.KeyAlgorithm{jose.ECDH_ES}, []jose.ContentEncryption{jose.ContentEncryption(p.Encoding)})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		plain, err := sealed.Decrypt(private)
		if err != nil || string(plain) != `{"credentials":[]}` || sealed.Header.KeyID != p.JWK.KeyID {
			t.Errorf("%s: %q for %q, %v", name, plain, sealed.Header.KeyID, err)
		}
		raw, err := base64.RawURLEncoding.DecodeString(strings.Split(compact, ".")[0])
		if err != nil || strings.Contains(string(raw), `"zip":"DEF"`) != (p.Zip != nil) {
			t.Errorf("%s: header %s", name, raw)
		}
	}
}

// Each row starts from good parameters and breaks one thing.
func TestParametersThatAreRefused(t *testing.T) {
	private, other := newPrivate(t, elliptic.P256()), "GZIP"
	for name, change := range map[string]func(*jwe.Parameters){
		"no alg":        func(p *jwe.Parameters) { p.JWK.Algorithm = "" },
		"another alg":   func(p *jwe.Parameters) { p.JWK.Algorithm = "RSA-OAEP" },
		"a made-up alg": func(p *jwe.Parameters) { p.JWK.Algorithm = "UNSUPPORTED_ALG" },
		"P-384":         func(p *jwe.Parameters) { p.JWK.Key = newPrivate(t, elliptic.P384()).Public() },
		"private key":   func(p *jwe.Parameters) { p.JWK.Key = private },
		"no key":        func(p *jwe.Parameters) { p.JWK.Key = nil },
		"for signing":   func(p *jwe.Parameters) { p.JWK.Use = "sig" },
		"another enc":   func(p *jwe.Parameters) { p.Encoding = "A128CBC-HS256" },
		"no enc":        func(p *jwe.Parameters) { p.Encoding = "" },
		"another zip":   func(p *jwe.Parameters) { p.Zip = &other },
	} {
		p := parameters(t, private)
		change(&p)
		if _, err := p.Seal([]byte("{}")); !errors.Is(err, jwe.ErrParameters) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	key := newKey(f)
	public := key.Set().Keys[0]
	f.Add(seal(f, jose.A256GCM, jose.Recipient{Algorithm: jose.ECDH_ES, KeyID: public.KeyID, Key: public.Key}, jose.NONE))
	f.Add(seal(f, jose.A128GCM, jose.Recipient{Algorithm: jose.ECDH_ES, KeyID: public.KeyID, Key: public.Key}, jose.DEFLATE))
	f.Add("e30.....")
	f.Fuzz(func(t *testing.T, compact string) {
		if plain, err := key.Open(compact); err == nil && string(plain) != `{"a":1}` {
			t.Errorf("%q opens to %q", compact, plain)
		}
	})
}

func FuzzParameters(f *testing.F) {
	raw, err := json.Marshal(parameters(f, newPrivate(f, elliptic.P256())))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"jwk":{"kty":"oct","k":"AAAA","alg":"ECDH-ES"},"enc":"A256GCM","zip":"DEF"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var p jwe.Parameters
		if json.Unmarshal(raw, &p) == nil && p.Check() == nil {
			if _, err := p.Seal([]byte("{}")); err != nil {
				t.Errorf("%s: %v", raw, err)
			}
		}
	})
}
