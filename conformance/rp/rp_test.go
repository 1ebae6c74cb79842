package rp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"regain/conformance/jose"
	"regain/conformance/rp"
)

// bench is a relying party, and a provider that publishes its key and says what a test wants to hear.
type bench struct {
	*rp.RP
	t       *testing.T
	now     time.Time
	issuer  string
	key     *ecdsa.PrivateKey
	enc     jose.JWK // the relying party's
	respond http.HandlerFunc
}

const redirect = "https://idp.example/callback"

func setUp(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Now().Truncate(time.Second), key: newKey(t)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/jwks" {
			_ = json.NewEncoder(w).Encode(jose.JWKSet{Keys: []jose.JWK{{Key: b.key.Public(), KeyID: "k", Use: "sig"}}})
			return
		}
		b.respond(w, r)
	}))
	t.Cleanup(server.Close)
	b.issuer = server.URL
	var err error
	b.RP, err = rp.New(rp.Config{Issuer: b.issuer, ClientID: "client", RedirectURI: redirect, HTTPClient: server.Client(), Clock: func() time.Time { return b.now }})
	if err != nil {
		t.Fatal(err)
	}
	set, err := b.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	var keys jose.JWKSet
	if err := json.Unmarshal(set, &keys); err != nil {
		t.Fatal(err)
	}
	b.enc = keys.Key("enc")[0]
	if strings.Contains(string(set), `"d"`) || len(keys.Key("sig")) != 1 {
		t.Fatal("the key set is private, or lacks a key")
	}
	return b
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// forge makes tokens, good but for what change does to them.
type forge struct {
	id, recovery map[string]any
	typ          string
	key          *ecdsa.PrivateKey
	open         bool // not encrypted
}

func (b *bench) tokens(a rp.Attempt, change func(*forge)) rp.Tokens {
	b.t.Helper()
	sum := sha256.Sum256([]byte("access"))
	common := map[string]any{
		"iss": b.issuer, "aud": "client", "sub": "ada@example.org", "iat": b.now.Unix(), "exp": b.now.Add(time.Minute).Unix(), "nonce": a.Nonce, "txn": "txn",
	}
	f := &forge{id: maps.Clone(common), recovery: maps.Clone(common), typ: "recovery+jwt", key: b.key}
	f.id["at_hash"] = base64.RawURLEncoding.EncodeToString(sum[:16])
	f.recovery["jti"] = "jti"
	f.recovery["recovery"] = map[string]any{"mode": "production", "temporary_access_pass": map[string]any{"value": "SECRET22"}}
	if change != nil {
		change(f)
	}
	signed := b.sign("JWT", f.id, f.key)
	inner := b.sign(f.typ, f.recovery, f.key)
	if !f.open {
		sealed, err := jose.Recipient{Key: b.enc, Encoding: "A256GCM"}.Seal([]byte(inner), map[string]any{"cty": "JWT"})
		if err != nil {
			b.t.Fatal(err)
		}
		inner = sealed
	}
	return rp.Tokens{AccessToken: "access", IDToken: signed, RecoveryToken: inner}
}

func (b *bench) sign(typ string, claims map[string]any, key *ecdsa.PrivateKey) string {
	b.t.Helper()
	compact, err := jose.Sign(key, map[string]any{"typ": typ, "kid": "k"}, claims)
	if err != nil {
		b.t.Fatal(err)
	}
	return compact
}

func TestCheck(t *testing.T) {
	b := setUp(t)
	a := rp.Attempt{Nonce: "nonce"}
	got, err := b.Check(t.Context(), a, "ada@example.org", b.tokens(a, nil))
	if err != nil || got.Recovery.Pass.Value != "SECRET22" {
		t.Fatalf("good tokens: %v", err)
	}
	for name, change := range map[string]func(*forge){
		"iss":               func(f *forge) { f.recovery["iss"] = "https://x.example" },
		"aud":               func(f *forge) { f.recovery["aud"] = "another" },
		"sub":               func(f *forge) { f.recovery["sub"] = "bob@example.org" },
		"sub of both":       func(f *forge) { f.recovery["sub"], f.id["sub"] = "bob@example.org", "bob@example.org" },
		"nonce":             func(f *forge) { f.recovery["nonce"] = "x" },
		"expired":           func(f *forge) { f.recovery["exp"] = b.now.Add(-time.Second).Unix() },
		"txn":               func(f *forge) { f.recovery["txn"] = "another" },
		"no txn":            func(f *forge) { f.recovery["txn"], f.id["txn"] = "", "" },
		"evaluation":        func(f *forge) { f.recovery["recovery"] = map[string]any{"mode": "evaluation"} },
		"no pass":           func(f *forge) { f.recovery["recovery"] = map[string]any{"mode": "production"} },
		"typ":               func(f *forge) { f.typ = "JWT" },
		"in the open":       func(f *forge) { f.open = true },
		"another's key":     func(f *forge) { f.key = newKey(t) },
		"ID token's iss":    func(f *forge) { f.id["iss"] = "https://x.example" },
		"ID token's aud":    func(f *forge) { f.id["aud"] = "another" },
		"ID token's nonce":  func(f *forge) { f.id["nonce"] = "x" },
		"ID token's end":    func(f *forge) { f.id["exp"] = b.now.Add(-time.Second).Unix() },
		"another at_hash":   func(f *forge) { f.id["at_hash"] = "x" },
		"no account at all": func(f *forge) { f.recovery["sub"], f.id["sub"] = "", "" },
	} {
		if _, err := b.Check(t.Context(), a, "ada@example.org", b.tokens(a, change)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := b.Check(t.Context(), a, "ada@example.org", rp.Tokens{}); err == nil {
		t.Error("no tokens at all were accepted")
	}
}

func TestStartAndCode(t *testing.T) {
	b := setUp(t)
	b.respond = func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.PostForm.Get("client_assertion") == "" || r.PostForm.Get("code_challenge_method") != "S256" || r.PostForm.Has("login_hint") {
			http.Error(w, "{}", http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte(`{"request_uri":"urn:x","expires_in":60}`))
	}
	a, err := b.Start(t.Context(), "ada@example.org", map[string]string{"login_hint": "", "prompt": "login"})
	if err != nil || a.RequestURI != "urn:x" || !strings.HasPrefix(a.AuthorizeURL, b.issuer+"/authorize?") {
		t.Fatalf("%+v, %v", a.RequestURI, err)
	}
	good := redirect + "?code=c&state=" + a.State + "&iss=" + b.issuer
	if code, err := b.Code(a, good); err != nil || code != "c" {
		t.Errorf("%s, %v", code, err)
	}
	for name, bad := range map[string]string{
		"elsewhere": strings.Replace(good, "idp.", "x.", 1), "state": strings.Replace(good, a.State, "x", 1), "iss": strings.Replace(good, "iss=http", "iss=ftp", 1),
		"no iss": strings.Split(good, "&iss")[0], "no code": strings.Replace(good, "code=c&", "", 1), "not a URL": "%",
	} {
		if code, err := b.Code(a, bad); err == nil {
			t.Errorf("%s: %s", name, code)
		}
	}
	if _, err := b.Code(a, strings.Replace(good, "code=c", "error=access_denied", 1)); !errors.Is(err, rp.ErrDenied) {
		t.Errorf("a denial: %v", err)
	}
}

func TestErrorsOfTheProvider(t *testing.T) {
	b := setUp(t)
	b.respond = func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant","error_description":"used"}`))
	}
	_, err := b.Redeem(t.Context(), rp.Attempt{}, "c")
	var problem *rp.Error
	if !errors.As(err, &problem) || problem.Code != "invalid_grant" || problem.Status != http.StatusBadRequest {
		t.Errorf("got %v", err)
	}
	b.respond = func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", http.StatusBadGateway) }
	if _, err := b.VerifyPass(t.Context(), "a", "p"); err == nil {
		t.Error("a page was taken for an answer")
	}
}
