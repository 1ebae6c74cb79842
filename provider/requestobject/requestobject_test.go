package requestobject_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/provider/clients"
	"regain/provider/remotekeys"
	"regain/provider/requestobject"
)

const issuer = "https://recover.example.org"

type bench struct {
	t      *testing.T
	now    time.Time
	key    *ecdsa.PrivateKey
	client *clients.Client
}

func setUp(t *testing.T) *bench {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, now: time.Now().Truncate(time.Second), key: key, client: &clients.Client{
		ID: "bank", Profile: clients.ProfileFAPI2Signing, RequestObjectAlgorithm: jose.ES256,
		Keys: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "sig", Use: "sig", Algorithm: "ES256"}}},
	}}
}

// claims of a good request object.
func (b *bench) claims() map[string]any {
	return map[string]any{
		"iss": "bank", "client_id": "bank", "aud": issuer, "nbf": b.now.Unix(), "exp": b.now.Add(5 * time.Minute).Unix(), "iat": b.now.Unix(), "jti": "1",
		"response_type": "code", "redirect_uri": "https://bank.example.org/callback", "scope": "openid", "state": "s", "max_age": 60,
		"claims": map[string]any{"userinfo": map[string]any{"email": nil}}, "flag": true, "absent": nil,
	}
}

func (b *bench) sign(alg jose.SignatureAlgorithm, key any, typ string, claims map[string]any) string {
	b.t.Helper()
	options := &jose.SignerOptions{}
	if typ != "" {
		options = options.WithType(jose.ContentType(typ))
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		b.t.Fatal(err)
	}
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == "-" })
	payload, err := json.Marshal(claims)
	if err != nil {
		b.t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		b.t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		b.t.Fatal(err)
	}
	return text
}

// nowhere is where keys cannot be had.
type nowhere struct{}

func (nowhere) Keys(context.Context, string, string) (jose.JSONWebKeySet, error) {
	return jose.JSONWebKeySet{}, remotekeys.ErrUnavailable
}

func (nowhere) Renew(context.Context, string) (jose.JSONWebKeySet, error) {
	return jose.JSONWebKeySet{}, remotekeys.ErrUnavailable
}

func source(t testing.TB) *clients.KeySource {
	t.Helper()
	s, err := clients.NewKeySource(nowhere{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// That the client's keys cannot be had now says nothing about the object.
func TestKeysThatCannotBeHad(t *testing.T) {
	b := setUp(t)
	b.client.JWKSURI = "https://bank.example.org/jwks"
	if _, err := b.verify(b.sign(jose.ES256, b.key, "oauth-authz-req+jwt", b.claims())); !errors.Is(err, remotekeys.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

func (b *bench) verify(object string) (url.Values, error) {
	return requestobject.Verify(b.t.Context(), object, requestobject.Expect{Client: b.client, Keys: source(b.t), Issuer: issuer, Now: b.now})
}

func TestWhatTheObjectSaysIsTheRequest(t *testing.T) {
	b := setUp(t)
	for _, typ := range []string{"oauth-authz-req+jwt", "JWT", ""} {
		form, err := b.verify(b.sign(jose.ES256, b.key, typ, b.claims()))
		if err != nil {
			t.Fatalf("typ %q: %v", typ, err)
		}
		want := url.Values{
			"client_id": {"bank"}, "response_type": {"code"}, "redirect_uri": {"https://bank.example.org/callback"}, "scope": {"openid"}, "state": {"s"},
			"max_age": {"60"}, "claims": {`{"userinfo":{"email":null}}`}, "flag": {"true"},
		}
		if form.Encode() != want.Encode() {
			t.Errorf("typ %q: %s", typ, form.Encode())
		}
	}
	for name, value := range map[string]any{
		"aud": []string{"https://other.example", issuer}, "nbf": b.now.Add(8 * time.Second).Unix(), "iat": "-", "client_id": "-",
	} {
		claims := b.claims()
		claims[name] = value
		if _, err := b.verify(b.sign(jose.ES256, b.key, "", claims)); err != nil {
			t.Errorf("%s %v: %v", name, value, err)
		}
	}
}

func TestRefused(t *testing.T) {
	b := setUp(t)
	for name, change := range map[string]map[string]any{
		"iss": {"iss": "other"}, "no iss": {"iss": "-"}, "client_id": {"client_id": "other"}, "sub": {"sub": "bank"}, "aud": {"aud": "https://other.example"}, "no aud": {"aud": "-"},
		"no exp": {"exp": "-"}, "expired": {"exp": b.now.Unix()}, "no nbf": {"nbf": "-"}, "nbf ahead": {"nbf": b.now.Add(time.Minute).Unix()},
		"old nbf": {"nbf": b.now.Add(-61 * time.Minute).Unix()}, "long life": {"exp": b.now.Add(61 * time.Minute).Unix()}, "iat ahead": {"iat": b.now.Add(time.Minute).Unix()},
		"request inside": {"request": "x"}, "request_uri inside": {"request_uri": "urn:x"},
	} {
		claims := b.claims()
		maps.Copy(claims, change)
		if form, err := b.verify(b.sign(jose.ES256, b.key, "", claims)); err == nil {
			t.Errorf("%s: %v", name, form)
		}
	}
	stranger := setUp(t)
	good := b.sign(jose.ES256, b.key, "", b.claims())
	parts := strings.Split(good, ".")
	twice := base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"bank","iss":"bank"}`))
	for name, object := range map[string]string{
		"empty": "", "no JWT": "x", "too long": strings.Repeat("a", 33<<10),
		"none":               base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".",
		"another's key":      b.sign(jose.ES256, stranger.key, "", b.claims()),
		"another algorithm":  b.sign(jose.HS256, []byte(strings.Repeat("k", 32)), "", b.claims()),
		"a client assertion": b.sign(jose.ES256, b.key, "client-authentication+jwt", b.claims()),
		"another payload":    parts[0] + "." + twice + "." + parts[2],
	} {
		if _, err := b.verify(object); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := b.verify(good); err != nil {
		t.Errorf("the good one: %v", err)
	}
	b.client.RequestObjectAlgorithm = ""
	if _, err := b.verify(good); !errors.Is(err, requestobject.ErrUnregistered) {
		t.Errorf("a client without objects: %v", err)
	}
}

// OpenID Connect Core wants fewer claims, and none of them wrong.
func TestOutsideFAPI(t *testing.T) {
	b := setUp(t)
	b.client.Profile = clients.ProfileRecovery
	if _, err := b.verify(b.sign(jose.ES256, b.key, "", map[string]any{"scope": "openid"})); err != nil {
		t.Error(err)
	}
	for name, claims := range map[string]map[string]any{"iss": {"iss": "x"}, "aud": {"aud": "x"}, "exp": {"exp": b.now.Unix()}, "nbf": {"nbf": b.now.Add(time.Minute).Unix()}} {
		if _, err := b.verify(b.sign(jose.ES256, b.key, "", claims)); err == nil {
			t.Errorf("a wrong %s", name)
		}
	}
}

func FuzzVerify(f *testing.F) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	client := &clients.Client{ID: "bank", RequestObjectAlgorithm: jose.ES256, Keys: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), Use: "sig"}}}}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"scope":"openid","claims":{"userinfo":null},"max_age":1e3}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		signed, err := signer.Sign(payload)
		if err != nil {
			return
		}
		text, err := signed.CompactSerialize()
		if err != nil {
			return
		}
		form, err := requestobject.Verify(t.Context(), text, requestobject.Expect{Client: client, Keys: source(t), Issuer: issuer, Now: time.Now()})
		if err == nil && (form.Has("request") || form.Has("request_uri") || form.Has("iss")) {
			t.Errorf("%s became %v", payload, form)
		}
	})
}
