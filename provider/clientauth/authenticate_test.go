package clientauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
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

const secret = "a-client-secret-of-more-than-thirty-two-characters"

// methods is a server with one client for each method, named for it.
type methods struct {
	*clientauth.Authenticator
	t            *testing.T
	registry     clients.Registry
	store        storage.Store
	keys         map[string]*ecdsa.PrivateKey
	certificates map[string]*x509.Certificate
	now          time.Time
}

func setUpMethods(t *testing.T) *methods {
	t.Helper()
	m := &methods{t: t, keys: map[string]*ecdsa.PrivateKey{}, certificates: map[string]*x509.Certificate{}, now: time.Now().Truncate(time.Second)}
	store, err := memory.New(func() time.Time { return m.now })
	must(t, err)
	m.store = store
	for _, name := range []string{"client", "stranger"} { // first the CAs
		m.certify(name+"'s CA", "")
		m.certify(name, name+"'s CA")
	}
	m.certify("another name", "client's CA")
	client := func(method clients.AuthMethod) *clients.Client {
		c := &clients.Client{ID: string(method), Name: "C", AuthMethod: method, RedirectURIs: []string{"https://c.example/cb"}, Scopes: []string{"openid"}}
		switch {
		case method.Secret():
			c.SecretDigest = sha256.Sum256([]byte(secret))
		case method == clients.TLSClientAuth:
			c.TLSIdentity = mtls.Identity{DNS: "client"}
		default:
			c.Keys = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: m.keys["client"].Public(), KeyID: "sig", Use: "sig"}}}
		}
		return c
	}
	var list []*clients.Client
	for _, method := range clients.AuthMethods() {
		list = append(list, client(method))
	}
	fapi := client(clients.PrivateKeyJWT)
	fapi.ID, fapi.Profile, fapi.DPoPBound = "fapi", clients.ProfileFAPI2, true
	m.registry, err = clients.NewFixed(append(list, fapi))
	must(t, err)
	m.start()
	return m
}

// start makes the authenticator of what m has now.
func (m *methods) start() {
	m.t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(m.certificates["client's CA"])
	source, err := mtls.New(mtls.Config{Roots: roots})
	must(m.t, err)
	keys, err := clients.NewKeySource(&jwkSets{})
	must(m.t, err)
	endpoints, err := published.New(issuer, "https://mtls.example.org")
	must(m.t, err)
	m.Authenticator, err = clientauth.New(clientauth.Config{
		Issuer: issuer, Endpoints: endpoints, Registry: m.registry, Keys: keys, Source: source, Store: m.store, Clock: func() time.Time { return m.now },
	})
	must(m.t, err)
}

// certify makes a key and its certificate, by the CA of that name or self-signed.
func (m *methods) certify(name, ca string) {
	m.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(m.t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(len(m.keys) + 1)), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: m.now.Add(-time.Hour), NotAfter: m.now.Add(time.Hour),
		IsCA: ca == "", BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	parent, signer := template, key
	if ca != "" {
		parent, signer = m.certificates[ca], m.keys[ca]
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	must(m.t, err)
	m.keys[name] = key
	m.certificates[name], err = x509.ParseCertificate(der)
	must(m.t, err)
}

// attempt is a request that authenticates, before it is sent.
type attempt struct {
	form        url.Values
	header      http.Header
	certificate *x509.Certificate
	claims      map[string]any // of the assertion
	key         *ecdsa.PrivateKey
	typ         string // client_assertion_type
}

// good is how the client of a method authenticates.
func (m *methods) good(id string) *attempt {
	a := &attempt{form: url.Values{"client_id": {id}}, header: http.Header{}}
	switch id {
	case "client_secret_basic":
		r := &http.Request{Header: a.header}
		r.SetBasicAuth(id, secret)
	case "client_secret_post":
		a.form.Set("client_secret", secret)
	case "private_key_jwt", "fapi":
		a.typ, a.key = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", m.keys["client"]
		a.claims = map[string]any{"iss": id, "sub": id, "aud": issuer, "jti": rand.Text(), "exp": m.now.Add(time.Minute).Unix()}
	default:
		a.certificate = m.certificates["client"]
	}
	return a
}

func (m *methods) try(a *attempt) (*clients.Client, error) {
	m.t.Helper()
	if a.claims != nil {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: a.key}, nil)
		must(m.t, err)
		assertion, err := jwt.Signed(signer).Claims(a.claims).Serialize()
		must(m.t, err)
		a.form.Set("client_assertion_type", a.typ)
		a.form.Set("client_assertion", assertion)
	}
	r := httptest.NewRequestWithContext(m.t.Context(), http.MethodPost, issuer+"/token", http.NoBody)
	r.Header, r.TLS = a.header, &tls.ConnectionState{}
	if a.certificate != nil {
		r.TLS.PeerCertificates = []*x509.Certificate{a.certificate}
	}
	return m.Authenticate(r, a.form)
}

func (m *methods) refuses(name string, a *attempt, why string) {
	m.t.Helper()
	client, err := m.try(a)
	var shown *problem.Error
	if !errors.As(err, &shown) || shown.Code != "invalid_client" || !strings.Contains(err.Error(), why) || client != nil {
		m.t.Errorf("%s: got %v, %v, want %q", name, client, err, why)
	}
}

// Each method lets its client in, and no other method does.
func TestEveryMethod(t *testing.T) {
	m := setUpMethods(t)
	for _, id := range append(clients.AuthMethods(), "fapi") {
		if client, err := m.try(m.good(string(id))); err != nil || client.ID != string(id) {
			t.Errorf("%s: %v, %v", id, client, err)
		}
	}
	for _, id := range clients.AuthMethods() {
		for _, other := range clients.AuthMethods() {
			if id == other || id.TLS() && other.TLS() {
				continue
			}
			a := m.good(string(other))
			a.form.Set("client_id", string(id)) // by another's way, of which the other's name may be a part
			if client, err := m.try(a); err == nil && client.ID == string(id) {
				t.Errorf("%s came in by %s", id, other)
			}
		}
		// Naming a client id is not being that client.
		m.refuses(string(id)+" by name", &attempt{form: url.Values{"client_id": {string(id)}}, header: http.Header{}}, "no ")
	}
	m.refuses("nobody", &attempt{form: url.Values{}, header: http.Header{}}, "no client authentication")
}

// What is wrong with a certificate, a secret or an assertion keeps the client out, each for its own reason.
func TestAuthenticationIsRefused(t *testing.T) {
	m := setUpMethods(t)
	for name, row := range map[string]struct {
		id, why string
		change  func(a *attempt)
	}{
		"no certificate":              {"tls_client_auth", "no client certificate was shown", func(a *attempt) { a.certificate = nil }},
		"another CA's certificate":    {"tls_client_auth", "certificate signed by unknown authority", func(a *attempt) { a.certificate = m.certificates["stranger"] }},
		"another name's certificate":  {"tls_client_auth", "names another subject", func(a *attempt) { a.certificate = m.certificates["another name"] }},
		"no self-signed certificate":  {"self_signed_tls_client_auth", "no client certificate was shown", func(a *attempt) { a.certificate = nil }},
		"another's certificate":       {"self_signed_tls_client_auth", "in no key of the client's jwks", func(a *attempt) { a.certificate = m.certificates["stranger"] }},
		"a certificate of nobody's":   {"tls_client_auth", "no such client with a certificate", func(a *attempt) { a.form.Set("client_id", "nobody") }},
		"a wrong secret":              {"client_secret_post", "wrong id, secret or method", func(a *attempt) { a.form.Set("client_secret", secret+"x") }},
		"a secret in the wrong place": {"client_secret_post", "wrong id, secret or method", func(a *attempt) { a.form.Set("client_id", "client_secret_basic") }},
		"a secret of nobody's":        {"client_secret_post", "wrong id, secret or method", func(a *attempt) { a.form.Set("client_id", "nobody") }},
		"a secret of nobody":          {"client_secret_post", "wrong id, secret or method", func(a *attempt) { a.form.Del("client_id") }},
		"Basic of another":            {"client_secret_basic", "client_id is not the authenticated client", func(a *attempt) { a.form.Set("client_id", "client_secret_post") }},
		"Basic, badly encoded":        {"client_secret_basic", "invalid URL escape", func(a *attempt) { (&http.Request{Header: a.header}).SetBasicAuth("client_secret_basic", "%zz") }},
		"Basic and a secret":          {"client_secret_basic", "two client authentications", func(a *attempt) { a.form.Set("client_secret", secret) }},
		"Basic twice":                 {"client_secret_basic", "two client authentications", func(a *attempt) { a.header["Authorization"] = slices.Repeat(a.header["Authorization"], 2) }},
		"a bearer token":              {"client_secret_post", "two client authentications", func(a *attempt) { a.header.Set("Authorization", "Bearer x") }},
		"a secret and an assertion":   {"private_key_jwt", "two client authentications", func(a *attempt) { a.form.Set("client_secret", secret) }},
		"another type of assertion":   {"private_key_jwt", "client_assertion_type is not", func(a *attempt) { a.typ = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer" }},
		"another's key":               {"private_key_jwt", "no registered key verifies the signature", func(a *attempt) { a.key = m.keys["stranger"] }},
		"an assertion of nobody's":    {"private_key_jwt", "no such client with private_key_jwt", func(a *attempt) { a.claims["sub"] = "nobody" }},
		"an assertion beside another": {"private_key_jwt", "client_id is not the authenticated client", func(a *attempt) { a.form.Set("client_id", "fapi") }},
		"an assertion for a secret":   {"private_key_jwt", "no such client with private_key_jwt", func(a *attempt) { a.claims["sub"] = "client_secret_post" }},
		"no jti":                      {"private_key_jwt", "jti is missing", func(a *attempt) { delete(a.claims, "jti") }},
		"exp at this moment":          {"private_key_jwt", "exp is missing or past", func(a *attempt) { a.claims["exp"] = m.now.Unix() }},
		"no exp":                      {"private_key_jwt", "exp is missing or past", func(a *attempt) { delete(a.claims, "exp") }},
		"exp too far ahead":           {"private_key_jwt", "exp is more than 5m0s ahead", func(a *attempt) { a.claims["exp"] = m.now.Add(6 * time.Minute).Unix() }},
		"iat ahead":                   {"private_key_jwt", "iat is in the future", func(a *attempt) { a.claims["iat"] = m.now.Add(time.Minute).Unix() }},
		"nbf ahead":                   {"private_key_jwt", "nbf is in the future", func(a *attempt) { a.claims["nbf"] = m.now.Add(time.Minute).Unix() }},
		"another iss":                 {"private_key_jwt", "iss is not the client id", func(a *attempt) { a.claims["iss"] = "fapi" }},
		"another aud":                 {"private_key_jwt", "aud must be the issuer", func(a *attempt) { a.claims["aud"] = "https://evil.example" }},
		"another aud beside":          {"private_key_jwt", "aud must be the issuer", func(a *attempt) { a.claims["aud"] = []string{issuer + "/token", "https://evil.example"} }},
		"no aud":                      {"private_key_jwt", "aud must be the issuer", func(a *attempt) { delete(a.claims, "aud") }},
		"an array in FAPI":            {"fapi", "as a string", func(a *attempt) { a.claims["aud"] = []string{issuer} }},
		"the endpoint in FAPI":        {"fapi", "aud must be the issuer", func(a *attempt) { a.claims["aud"] = issuer + "/token" }},
		"the alias in FAPI":           {"fapi", "aud must be the issuer", func(a *attempt) { a.claims["aud"] = "https://mtls.example.org/token" }},
	} {
		a := m.good(row.id)
		row.change(a)
		m.refuses(name, a, row.why)
	}
}

// Every URL that names this server is an audience for a client outside FAPI (RFC 9126 §2), alone or together.
func TestAudiences(t *testing.T) {
	m := setUpMethods(t)
	const alias = "https://mtls.example.org"
	for _, aud := range []any{
		issuer, []string{issuer}, issuer + "/token", []string{issuer + "/token"}, issuer + "/par", alias + "/token", alias + "/par", []string{issuer, issuer + "/token"}, []string{issuer + "/par", issuer + "/token", issuer},
	} {
		a := m.good("private_key_jwt")
		a.claims["aud"] = aud
		if _, err := m.try(a); err != nil {
			t.Errorf("aud %v: %v", aud, err)
		}
	}
	for _, aud := range []any{issuer + "/", issuer + "/userinfo", issuer + "/token/", strings.ToUpper(issuer), "http" + strings.TrimPrefix(issuer, "https"), alias, "/token", "", []string{}} {
		a := m.good("private_key_jwt")
		a.claims["aud"] = aud
		m.refuses("an audience", a, "aud must be the issuer")
	}
}

// An assertion works once for as long as it is good, and its jti is another client's to use.
func TestAssertionsWorkOnce(t *testing.T) {
	m := setUpMethods(t)
	a := m.good("private_key_jwt")
	a.claims["jti"] = "once"
	if _, err := m.try(a); err != nil {
		t.Fatal(err)
	}
	m.now = m.now.Add(59 * time.Second) // the last second in which it is good
	m.refuses("again", a, "jti was used before")
	other := m.good("fapi")
	other.claims["jti"] = "once"
	if _, err := m.try(other); err != nil {
		t.Errorf("another client's jti: %v", err)
	}
}

// outage is a registry and a store that do not answer.
type outage struct{ storage.Store }

var errDown = errors.New("down")

func (outage) Client(context.Context, string) (*clients.Client, error) { return nil, errDown }
func (outage) Create(context.Context, storage.Record) error            { return errDown }
func (outage) Get(context.Context, storage.Kind, string) (storage.Record, error) {
	return storage.Record{}, storage.ErrNotFound
}

// What cannot be looked up is no verdict on the client.
func TestOutages(t *testing.T) {
	for name, fail := range map[string]func(m *methods){"registry": func(m *methods) { m.registry = outage{} }, "store": func(m *methods) { m.store = outage{} }} {
		m := setUpMethods(t)
		fail(m)
		m.start()
		for _, id := range clients.AuthMethods() {
			if name == "store" && id != clients.PrivateKeyJWT {
				continue
			}
			client, err := m.try(m.good(string(id)))
			var shown *problem.Error
			if !errors.As(err, &shown) || shown.Code != "temporarily_unavailable" || !errors.Is(err, errDown) || client != nil {
				t.Errorf("%s, %s: %v, %v", name, id, client, err)
			}
		}
	}
	if _, err := clientauth.New(clientauth.Config{}); err == nil {
		t.Error("made of nothing")
	}
}

// FuzzAssertion lets in nobody who does not hold a key, and never more than once.
func FuzzAssertion(f *testing.F) {
	for _, claims := range []string{
		`{"iss":"private_key_jwt","sub":"private_key_jwt","aud":"https://recover.example.org","jti":"1","exp":4000000000}`,
		`{"iss":"fapi","sub":"fapi","aud":["https://recover.example.org"],"jti":"1","exp":1e99}`, `{"sub":"private_key_jwt","aud":7}`, `{}`,
	} {
		f.Add(claims, true)
		f.Add(claims, false)
	}
	f.Fuzz(func(t *testing.T, claims string, own bool) {
		m := setUpMethods(t)
		m.now = time.Unix(4000000000-60, 0)
		key := m.keys["stranger"]
		if own {
			key = m.keys["client"]
		}
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
		must(t, err)
		signed, err := signer.Sign([]byte(claims))
		must(t, err)
		text, err := signed.CompactSerialize()
		must(t, err)
		form := url.Values{"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {text}}
		client, err := m.try(&attempt{form: form, header: http.Header{}})
		if err == nil && (!own || !strings.Contains(claims, client.ID)) {
			t.Errorf("%s, by %s's key, is %s", claims, map[bool]string{true: "the client", false: "a stranger"}[own], client.ID)
		}
		if _, again := m.try(&attempt{form: form, header: http.Header{}}); err == nil && again == nil {
			t.Errorf("%s worked twice", claims)
		}
	})
}
