package linkeddomain_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"regain/internal/fetch"
	"regain/verifier/did"
	"regain/verifier/linkeddomain"
	"regain/verifier/verifiertest"
)

const configuration = "/.well-known/did-configuration.json"

// scene is a link in order.
type scene struct {
	site     *verifiertest.Site
	identity *verifiertest.Identity
	clock    *verifiertest.Clock
	linkage  *verifiertest.JWT
	entries  []any // beside the linkage
}

func newScene(t testing.TB) *scene {
	t.Helper()
	s := &scene{site: verifiertest.NewSite(t), clock: verifiertest.NewClock()}
	s.identity = s.site.Identity("ES256K")
	s.linkage = verifiertest.NewDomainLinkage(s.identity, s.site.Origin+"/", s.clock.Now())
	return s
}

func (s *scene) verifier(t testing.TB, from linkeddomain.Fetcher) *linkeddomain.Verifier {
	t.Helper()
	resolver, err := did.New(did.Config{MaxTTL: time.Hour, Fetch: from, Clock: s.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	v, err := linkeddomain.New(linkeddomain.Config{MaxTTL: time.Hour, Fetch: from, Resolver: resolver, Clock: s.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (s *scene) verify(t testing.TB) (string, error) {
	t.Helper()
	if s.linkage != nil {
		s.site.ServeConfiguration(append(s.entries, s.linkage.Sign(t))...)
	}
	return s.verifier(t, s.site.Fetcher()).Verify(t.Context(), parse(t, s.identity.DID))
}

func parse(t testing.TB, text string) did.DID {
	t.Helper()
	id, err := did.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestVerify changes one thing of a link in order.
func TestVerify(t *testing.T) {
	type change = func(t *testing.T, s *scene)
	subject := func(name string, value any) change {
		return func(_ *testing.T, s *scene) { s.linkage.Subject()[name] = value }
	}
	endpoint := func(of func(s *scene) any) change {
		return func(t *testing.T, s *scene) {
			document := s.site.Document(s.identity.Signer)
			document["service"] = []any{map[string]any{"id": "#d", "type": "LinkedDomains", "serviceEndpoint": of(s)}}
			s.site.Serve("/.well-known/did.json", document)
		}
	}
	for name, tt := range map[string]struct {
		change change
		ok     bool
		why    string // part of the error
	}{
		"in order":             {func(*testing.T, *scene) {}, true, ""},
		"origin without slash": {func(_ *testing.T, s *scene) { s.linkage.Subject()["origin"] = s.site.Origin }, true, ""},
		"origin in other case": {func(_ *testing.T, s *scene) {
			s.linkage.Subject()["origin"] = strings.Replace(s.site.Origin, "issuer", "ISSUER", 1)
		}, true, ""},
		"kid relative":          {func(_ *testing.T, s *scene) { s.linkage.Header["kid"] = "#key-1" }, true, ""},
		"typ JWT":               {func(_ *testing.T, s *scene) { s.linkage.Header["typ"] = "JWT" }, true, ""},
		"beside others":         {func(t *testing.T, s *scene) { s.entries = others(t, s) }, true, ""},
		"endpoint a string":     {endpoint(func(s *scene) any { return s.site.Origin }), true, ""},
		"endpoint after others": {endpoint(func(s *scene) any { return []any{"http://a.example", s.site.Origin + "/path", s.site.Origin} }), true, ""},

		"no endpoint":              {endpoint(func(*scene) any { return []any{} }), false, "no domain vouches for the DID"},
		"endpoint of http":         {endpoint(func(s *scene) any { return strings.Replace(s.site.Origin, "https", "http", 1) }), false, "not an https origin"},
		"endpoint fourth":          {endpoint(func(s *scene) any { return []any{"x:", "y:", "z:", s.site.Origin} }), false, "not an https origin"},
		"endpoint with a name":     {endpoint(func(s *scene) any { return strings.Replace(s.site.Origin, "://", "://me@", 1) }), false, "not an https origin"},
		"endpoint with a query":    {endpoint(func(s *scene) any { return s.site.Origin + "?" }), false, "not an https origin"},
		"endpoint with a fragment": {endpoint(func(s *scene) any { return s.site.Origin + "#" }), false, "not an https origin"},

		"endpoint with a longer query": {endpoint(func(s *scene) any { return s.site.Origin + "?a=b" }), false, "not an https origin"},
		"endpoint with a path":         {endpoint(func(s *scene) any { return s.site.Origin + "/path" }), false, "not an https origin"},
		"before others": {func(t *testing.T, s *scene) {
			s.site.ServeConfiguration(append([]any{s.linkage.Sign(t)}, others(t, s)...)...)
			s.linkage = nil
		}, true, ""},
		"many entries":                {func(_ *testing.T, s *scene) { s.entries = make([]any, 31) }, true, ""},
		"endpoint without a host":     {endpoint(func(*scene) any { return "https://" }), false, "not an https origin"},
		"endpoint that is opaque":     {endpoint(func(*scene) any { return "https:issuer.localhost" }), false, "not an https origin"},
		"endpoint no URL":             {endpoint(func(*scene) any { return "https://%zz" }), false, "not an https origin"},
		"endpoint of other letters":   {endpoint(func(*scene) any { return "https://\u0131ssuer.localhost" }), false, "origin has a host with invalid characters"},
		"endpoint with an underscore": {endpoint(func(*scene) any { return "https://a_b.localhost" }), false, "origin has a host with invalid characters"},
		"no beginning": {func(_ *testing.T, s *scene) {
			delete(s.linkage.Claims, "nbf")
			delete(s.linkage.VC(), "issuanceDate")
		}, true, ""},

		"another origin":   {subject("origin", "https://other.example/"), false, "credential is about another origin"},
		"origin is a host": {func(_ *testing.T, s *scene) { s.linkage.Subject()["origin"] = s.site.Host }, false, "credential is about another origin"},
		"no origin":        {subject("origin", nil), false, "credential is about another origin"},
		"another port":     {subject("origin", "https://issuer.localhost/"), false, "credential is about another origin"},
		"about another DID": {func(_ *testing.T, s *scene) {
			s.linkage.Claims["sub"] = "did:web:other.example"
			delete(s.linkage.Subject(), "id")
		}, false, "issuer and subject of the credential are not both the DID"},
		"about nobody":           {func(_ *testing.T, s *scene) { delete(s.linkage.Claims, "sub"); delete(s.linkage.Subject(), "id") }, false, "issuer and subject of the credential are not both the DID"},
		"subject and sub differ": {subject("id", "did:web:other.example"), false, "configuration has no credential of the DID"},
		"from another DID": {func(_ *testing.T, s *scene) {
			s.linkage.Claims["iss"], s.linkage.VC()["issuer"] = "did:web:other.example", "did:web:other.example"
		}, false, "configuration has no credential of the DID"},
		"is missing or has the wrong type": {func(_ *testing.T, s *scene) { s.linkage.VC()["type"] = []any{"VerifiableCredential"} }, false, "is not a DomainLinkageCredential"},
		"no kid":                           {func(_ *testing.T, s *scene) { s.linkage.Header["kid"] = nil }, false, "kid: malformed DID or DID document: not a DID URL"},
		"kid of another DID":               {func(_ *testing.T, s *scene) { s.linkage.Header["kid"] = "did:web:other.example#key-1" }, false, "kid is of another DID than iss"},
		"kid of no key":                    {func(_ *testing.T, s *scene) { s.linkage.Header["kid"] = "#key-2" }, false, "not in the document, or of an unsupported type"},
		"another key":                      {func(t *testing.T, s *scene) { s.linkage.Signer = verifiertest.NewSigner(t, "ES256K") }, false, "VC: signature does not verify"},
		"alg none":                         {func(_ *testing.T, s *scene) { s.linkage.Header["alg"] = "none" }, false, "configuration has no credential of the DID"},
		"key that authenticates": {func(_ *testing.T, s *scene) {
			document := s.site.Document(s.identity.Signer)
			delete(document, "assertionMethod")
			s.site.Serve("/.well-known/did.json", document)
		}, false, "not listed under assertionMethod"},
		"certificates":  {func(_ *testing.T, s *scene) { s.linkage.Header["x5c"] = []string{"AAAA"} }, false, "VC has certificates"},
		"expired":       {func(_ *testing.T, s *scene) { s.clock.Advance(366 * 24 * time.Hour) }, false, "credential has expired or has no exp"},
		"not yet valid": {func(_ *testing.T, s *scene) { s.clock.Advance(-2 * time.Minute) }, false, "credential is not valid yet"},
		"never expires": {func(_ *testing.T, s *scene) {
			delete(s.linkage.Claims, "exp")
			delete(s.linkage.VC(), "expirationDate")
		}, false, "credential has expired or has no exp"},
		"exp and date differ": {func(_ *testing.T, s *scene) { s.linkage.VC()["expirationDate"] = "2099-01-01T00:00:00Z" }, false, "configuration has no credential of the DID"},

		"no entries": {func(_ *testing.T, s *scene) { s.linkage = nil; s.site.ServeConfiguration() }, false, "configuration has no credential of the DID"},
		"others alone": {func(t *testing.T, s *scene) {
			list := others(t, s)
			s.linkage = nil
			s.site.ServeConfiguration(list...)
		}, false, "VC: signature does not verify"},
		"too many entries": {func(_ *testing.T, s *scene) { s.entries = make([]any, 32) }, false, "linked_dids is not an array of up to 32"},
		"no list": {func(_ *testing.T, s *scene) {
			s.linkage = nil
			s.site.Serve(configuration, map[string]any{"linked_dids": "x"})
		}, false, "linked_dids is not an array of up to 32"},
		"a list":    {func(_ *testing.T, s *scene) { s.linkage = nil; s.site.Serve(configuration, []any{}) }, false, "not strict JSON: not an object"},
		"too large": {func(_ *testing.T, s *scene) { s.entries = []any{strings.Repeat("a", 256<<10)} }, false, "configuration is larger than 262144 bytes"},
		"a page": {func(t *testing.T, s *scene) {
			s.site.ServeConfiguration(s.linkage.Sign(t))
			page := s.site.Pages[configuration]
			s.linkage = nil
			s.site.Pages[configuration] = func(w http.ResponseWriter, r *http.Request) {
				page(header{w}, r)
			}
		}, false, "the media type of the configuration is not JSON"},
	} {
		s := newScene(t)
		tt.change(t, s)
		domain, err := s.verify(t)
		if tt.ok && (err != nil || domain != s.site.Host) || !tt.ok && (!errors.Is(err, linkeddomain.ErrUnlinked) || err != nil && !strings.Contains(err.Error(), tt.why) || domain != "") {
			t.Errorf("%s: %q, %v", name, domain, err)
		}
	}
}

// header says that what is written is a page.
type header struct{ http.ResponseWriter }

func (h header) Write(raw []byte) (int, error) {
	h.Header().Set("Content-Type", "text/html")
	return h.ResponseWriter.Write(raw)
}

// others are entries that are not the DID's, or not for us.
func others(t *testing.T, s *scene) []any {
	t.Helper()
	other := verifiertest.NewJWKIdentity(t, "EdDSA")
	broken := verifiertest.NewDomainLinkage(s.identity, s.site.Origin, s.clock.Now())
	broken.Signer = other.Signer
	return []any{
		map[string]any{"issuer": s.identity.DID, "proof": map[string]any{"type": "Ed25519Signature2018"}}, nil, 7, "x", "a.b.c",
		verifiertest.NewDomainLinkage(other, s.site.Origin, s.clock.Now()).Sign(t), broken.Sign(t),
	}
}

func TestVerifyInAnOutage(t *testing.T) {
	for name, row := range map[string]struct {
		page http.HandlerFunc
		why  string
	}{
		"nothing there": {http.NotFound, "404"},
		"an error":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, "502"},
		"a redirect":    {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, "too many redirects"},
	} {
		s := newScene(t)
		s.site.ServeConfiguration(s.linkage.Sign(t))
		s.site.Pages["/elsewhere"] = s.site.Pages[configuration]
		s.linkage = nil
		s.site.Pages[configuration] = row.page
		if domain, err := s.verify(t); !errors.Is(err, linkeddomain.ErrUnavailable) || !strings.Contains(err.Error(), row.why) || errors.Is(err, linkeddomain.ErrUnlinked) || domain != "" {
			t.Errorf("%s: %q, %v", name, domain, err)
		}
	}
	s := newScene(t)
	delete(s.site.Pages, "/.well-known/did.json")
	if _, err := s.verify(t); !errors.Is(err, did.ErrUnresolvable) {
		t.Errorf("no DID document: %v", err)
	}
	s = newScene(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.verifier(t, s.site.Fetcher()).Verify(gone, parse(t, s.identity.DID)); err == nil || !strings.Contains(err.Error(), "DID document cannot be fetched") {
		t.Error("whoever went away got an answer")
	}
}

// waiting answers nobody until it is told to.
type waiting chan struct{}

func (w waiting) Get(context.Context, string, string) (fetch.Response, error) {
	<-w
	return fetch.Response{}, fetch.ErrNetwork
}

// TestVerifyDecidesNothingForWhoLeft holds that a caller who goes away while the domain is asked leaves no verdict: that
// the domain does not vouch for the DID was not found out.
func TestVerifyDecidesNothingForWhoLeft(t *testing.T) {
	identity := verifiertest.NewION(verifiertest.NewSigner(t, "EdDSA").JWK(t))
	identity.Document()["services"] = []any{map[string]any{"id": "d", "type": "LinkedDomains", "serviceEndpoint": "https://a.example"}}
	s := &scene{clock: verifiertest.NewClock()}
	slow := make(waiting)
	defer close(slow)
	gone, leave := context.WithCancel(t.Context())
	leave()
	if domain, err := s.verifier(t, slow).Verify(gone, parse(t, identity.DID(t))); !errors.Is(err, linkeddomain.ErrUnavailable) || errors.Is(err, linkeddomain.ErrUnlinked) || !errors.Is(err, context.Canceled) {
		t.Errorf("%q, %v", domain, err)
	}
}

func TestVerifyKeepsWhatItMay(t *testing.T) {
	s := newScene(t)
	s.site.ServeConfiguration(s.linkage.Sign(t))
	for path, page := range s.site.Pages {
		s.site.Pages[path] = func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "max-age=600")
			page(w, r)
		}
	}
	v := s.verifier(t, s.site.Fetcher())
	for _, step := range []struct {
		wait time.Duration
		want int64
	}{{0, 2}, {599 * time.Second, 2}, {time.Second, 4}} {
		s.clock.Advance(step.wait)
		if _, err := v.Verify(t.Context(), parse(t, s.identity.DID)); err != nil || s.site.Requests.Load() != step.want {
			t.Errorf("%d requests, want %d, %v", s.site.Requests.Load(), step.want, err)
		}
	}
}

// file is one file, at one address.
type file struct {
	at   string
	body []byte
}

func (f file) Get(_ context.Context, address, _ string) (fetch.Response, error) {
	if address != f.at {
		return fetch.Response{}, fetch.ErrStatus
	}
	return fetch.Response{Body: f.body, MediaType: "application/json"}, nil
}

// TestProfileExample verifies the configuration that the JWT VC Presentation Profile publishes: a did:ion with ES256K.
func TestProfileExample(t *testing.T) {
	raw, err := os.ReadFile("testdata/profile.json")
	if err != nil {
		t.Fatal(err)
	}
	var says struct {
		Linked []string `json:"linked_dids"`
	}
	if err := json.Unmarshal(raw, &says); err != nil {
		t.Fatal(err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(says.Linked[0], ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var credential struct {
		Iss string `json:"iss"`
	}
	if err := json.Unmarshal(payload, &credential); err != nil {
		t.Fatal(err)
	}
	s := &scene{clock: verifiertest.NewClock()}
	v := s.verifier(t, file{at: "https://www.vcsatoshi.com" + configuration, body: raw})
	if domain, err := v.Verify(t.Context(), parse(t, credential.Iss)); err != nil || domain != "www.vcsatoshi.com" {
		t.Errorf("got %q, %v", domain, err)
	}
}

func TestNewRefuses(t *testing.T) {
	s := newScene(t)
	resolver, err := did.New(did.Config{MaxTTL: time.Hour, Fetch: s.site.Fetcher(), Clock: s.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	whole := linkeddomain.Config{MaxTTL: time.Minute, Fetch: s.site.Fetcher(), Resolver: resolver, Clock: time.Now}
	for name, change := range map[string]func(*linkeddomain.Config){
		"no fetcher": func(c *linkeddomain.Config) { c.Fetch = nil }, "no clock": func(c *linkeddomain.Config) { c.Clock = nil },
		"no resolver": func(c *linkeddomain.Config) { c.Resolver = nil }, "no end": func(c *linkeddomain.Config) { c.MaxTTL = 0 },
		"below nothing": func(c *linkeddomain.Config) { c.MinTTL = -1 }, "swapped": func(c *linkeddomain.Config) { c.MinTTL = time.Hour },
	} {
		cfg := whole
		change(&cfg)
		if _, err := linkeddomain.New(cfg); err == nil || !strings.Contains(err.Error(), "Fetch, Resolver, Clock and 0 ≤ MinTTL ≤ MaxTTL are required") {
			t.Errorf("%s: %v", name, err)
		}
	}
	equal := whole
	equal.MinTTL = equal.MaxTTL
	if _, err := linkeddomain.New(equal); err != nil {
		t.Errorf("bounds that are equal: %v", err)
	}
}

// FuzzVerify serves any configuration, and holds that none links a DID but one that it signed.
func FuzzVerify(f *testing.F) {
	identity := verifiertest.NewION(verifiertest.NewSigner(f, "EdDSA").JWK(f))
	identity.Document()["services"] = []any{map[string]any{"id": "d", "type": "LinkedDomains", "serviceEndpoint": "https://a.example"}}
	id := parse(f, identity.DID(f))
	raw, err := os.ReadFile("testdata/profile.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"linked_dids":["e30.e30.AA",{},null]}`))
	s := &scene{clock: verifiertest.NewClock()}
	f.Fuzz(func(t *testing.T, body []byte) {
		v := s.verifier(t, file{at: "https://a.example" + configuration, body: body})
		if domain, err := v.Verify(t.Context(), id); !errors.Is(err, linkeddomain.ErrUnlinked) {
			t.Errorf("got %q, %v", domain, err)
		}
	})
}
