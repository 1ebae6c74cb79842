package clientauth_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regain/provider/clientauth"
	"regain/provider/clients"
	"regain/provider/mtls"
	"regain/provider/problem"
	"regain/provider/published"
	"regain/storage"
	"regain/storage/memory"
)

// The last second on each side of a limit is good, and the one after it is not (FAPI 2.0 Security Profile §5.3.2.1).
func TestTimesOfAssertions(t *testing.T) {
	m := setUpMethods(t)
	for _, row := range []struct {
		claim string
		from  time.Duration // from now
		why   string        // it is refused; "" where it is not
	}{
		{"exp", time.Second, ""}, {"exp", 0, "exp is missing or past"}, {"exp", -time.Second, "exp is missing or past"},
		{"exp", 5*time.Minute + 10*time.Second, ""}, {"exp", 5*time.Minute + 11*time.Second, "exp is more than 5m0s ahead"},
		{"iat", 10 * time.Second, ""}, {"iat", 11 * time.Second, "iat is in the future"}, {"iat", -time.Hour, ""},
		{"nbf", 10 * time.Second, ""}, {"nbf", 11 * time.Second, "nbf is in the future"}, {"nbf", -time.Hour, ""},
	} {
		a := m.good("private_key_jwt")
		a.claims[row.claim] = m.now.Add(row.from).Unix()
		if row.why != "" {
			m.refuses(row.claim+" "+row.from.String(), a, row.why)
		} else if _, err := m.try(a); err != nil {
			t.Errorf("%s %s from now: %v", row.claim, row.from, err)
		}
	}
}

// expiries is a store that notes the end of what was created last.
type expiries struct {
	storage.Store
	last time.Time
}

func (e *expiries) Create(ctx context.Context, r storage.Record) error {
	e.last = r.ExpiresAt
	return e.Store.Create(ctx, r)
}

// An assertion is remembered for longer than it is good, so that a node whose clock is behind knows it too; and not for ever.
func TestHowLongAssertionsAreRemembered(t *testing.T) {
	m := setUpMethods(t)
	store := &expiries{Store: m.store}
	m.store = store
	m.start()
	if _, err := m.try(m.good("private_key_jwt")); err != nil {
		t.Fatal(err)
	}
	if after := store.last.Sub(m.now); after != time.Minute+10*time.Second {
		t.Errorf("for %s", after)
	}
}

// A stranger who knows a client's next jti cannot use it up: it is recorded when everything else is right.
func TestARefusedAssertionUsesNothingUp(t *testing.T) {
	m := setUpMethods(t)
	for name, change := range map[string]func(a *attempt){
		"another's key": func(a *attempt) { a.key = m.keys["stranger"] }, "another aud": func(a *attempt) { a.claims["aud"] = "https://evil.example" },
		"past": func(a *attempt) { a.claims["exp"] = m.now.Unix() },
	} {
		a := m.good("private_key_jwt")
		a.claims["jti"] = name
		change(a)
		m.refuses(name, a, "")
		good := m.good("private_key_jwt")
		good.claims["jti"] = name
		if _, err := m.try(good); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
	}
}

// With a registered algorithm no other is taken, and a FAPI profile knows three (FAPI 2.0 Security Profile §5.4.1).
func TestAlgorithmsOfAssertions(t *testing.T) {
	m := setUpMethods(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	client := func(id string, alg jose.SignatureAlgorithm, profile clients.Profile) *clients.Client {
		return &clients.Client{
			ID: id, Name: "C", AuthMethod: clients.PrivateKeyJWT, AssertionAlgorithm: alg, Profile: profile, DPoPBound: profile.FAPI(), RedirectURIs: []string{"https://c.example/cb"}, Scopes: []string{"openid"},
			Keys: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: rsaKey.Public(), Use: "sig"}, {Key: edwards.Public(), Use: "sig"}, {Key: m.keys["client"].Public(), Use: "sig"}}},
		}
	}
	m.registry, err = clients.NewFixed([]*clients.Client{client("any", "", ""), client("one", jose.PS256, ""), client("fapi", "", clients.ProfileFAPI2), client("fapi one", jose.ES256, clients.ProfileFAPI2)})
	must(t, err)
	m.start()
	keys := map[jose.SignatureAlgorithm]any{jose.ES256: m.keys["client"], jose.PS256: rsaKey, jose.RS256: rsaKey, jose.EdDSA: edwards}
	for id, refused := range map[string]map[jose.SignatureAlgorithm]string{
		"any":      {},
		"one":      {jose.ES256: "alg is ES256, and PS256 is registered", jose.RS256: "alg is RS256, and PS256 is registered", jose.EdDSA: "alg is EdDSA, and PS256 is registered"},
		"fapi":     {jose.RS256: "profile fapi2-security does not allow RS256"},
		"fapi one": {jose.PS256: "alg is PS256, and ES256 is registered", jose.RS256: "alg is RS256, and ES256 is registered", jose.EdDSA: "alg is EdDSA, and ES256 is registered"},
	} {
		for alg, key := range keys {
			signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, nil)
			must(t, err)
			a := m.good("private_key_jwt")
			a.claims["iss"], a.claims["sub"] = id, id
			text, err := jwt.Signed(signer).Claims(a.claims).Serialize()
			must(t, err)
			form := url.Values{"client_assertion_type": {a.typ}, "client_assertion": {text}}
			got, err := m.try(&attempt{form: form, header: http.Header{}})
			if why := refused[alg]; why == "" && err != nil || why != "" && (err == nil || !strings.Contains(err.Error(), why) || got != nil) {
				t.Errorf("%s of %s: %v, %v, want %q", alg, id, got, err, why)
			}
		}
	}
}

// An assertion is a JWT of claims in their types: anything else is no reason to look further.
func TestAssertionsThatAreNone(t *testing.T) {
	m := setUpMethods(t)
	for name, row := range map[string]struct {
		change func(a *attempt)
		why    string
	}{
		"aud a number":   {func(a *attempt) { a.claims["aud"] = 7 }, "read client assertion"},
		"sub a number":   {func(a *attempt) { a.claims["sub"] = 7 }, "read client assertion"},
		"exp a text":     {func(a *attempt) { a.claims["exp"] = "soon" }, "read client assertion"},
		"no iss":         {func(a *attempt) { delete(a.claims, "iss") }, "iss is not the client id"},
		"no type at all": {func(a *attempt) { a.typ = "" }, "client_assertion_type is not"},
	} {
		a := m.good("private_key_jwt")
		row.change(a)
		m.refuses(name, a, row.why)
	}
	good := m.good("private_key_jwt")
	for name, text := range map[string]string{"no JWT": "x", "an empty one": "", "alg none": "eyJhbGciOiJub25lIn0.e30."} {
		form := url.Values{"client_assertion_type": {good.typ}, "client_assertion": {text}}
		m.refuses(name, &attempt{form: form, header: http.Header{}}, "parse client assertion")
	}
}

// What a Basic header names may be encoded, id and secret alike, and each half has to be (RFC 6749 §2.3.1).
func TestBasicIsFormEncoded(t *testing.T) {
	m := setUpMethods(t)
	for name, row := range map[string]struct{ id, secret, why string }{
		"encoded":      {"client%5Fsecret_basic", strings.ReplaceAll(secret, "-", "%2D"), ""},
		"a bad id":     {"%zz", secret, "invalid URL escape"},
		"a bad secret": {"client_secret_basic", "%zz", "invalid URL escape"},
		"no id":        {"", secret, "wrong id, secret or method"},
		"no secret":    {"client_secret_basic", "", "wrong id, secret or method"},
	} {
		a := &attempt{form: url.Values{}, header: http.Header{}}
		(&http.Request{Header: a.header}).SetBasicAuth(row.id, row.secret)
		if row.why != "" {
			m.refuses(name, a, row.why)
		} else if client, err := m.try(a); err != nil || client.ID != "client_secret_basic" {
			t.Errorf("%s: %v, %v", name, client, err)
		}
	}
	a := m.good("client_secret_basic")
	a.header["Authorization"] = []string{"Basic !"} // a method that is used, and proves nothing
	m.refuses("no Basic", a, "no client authentication")
	a = m.good("tls_client_auth")
	a.header["Authorization"] = []string{"Bearer x", "Bearer x"}
	m.refuses("a certificate beside two headers", a, "two client authentications")
}

// Certificates have their time, by our clock.
func TestCertificatesThatAreOver(t *testing.T) {
	m := setUpMethods(t)
	m.now = m.now.Add(61 * time.Minute)
	m.refuses("of a CA", m.good("tls_client_auth"), "certificate has expired")
	m.refuses("self-signed", m.good("self_signed_tls_client_auth"), "is not valid now")
	m.now = m.now.Add(-3 * time.Hour)
	m.refuses("of a CA, too early", m.good("tls_client_auth"), "is not yet valid")
	m.refuses("self-signed, too early", m.good("self_signed_tls_client_auth"), "is not valid now")
}

// A certificate that cannot be read is no certificate, for either method.
func TestCertificatesThatCannotBeRead(t *testing.T) {
	m := setUpMethods(t)
	for _, id := range []string{"tls_client_auth", "self_signed_tls_client_auth"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, issuer+"/token", http.NoBody)
		a := m.good(id)
		chain := make([]*x509.Certificate, 5)
		for i := range chain {
			chain[i] = a.certificate
		}
		r.TLS = &tls.ConnectionState{PeerCertificates: chain}
		got, err := m.Authenticate(r, a.form)
		var shown *problem.Error
		if !errors.As(err, &shown) || shown.Code != "invalid_client" || !strings.Contains(err.Error(), "a chain of 5 certificates") || got != nil {
			t.Errorf("%s: %v, %v", id, got, err)
		}
	}
}

// Nothing of an authenticator may be missing.
func TestNewNeedsEverything(t *testing.T) {
	store, err := memory.New(time.Now)
	must(t, err)
	source, err := mtls.New(mtls.Config{})
	must(t, err)
	keys, err := clients.NewKeySource(&jwkSets{})
	must(t, err)
	endpoints, err := published.New(issuer, "")
	must(t, err)
	good := clientauth.Config{Issuer: issuer, Endpoints: endpoints, Registry: clients.Fixed{}, Keys: keys, Source: source, Store: store, Clock: time.Now}
	if _, err := clientauth.New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*clientauth.Config){
		"issuer": func(c *clientauth.Config) { c.Issuer = "" }, "registry": func(c *clientauth.Config) { c.Registry = nil }, "keys": func(c *clientauth.Config) { c.Keys = nil },
		"source": func(c *clientauth.Config) { c.Source = nil }, "store": func(c *clientauth.Config) { c.Store = nil }, "clock": func(c *clientauth.Config) { c.Clock = nil },
	} {
		cfg := good
		change(&cfg)
		if _, err := clientauth.New(cfg); err == nil || !strings.Contains(err.Error(), "are required") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
