package did_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"regain/conformance/did"
	"regain/conformance/wallet"
	"regain/conformance/wallet/agent"
	"regain/conformance/wallet/authenticator/authenticatortest"
)

func TestWebAddress(t *testing.T) {
	for id, want := range map[string]string{
		"did:web:w3c-ccg.github.io":             "https://w3c-ccg.github.io/.well-known/did.json",
		"did:web:w3c-ccg.github.io:user:alice":  "https://w3c-ccg.github.io/user/alice/did.json",
		"did:web:example.com%3A3000":            "https://example.com:3000/.well-known/did.json",
		"did:web:example.com%3A3000:user:alice": "https://example.com:3000/user/alice/did.json",
		"did:web:example.com%3a3000":            "https://example.com:3000/.well-known/did.json",
		"did:web:a.localhost%3A80":              "http://a.localhost:80/.well-known/did.json",
		"did:web:localhost.example":             "https://localhost.example/.well-known/did.json",
		"did:web:example.com:a%20b":             "https://example.com/a%20b/did.json",
	} {
		got, err := did.Resolver{PlainLocalhost: true}.WebAddress(id)
		if err != nil || got != want {
			t.Errorf("%s: got %s, %v", id, got, err)
		}
	}
	if got, err := (did.Resolver{}).WebAddress("did:web:a.localhost"); err != nil || got != "https://a.localhost/.well-known/did.json" {
		t.Errorf("localhost with certificates: %s, %v", got, err)
	}
	for _, id := range []string{
		"did:web:", "did:web:a%3A", "did:web:a%3Ab", "did:web:a%2Fb", "did:web:a%40b", "did:web:user@a", "did:web:a/b", "did:web:127.0.0.1",
		"did:web:a:", "did:web:a::b", "did:web:a:..", "did:web:a:%2E%2E", "did:web:a:b%2Fc", "did:web:a:b?c", "did:web:a:b%23c", "did:web:a:%zz", "did:web:ä.example",
	} {
		if got, err := (did.Resolver{}).WebAddress(id); !errors.Is(err, did.ErrMethod) {
			t.Errorf("%s: got %s, %v", id, got, err)
		}
	}
}

// getter fetches as the wallet does.
func getter(client *http.Client) func(context.Context, string) ([]byte, error) {
	return func(ctx context.Context, location string) ([]byte, error) {
		answer, err := agent.New(client).Get(ctx, location, nil)
		return answer.Body, err
	}
}

// documents resolves did:web:a.example to a document.
func documents(t *testing.T, document func(map[string]any)) (did.Document, error) {
	t.Helper()
	site := authenticatortest.NewSite(t)
	party := authenticatortest.NewParty(t, "did:web:a.example", "ES256")
	site.Serve("a.example", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := party.Document(t, "https://a.example")
		document(body)
		_ = json.NewEncoder(w).Encode(body)
	}))
	return did.Resolver{Get: getter(site.Client())}.Resolve(t.Context(), "did:web:a.example")
}

func method(document map[string]any) map[string]any {
	return document["verificationMethod"].([]any)[0].(map[string]any)
}

func TestResolveWeb(t *testing.T) {
	for name, change := range map[string]func(map[string]any){
		"as it should be": func(map[string]any) {},
		"relative ids":    func(d map[string]any) { method(d)["id"], d["assertionMethod"] = "#key-1", []string{"#key-1"} },
		"no controller":   func(d map[string]any) { delete(method(d), "controller") },
		"an older type":   func(d map[string]any) { method(d)["type"] = "EcdsaSecp256k1VerificationKey2019" },
		"a key of a stranger": func(d map[string]any) {
			d["verificationMethod"] = append(d["verificationMethod"].([]any), map[string]any{"id": "#rsa", "type": "JsonWebKey2020", "publicKeyJwk": map[string]any{"kty": "RSA"}})
		},
		"a method within a relationship": func(d map[string]any) { d["assertionMethod"] = []any{"#key-1", map[string]any{"id": "#x"}} },
		"a service of another type": func(d map[string]any) {
			d["service"] = append(d["service"].([]any), map[string]any{"id": "#hub", "type": "IdentityHub", "serviceEndpoint": []string{"https://hub.example"}})
		},
	} {
		document, err := documents(t, change)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := document.Key("key-1"); err != nil || !document.Asserts("key-1") || len(document.Domains) != 1 || document.Domains[0] != "https://a.example" {
			t.Errorf("%s: %+v, %v", name, document, err)
		}
		if _, err := document.Key("rsa"); !errors.Is(err, did.ErrNoKey) {
			t.Errorf("%s: a key of RSA: %v", name, err)
		}
	}
}

func TestResolveWebRefuses(t *testing.T) {
	for name, spoil := range map[string]func(map[string]any){
		"the document of another":  func(d map[string]any) { d["id"] = "did:web:b.example" },
		"no id":                    func(d map[string]any) { delete(d, "id") },
		"a method without an id":   func(d map[string]any) { delete(method(d), "id") },
		"a method of another DID":  func(d map[string]any) { method(d)["id"] = "did:web:b.example#key-1" },
		"a method without a type":  func(d map[string]any) { delete(method(d), "type") },
		"a method without a JWK":   func(d map[string]any) { delete(method(d), "publicKeyJwk") },
		"a method twice":           func(d map[string]any) { d["verificationMethod"] = []any{method(d), method(d)} },
		"methods that are a text":  func(d map[string]any) { d["verificationMethod"] = "x" },
		"a domain without origins": func(d map[string]any) { d["service"].([]any)[0].(map[string]any)["serviceEndpoint"] = map[string]any{} },
		"a domain in a list": func(d map[string]any) {
			d["service"].([]any)[0].(map[string]any)["serviceEndpoint"] = []string{"https://a.example"}
		},
	} {
		if _, err := documents(t, spoil); !errors.Is(err, did.ErrDocument) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, spoil := range map[string]func(map[string]any){
		"no methods":            func(d map[string]any) { delete(d, "verificationMethod") },
		"another type of key":   func(d map[string]any) { method(d)["type"] = "Ed25519VerificationKey2018" },
		"another controller":    func(d map[string]any) { method(d)["controller"] = "did:web:b.example" },
		"a private key":         func(d map[string]any) { method(d)["publicKeyJwk"].(map[string]any)["d"] = "AAAA" },
		"a key of another name": func(d map[string]any) { method(d)["id"] = "#key-2" },
	} {
		document, err := documents(t, spoil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := document.Key("key-1"); !errors.Is(err, did.ErrNoKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestResolveWebNeedsAnAnswer(t *testing.T) {
	for status, location := range map[int]string{http.StatusNotFound: "", http.StatusFound: "https://b.example/did.json", http.StatusCreated: ""} {
		site := authenticatortest.NewSite(t)
		site.Serve("a.example", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", location)
			w.WriteHeader(status)
		}))
		var refused *wallet.ResponseError
		if _, err := (did.Resolver{Get: getter(site.Client())}).Resolve(t.Context(), "did:web:a.example"); !errors.As(err, &refused) || refused.Status != status {
			t.Errorf("%d: %v", status, err)
		}
	}
}

// In a test environment without certificates the document comes by plain http, from this machine only.
func TestResolveWebOnThisMachine(t *testing.T) {
	server := httptest.NewServer(nil)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	id := "did:web:a.localhost%3A" + u.Port()
	party := authenticatortest.NewParty(t, id, "ES256")
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(party.Document(t, ""))
	})
	calls := getter(wallet.NewHTTPClient(0))
	if _, err := (did.Resolver{Get: calls, PlainLocalhost: true}).Resolve(t.Context(), id); err != nil {
		t.Error(err)
	}
	if _, err := (did.Resolver{Get: calls}).Resolve(t.Context(), id); err == nil {
		t.Error("it was fetched without TLS")
	}
}

// FuzzWebAddress holds that no did:web leads anywhere but to a did.json of the host that it names.
func FuzzWebAddress(f *testing.F) {
	for _, seed := range []string{"example.com", "example.com%3A3000:user:alice", "a:..:b", "a%2F", "a@b", "a:b%0d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		address, err := did.Resolver{}.WebAddress("did:web:" + name)
		if err != nil {
			return
		}
		u, err := url.Parse(address)
		if err != nil {
			return // the agent refuses it
		}
		if u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || len(u.Path) < len("/did.json") || u.Path[len(u.Path)-9:] != "/did.json" {
			t.Errorf("%q leads to %s", name, address)
		}
	})
}
