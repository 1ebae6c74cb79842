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
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == "-" })
	payload, err := json.Marshal(claims)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.signPayload(jose.SigningKey{Algorithm: alg, Key: key}, options, payload)
}

func (b *bench) signPayload(key jose.SigningKey, options *jose.SignerOptions, payload []byte) string {
	b.t.Helper()
	signer, err := jose.NewSigner(key, options)
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
	for _, profile := range []clients.Profile{clients.ProfileFAPI2, clients.ProfileFAPI2Signing} {
		t.Run(string(profile), func(t *testing.T) { refuses(t, profile) })
	}
}

// An object under a FAPI profile is an hour old at most, lives for an hour at most, and says both.
func TestLifetimeInFAPI(t *testing.T) {
	b := setUp(t)
	for _, profile := range []clients.Profile{clients.ProfileFAPI2, clients.ProfileFAPI2Signing} {
		b.client.Profile = profile
		for _, row := range []struct {
			nbf, exp time.Duration // from now
			why      string
		}{
			{0, time.Hour, ""}, {-time.Hour, time.Second, "exp is more than an hour after nbf"}, {-time.Hour + time.Second, time.Second, ""}, {-time.Hour, 0, "exp is past"},
			{0, time.Hour + time.Second, "exp is more than an hour after nbf"}, {-time.Hour - time.Second, time.Minute, "nbf is more than an hour ago"}, {10 * time.Second, time.Minute, ""},
		} {
			claims := b.claims()
			claims["nbf"], claims["exp"] = b.now.Add(row.nbf).Unix(), b.now.Add(row.exp).Unix()
			_, err := b.verify(b.sign(jose.ES256, b.key, "", claims))
			if row.why == "" && err != nil || row.why != "" && (err == nil || !strings.Contains(err.Error(), row.why)) {
				t.Errorf("%s, nbf %s, exp %s: %v, want %q", profile, row.nbf, row.exp, err, row.why)
			}
		}
	}
}

func refuses(t *testing.T, profile clients.Profile) {
	b := setUp(t)
	b.client.Profile = profile
	for name, row := range map[string]struct {
		claim string
		value any
		why   string
	}{
		"iss":                {"iss", "other", "iss is not the client id"},
		"no iss":             {"iss", "-", "iss is not the client id"},
		"client_id":          {"client_id", "other", "client_id is another client's"},
		"sub":                {"sub", "bank", "sub is the client id"},
		"aud":                {"aud", "https://other.example", "aud does not name the issuer"},
		"no aud":             {"aud", "-", "aud does not name the issuer"},
		"no exp":             {"exp", "-", "exp is missing"},
		"expired":            {"exp", b.now.Unix(), "exp is past"},
		"no nbf":             {"nbf", "-", "nbf is missing"},
		"nbf ahead":          {"nbf", b.now.Add(time.Minute).Unix(), "nbf is in the future"},
		"old nbf":            {"nbf", b.now.Add(-61 * time.Minute).Unix(), "nbf is more than an hour ago"},
		"long life":          {"exp", b.now.Add(61 * time.Minute).Unix(), "exp is more than an hour after nbf"},
		"iat ahead":          {"iat", b.now.Add(time.Minute).Unix(), "iat is in the future"},
		"request inside":     {"request", "x", "holds another request object"},
		"request_uri inside": {"request_uri", "urn:x", "holds another request object"},
	} {
		claims := b.claims()
		claims[row.claim] = row.value
		if form, err := b.verify(b.sign(jose.ES256, b.key, "", claims)); err == nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v, %v", name, form, err)
		}
	}
	stranger := setUp(t)
	good := b.sign(jose.ES256, b.key, "", b.claims())
	parts := strings.Split(good, ".")
	twice := []byte(`{"iss":"bank","iss":"bank"}`)
	for name, row := range map[string]struct{ object, why string }{
		"empty":              {"", "no value at byte 0"},
		"no JWT":             {"x", "header is not base64url"},
		"too long":           {strings.Repeat("a", 33<<10), "is too long"},
		"none":               {base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".", "unexpected signature algorithm \"none\""},
		"another's key":      {b.sign(jose.ES256, stranger.key, "", b.claims()), "no registered key verifies the signature"},
		"another algorithm":  {b.sign(jose.HS256, []byte(strings.Repeat("k", 32)), "", b.claims()), "unexpected signature algorithm \"HS256\""},
		"a client assertion": {b.sign(jose.ES256, b.key, "client-authentication+jwt", b.claims()), "typ \"client-authentication+jwt\" is another kind"},
		"another payload":    {parts[0] + "." + base64.RawURLEncoding.EncodeToString(twice) + "." + parts[2], "no registered key verifies the signature"},
		"a member twice":     {b.signPayload(jose.SigningKey{Algorithm: jose.ES256, Key: b.key}, nil, twice), "a name stands twice"},
	} {
		if _, err := b.verify(row.object); err == nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v", name, err)
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
	for name, row := range map[string]struct {
		value any
		why   string
	}{
		"iss": {"x", "iss is not the client id"},
		"aud": {"x", "aud does not name the issuer"},
		"exp": {b.now.Unix(), "exp is past"},
		"nbf": {b.now.Add(time.Minute).Unix(), "nbf is in the future"},
	} {
		if _, err := b.verify(b.sign(jose.ES256, b.key, "", map[string]any{name: row.value})); err == nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("a wrong %s: %v", name, err)
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
