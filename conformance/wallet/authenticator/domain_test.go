package authenticator_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"regain/conformance/wallet"
	"regain/conformance/wallet/authenticator/authenticatortest"
	"regain/conformance/wallet/wallettest"
)

// linkTo is a hook of a DID document.
func linkTo(endpoint any) func(map[string]any) {
	return func(d map[string]any) { d["service"].([]any)[0].(map[string]any)["serviceEndpoint"] = endpoint }
}

func TestDomainsThatAreVerified(t *testing.T) {
	for name, change := range map[string]func(*scene){
		"as it is": func(*scene) {},
		"a text":   func(w *scene) { w.Verifier.Document = linkTo("https://verifier.example") },
		"the first of two": func(w *scene) {
			w.Verifier.Document = linkTo(map[string]any{"origins": []string{"https://verifier.example", "https://x.example"}})
		},
		"with its slash": func(w *scene) {
			w.Verifier.Document = linkTo("https://verifier.example/")
			w.Verifier.Link = within("vc", within("credentialSubject", set("origin", "https://verifier.example/")))
		},
		"in capitals": func(w *scene) {
			w.Verifier.Link = within("vc", within("credentialSubject", set("origin", "https://VERIFIER.example")))
		},
		"without exp": func(w *scene) { w.Verifier.Link = unset("exp") },
		"the first of two credentials": func(w *scene) {
			w.Verifier.Configuration = func(c map[string]any) { c["linked_dids"] = append(c["linked_dids"].([]any), "x") }
		},
	} {
		w := authenticatortest.New(t)
		change(w)
		if d := w.Review(t).Domain; !d.Verified || d.Host != "verifier.example" {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// Each row breaks one thing about a domain that would be verified. The wallet warns, or refuses.
func TestDomainsThatAreNot(t *testing.T) {
	vc := func(hook func(map[string]any)) func(map[string]any) { return within("vc", hook) }
	link := func(hook func(map[string]any)) func(*scene) { return func(w *scene) { w.Verifier.Link = hook } }
	noon, day := wallettest.Noon(), 24*time.Hour
	for name, spoil := range map[string]func(*scene){
		"no service":     func(w *scene) { w.Verifier.Document = unset("service") },
		"plain http":     func(w *scene) { w.Verifier.Document = linkTo("http://verifier.example") },
		"no URL":         func(w *scene) { w.Verifier.Document = linkTo("verifier.example") },
		"a path":         func(w *scene) { w.Verifier.Document = linkTo("https://verifier.example/x") },
		"a query":        func(w *scene) { w.Verifier.Document = linkTo("https://verifier.example/?x") },
		"another domain": func(w *scene) { w.Verifier.Document = linkTo("https://issuer.example") },
		"no file": func(w *scene) {
			w.Verifier.Answer = answer("/.well-known/did-configuration.json", http.StatusNotFound, "", "")
		},
		"no JSON": func(w *scene) {
			w.Verifier.Answer = answer("/.well-known/did-configuration.json", 200, "application/json", "x")
		},
		"no context":       func(w *scene) { w.Verifier.Configuration = unset("@context") },
		"no credentials":   func(w *scene) { w.Verifier.Configuration = set("linked_dids", []any{}) },
		"one that is none": func(w *scene) { w.Verifier.Configuration = set("linked_dids", []any{map[string]any{}}) },
		"one not a JWS":    func(w *scene) { w.Verifier.Configuration = set("linked_dids", []any{"x"}) },
		"the second of two credentials": func(w *scene) {
			w.Verifier.Configuration = func(c map[string]any) { c["linked_dids"] = append([]any{"x"}, c["linked_dids"].([]any)...) }
		},
		"the second of two domains": func(w *scene) {
			w.Verifier.Document = linkTo(map[string]any{"origins": []string{"https://x.example", "https://verifier.example"}})
		},
		"typ":                      func(w *scene) { w.Verifier.LinkHeader = set("typ", "JWT") },
		"no kid":                   func(w *scene) { w.Verifier.LinkHeader = unset("kid") },
		"a key of another":         func(w *scene) { w.Verifier.LinkHeader = set("kid", "did:web:issuer.example#key-1") },
		"a key that is not for it": func(w *scene) { w.Verifier.Document = unset("assertionMethod") },
		"iss":                      link(set("iss", "did:web:x.example")),
		"sub":                      link(set("sub", "did:web:x.example")),
		"a claim too many":         link(set("jti", "x")),
		"no nbf":                   link(unset("nbf")),
		"nbf in the future":        link(set("nbf", noon.Add(day).Unix())),
		"expired":                  link(set("exp", noon.Unix())),
		"issuer within":            link(vc(set("issuer", "did:web:x.example"))),
		"subject within":           link(vc(within("credentialSubject", set("id", "did:web:x.example")))),
		"origin":                   link(vc(within("credentialSubject", set("origin", "https://x.example")))),
		"origin with a slash":      link(vc(within("credentialSubject", set("origin", "https://verifier.example/")))),
		"an id":                    link(vc(set("id", "x"))),
		"type":                     link(vc(set("type", []string{"VerifiableCredential"}))),
		"no context within":        link(vc(unset("@context"))),
		"no issuanceDate":          link(vc(unset("issuanceDate"))),
		"issued in the future":     link(vc(set("issuanceDate", noon.Add(day).Format(time.RFC3339)))),
		"no expirationDate":        link(vc(unset("expirationDate"))),
		"expirationDate is over":   link(vc(set("expirationDate", noon.Format(time.RFC3339)))),
		"a vc that is a text":      link(set("vc", "x")),
	} {
		t.Run(name, func(t *testing.T) {
			w := authenticatortest.WithCredential(t)
			spoil(w)
			if d := w.Review(t).Domain; d.Verified || d.Problem == "" {
				t.Errorf("it is %+v", d)
			}
			w.Config.StrictDomains = true
			w.Remake(t)
			refused(t, w, w.Verifier.Address(), "invalid_client")
		})
	}
}

func TestStrictDomainsTakeAVerifiedOne(t *testing.T) {
	w := authenticatortest.New(t)
	w.Config.StrictDomains = true
	w.Remake(t)
	if !w.Review(t).Domain.Verified {
		t.Error("it is not verified")
	}
}

// A service that is no service makes the document none, as in the Android library.
func TestAServiceOfNoForm(t *testing.T) {
	w := authenticatortest.New(t)
	w.Verifier.Document = linkTo(1)
	var down *wallet.RequestError
	if _, err := w.Wallet.Review(t.Context(), w.Verifier.Address()); !errors.As(err, &down) {
		t.Errorf("got %v", err)
	}
}
