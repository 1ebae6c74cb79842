package did_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/internal/fetch"
	"regain/verifier/did"
	"regain/verifier/internal/jws"
	"regain/verifier/verifiertest"
)

func TestAddress(t *testing.T) {
	for text, want := range map[string]string{
		"did:web:w3c-ccg.github.io":              "https://w3c-ccg.github.io/.well-known/did.json",
		"did:web:w3c-ccg.github.io:user:alice":   "https://w3c-ccg.github.io/user/alice/did.json",
		"did:web:example.com%3A3000":             "https://example.com:3000/.well-known/did.json",
		"did:web:example.com%3A3000:user:alice":  "https://example.com:3000/user/alice/did.json",
		"did:web:xn--bcher-kva.example:a.b:_c-d": "https://xn--bcher-kva.example/a.b/_c-d/did.json",
	} {
		if got, err := did.Address(parse(t, text)); err != nil || got != want {
			t.Errorf("%s: got %s, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"did:web:127.0.0.1", "did:web:127.1", "did:web:2130706433", "did:web:169.254.169.254%3A80", "did:web:example.com.", "did:web:.example.com", "did:web:a..b",
		"did:web:-a.example", "did:web:a-.example", "did:web:a_b.example", "did:web:example.com%3A", "did:web:example.com%3A0", "did:web:example.com%3A080",
		"did:web:example.com%3A65536", "did:web:example.com%3A80%3A80", "did:web:example.com%3a80", "did:web:example.com%2Fa", "did:web:user%40example.com", "did:web:%3A80", "did:web:example.com%3A80x",
		"did:web:example.com::a", "did:web:example.com:.:a", "did:web:example.com:..:a", "did:web:example.com:%2e%2e:a", "did:web:example.com:a%2Fb", "did:web:example.com:a%3Fb",
	} {
		if got, err := did.Address(parse(t, text)); !errors.Is(err, did.ErrMalformed) {
			t.Errorf("%s: got %s, %v", text, got, err)
		}
	}
}

func TestResolveWeb(t *testing.T) {
	site := verifiertest.NewSite(t)
	for _, algorithm := range []string{"ES256", "ES256K", "EdDSA"} {
		identity := site.Identity(algorithm)
		url := parseURL(t, identity.KeyID)
		document, err := newResolver(t, site.Fetcher()).Resolve(t.Context(), url.DID)
		if err != nil {
			t.Fatal(err)
		}
		key, err := document.Key(url, did.AssertionMethod)
		if err != nil || !jws.SameKey(key, identity.Public()) {
			t.Errorf("%s: %v", algorithm, err)
		}
		if want := []string{site.Origin + "/"}; !slices.Equal(document.LinkedDomains(), want) {
			t.Errorf("%s: origins are %v", algorithm, document.LinkedDomains())
		}
	}
}

func TestResolveWebUnderAPath(t *testing.T) {
	site := verifiertest.NewSite(t)
	document := site.Document(verifiertest.NewSigner(t, "ES256"))
	id := site.DID + ":user:alice"
	document["id"] = id
	document["verificationMethod"].([]any)[0].(map[string]any)["controller"] = id
	site.Serve("/user/alice/did.json", document)
	resolved, err := newResolver(t, site.Fetcher()).Resolve(t.Context(), parse(t, id))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := resolved.Key(parseURL(t, id+"#key-1"), did.Authentication); err != nil {
		t.Error(err)
	}
}

// TestResolveWebRefuses answers with something that is not the DID's document.
func TestResolveWebRefuses(t *testing.T) {
	const path = "/.well-known/did.json"
	raw := func(kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write([]byte(body))
		}
	}
	for name, tt := range map[string]struct {
		page func(site *verifiertest.Site, document map[string]any) http.HandlerFunc
		want error
		why  string // part of the error
	}{
		"nothing there": {func(*verifiertest.Site, map[string]any) http.HandlerFunc { return http.NotFound }, did.ErrUnresolvable, "response is not 200 OK"},
		"an error": {func(*verifiertest.Site, map[string]any) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }
		}, did.ErrUnresolvable, "response is not 200 OK"},
		"a redirect to the document": {func(site *verifiertest.Site, document map[string]any) http.HandlerFunc {
			site.Serve("/elsewhere", document)
			return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }
		}, did.ErrUnresolvable, "address is not allowed"},
		"a page": {func(_ *verifiertest.Site, document map[string]any) http.HandlerFunc {
			return raw("text/html", string(verifiertest.JSON(t, document)))
		}, did.ErrMalformed, "served as something that is not JSON"},
		"no media type": {func(_ *verifiertest.Site, document map[string]any) http.HandlerFunc {
			return raw("", string(verifiertest.JSON(t, document)))
		}, did.ErrMalformed, "served as something that is not JSON"},
		"too much": {func(_ *verifiertest.Site, document map[string]any) http.HandlerFunc {
			document["pad"] = strings.Repeat("a", 64<<10)
			return raw("application/json", string(verifiertest.JSON(t, document)))
		}, did.ErrMalformed, "larger than 65536 bytes"},
		"no JSON": {func(*verifiertest.Site, map[string]any) http.HandlerFunc { return raw("application/json", "{") }, did.ErrMalformed, "a name is missing"},
		"a name that repeats": {func(_ *verifiertest.Site, document map[string]any) http.HandlerFunc {
			text := string(verifiertest.JSON(t, document))
			return raw("application/did+json", strings.Replace(text, `"id":"did:web`, `"id":"did:web:other.example","id":"did:web`, 1))
		}, did.ErrMalformed, "a name stands twice"},
		"another id": {func(_ *verifiertest.Site, document map[string]any) http.HandlerFunc {
			document["id"] = "did:web:other.example"
			return raw("application/json", string(verifiertest.JSON(t, document)))
		}, did.ErrMalformed, "the document is of another DID"},
		"no id": {func(_ *verifiertest.Site, document map[string]any) http.HandlerFunc {
			delete(document, "id")
			return raw("application/json", string(verifiertest.JSON(t, document)))
		}, did.ErrMalformed, "the document is of another DID"},
	} {
		site := verifiertest.NewSite(t)
		site.Pages[path] = tt.page(site, site.Document(verifiertest.NewSigner(t, "ES256")))
		document, err := newResolver(t, site.Fetcher()).Resolve(t.Context(), parse(t, site.DID))
		if !errors.Is(err, tt.want) || err != nil && !strings.Contains(err.Error(), tt.why) || document != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), site.DID) {
			t.Errorf("%s: the error names the DID: %v", name, err)
		}
	}
}

// TestResolveWebNamesNobody fails in every way in which the address could come along.
func TestResolveWebNamesNobody(t *testing.T) {
	site := verifiertest.NewSite(t)
	site.Pages["/user/alice/did.json"] = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/user/alice/2", http.StatusFound) }
	untrusting, err := fetch.New(fetch.Config{AllowPrivateHosts: []string{site.Host}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		from did.Fetcher
		id   string
	}{
		{site.Fetcher(), site.DID + ":user:alice"}, {site.Fetcher(), site.DID + ":user:alice:no"},
		{untrusting, site.DID + ":user:alice"}, {site.Fetcher(), "did:web:issuer.localhost%3A1:user:alice"},
	} {
		_, err := newResolver(t, tt.from).Resolve(t.Context(), parse(t, tt.id))
		if !errors.Is(err, did.ErrUnresolvable) || strings.Contains(err.Error(), "alice") {
			t.Errorf("got %v", err)
		}
	}
}

// TestResolveWebStaysOutside asks the default fetcher, to which loopback is closed.
func TestResolveWebStaysOutside(t *testing.T) {
	site := verifiertest.NewSite(t)
	site.Identity("ES256")
	fetcher, err := fetch.New(fetch.Config{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = newResolver(t, fetcher).Resolve(t.Context(), parse(t, site.DID))
	if !errors.Is(err, did.ErrUnresolvable) || !errors.Is(err, fetch.ErrForbidden) || site.Requests.Load() != 0 {
		t.Errorf("got %v after %d requests", err, site.Requests.Load())
	}
}

func TestResolveWebKeepsWhatItMay(t *testing.T) {
	for name, tt := range map[string]struct {
		control       string
		min           time.Duration
		kept, dropped time.Duration
	}{
		"nothing said":     {"", 0, 0, 0},
		"said not to":      {"no-store", 0, 0, 0},
		"five minutes":     {"max-age=300", 0, 299 * time.Second, 300 * time.Second},
		"longer than ours": {"max-age=86400", 0, time.Hour - 1, time.Hour},
		"never, but ours":  {"", time.Minute, 59 * time.Second, time.Minute},
	} {
		site, clock := verifiertest.NewSite(t), verifiertest.NewClock()
		site.Identity("ES256")
		page := site.Pages["/.well-known/did.json"]
		site.Pages["/.well-known/did.json"] = func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", tt.control)
			page(w, r)
		}
		resolver, err := did.New(did.Config{MinTTL: tt.min, MaxTTL: time.Hour, Fetch: site.Fetcher(), Clock: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		ask := func(want int64) {
			t.Helper()
			if _, err := resolver.Resolve(t.Context(), parse(t, site.DID)); err != nil || site.Requests.Load() != want {
				t.Errorf("%s: %d requests, want %d, %v", name, site.Requests.Load(), want, err)
			}
		}
		ask(1)
		if tt.kept > 0 {
			clock.Advance(tt.kept)
			ask(1)
		}
		clock.Advance(tt.dropped - tt.kept)
		ask(2)
	}
}

func TestResolveWebLetsGo(t *testing.T) {
	site := verifiertest.NewSite(t)
	site.Identity("ES256")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newResolver(t, site.Fetcher()).Resolve(gone, parse(t, site.DID)); !errors.Is(err, did.ErrUnresolvable) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestDocuments changes one thing of a document in order.
func TestDocuments(t *testing.T) {
	signer := verifiertest.NewSigner(t, "ES256")
	const id = "did:web:issuer.example"
	method := func() map[string]any {
		return map[string]any{"id": "#key-1", "controller": id, "type": "JsonWebKey2020", "publicKeyJwk": signer.JWK(t)}
	}
	for name, tt := range map[string]struct {
		change func(document, method map[string]any)
		want   error  // of Key; nil when the key is there
		why    string // part of the error
	}{
		"in order":         {func(_, _ map[string]any) {}, nil, ""},
		"absolute ids":     {func(d, m map[string]any) { m["id"] = id + "#key-1"; d["assertionMethod"] = []any{id + "#key-1"} }, nil, ""},
		"no controller":    {func(_, m map[string]any) { delete(m, "controller") }, nil, ""},
		"empty controller": {func(_, m map[string]any) { m["controller"] = "" }, nil, ""},
		"embedded":         {func(d, m map[string]any) { d["verificationMethod"] = []any{}; d["assertionMethod"] = []any{m} }, nil, ""},
		"embedded for another purpose": {func(d, m map[string]any) {
			d["verificationMethod"], d["assertionMethod"] = []any{}, []any{}
			d["authentication"] = []any{m}
		}, did.ErrNoKey, "not listed under assertionMethod"},
		"beside other kinds": {func(d, m map[string]any) {
			d["verificationMethod"] = []any{m, map[string]any{"id": "#rsa", "publicKeyJwk": map[string]any{"kty": "RSA"}}, map[string]any{"id": "#multi", "publicKeyMultibase": "z6Mk"}}
		}, nil, ""},
		"not for assertions":           {func(d, _ map[string]any) { d["assertionMethod"] = []any{} }, did.ErrNoKey, "not listed under assertionMethod"},
		"no purposes":                  {func(d, _ map[string]any) { delete(d, "assertionMethod") }, did.ErrNoKey, "not listed under assertionMethod"},
		"purpose of another's key":     {func(d, _ map[string]any) { d["assertionMethod"] = []any{"did:web:other.example#key-1"} }, did.ErrNoKey, "not listed under assertionMethod"},
		"another controller":           {func(_, m map[string]any) { m["controller"] = "did:web:other.example" }, did.ErrNoKey, "not in the document, or of an unsupported type"},
		"another DID's key":            {func(_, m map[string]any) { m["id"] = "did:web:other.example#key-1" }, did.ErrNoKey, "not in the document, or of an unsupported type"},
		"no methods":                   {func(d, _ map[string]any) { delete(d, "verificationMethod") }, did.ErrNoKey, "not in the document, or of an unsupported type"},
		"another fragment":             {func(_, m map[string]any) { m["id"] = "#key-2" }, did.ErrNoKey, "not in the document, or of an unsupported type"},
		"an RSA key":                   {func(_, m map[string]any) { m["publicKeyJwk"] = map[string]any{"kty": "RSA", "n": "AQAB", "e": "AQAB"} }, did.ErrNoKey, "not in the document, or of an unsupported type"},
		"a private key":                {func(_, m map[string]any) { m["publicKeyJwk"].(map[string]any)["d"] = "AA" }, did.ErrNoKey, "not in the document, or of an unsupported type"},
		"a key that is for secrets":    {func(_, m map[string]any) { m["publicKeyJwk"].(map[string]any)["use"] = "enc" }, did.ErrNoKey, "not in the document, or of an unsupported type"},
		"no JWK":                       {func(_, m map[string]any) { delete(m, "publicKeyJwk") }, did.ErrNoKey, "not in the document, or of an unsupported type"},
		"two of one id":                {func(d, m map[string]any) { d["verificationMethod"] = []any{m, m} }, did.ErrMalformed, "two keys have one id"},
		"two of one id, one elsewhere": {func(d, m map[string]any) { d["authentication"] = []any{m} }, did.ErrMalformed, "two keys have one id"},
		"two spellings of one id": {func(d, m map[string]any) {
			other := maps.Clone(m)
			other["id"] = id + "#key-1"
			d["verificationMethod"] = []any{m, other}
		}, did.ErrMalformed, "two keys have one id"},
		"methods no list":      {func(d, m map[string]any) { d["verificationMethod"] = m }, did.ErrMalformed, "verificationMethod is not an array"},
		"a method no object":   {func(d, _ map[string]any) { d["verificationMethod"] = []any{"#key-1"} }, did.ErrMalformed, "verification method: malformed DID or DID document: not a DID URL"},
		"a method without id":  {func(_, m map[string]any) { delete(m, "id") }, did.ErrMalformed, "verification method: malformed DID or DID document: not a DID URL"},
		"an id no fragment":    {func(_, m map[string]any) { m["id"] = "key-1" }, did.ErrMalformed, "verification method: malformed DID or DID document: not a DID URL"},
		"purposes no list":     {func(d, _ map[string]any) { d["assertionMethod"] = "#key-1" }, did.ErrMalformed, "assertionMethod is not an array"},
		"a purpose no URL":     {func(d, _ map[string]any) { d["assertionMethod"] = []any{"key-1"} }, did.ErrMalformed, "assertionMethod: malformed DID or DID document: not a DID URL"},
		"a purpose is nothing": {func(d, _ map[string]any) { d["assertionMethod"] = []any{nil} }, did.ErrMalformed, "verification method: malformed DID or DID document: not a DID URL"},
		"services no list":     {func(d, _ map[string]any) { d["service"] = map[string]any{} }, did.ErrMalformed, "service is not an array"},
	} {
		m := method()
		document := map[string]any{"id": id, "verificationMethod": []any{m}, "assertionMethod": []any{"#key-1"}}
		tt.change(document, m)
		key, err := keyOf(t, document)
		if !errors.Is(err, tt.want) || err != nil && !strings.Contains(err.Error(), tt.why) || tt.want == nil && !jws.SameKey(key, signer.Public()) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// page serves one document.
type page []byte

func (p page) Get(context.Context, string, string) (fetch.Response, error) {
	return fetch.Response{Body: p, MediaType: "application/did+json"}, nil
}

func keyOf(t *testing.T, document map[string]any) (any, error) {
	t.Helper()
	url := parseURL(t, "did:web:issuer.example#key-1")
	resolved, err := newResolver(t, page(verifiertest.JSON(t, document))).Resolve(t.Context(), url.DID)
	if err != nil {
		return nil, err
	}
	return resolved.Key(url, did.AssertionMethod)
}

func TestLinkedDomains(t *testing.T) {
	for name, tt := range map[string]struct {
		services []any
		want     []string
	}{
		"none":             {nil, nil},
		"a string":         {[]any{map[string]any{"type": "LinkedDomains", "serviceEndpoint": "https://a.example"}}, []string{"https://a.example"}},
		"an array":         {[]any{map[string]any{"type": "LinkedDomains", "serviceEndpoint": []any{"https://a.example", "https://b.example"}}}, []string{"https://a.example", "https://b.example"}},
		"origins":          {[]any{map[string]any{"type": "LinkedDomains", "serviceEndpoint": map[string]any{"origins": []any{"https://a.example/"}}}}, []string{"https://a.example/"}},
		"origins in array": {[]any{map[string]any{"type": "LinkedDomains", "serviceEndpoint": []any{map[string]any{"origins": []any{"https://a.example"}}}}}, []string{"https://a.example"}},
		"types in array":   {[]any{map[string]any{"type": []any{"Other", "LinkedDomains"}, "serviceEndpoint": "https://a.example"}}, []string{"https://a.example"}},
		"two services": {[]any{
			map[string]any{"type": "LinkedDomains", "serviceEndpoint": "https://a.example"}, map[string]any{"type": "LinkedDomains", "serviceEndpoint": "https://b.example"},
		}, []string{"https://a.example", "https://b.example"}},
		"others":       {[]any{map[string]any{"type": "IdentityHub", "serviceEndpoint": "https://hub.example"}, "x", nil, map[string]any{}}, nil},
		"other shapes": {[]any{map[string]any{"type": "LinkedDomains", "serviceEndpoint": 1}, map[string]any{"type": "LinkedDomains"}}, nil},
		"very many":    {[]any{map[string]any{"type": "LinkedDomains", "serviceEndpoint": slices.Repeat([]any{"https://a.example"}, 40)}}, slices.Repeat([]string{"https://a.example"}, 16)},
	} {
		document := map[string]any{"id": "did:web:issuer.example", "service": tt.services}
		if tt.services == nil {
			delete(document, "service")
		}
		resolved, err := newResolver(t, page(verifiertest.JSON(t, document))).Resolve(t.Context(), parse(t, "did:web:issuer.example"))
		if err != nil || !slices.Equal(resolved.LinkedDomains(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
