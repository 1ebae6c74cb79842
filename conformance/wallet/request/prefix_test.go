package request_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"regain/conformance/jose"
	"regain/conformance/wallet/request"
	"regain/conformance/wallet/wallettest"
)

// ask is a test environment whose verifier asks under one kind of client_id, after spoil.
func ask(t testing.TB, kind string, spoil func(*wallettest.Env)) *wallettest.Env {
	t.Helper()
	w := wallettest.New(t)
	w.As(t, kind)
	w.Config.Requests.Plain = true
	if spoil != nil {
		spoil(w)
	}
	w.Remake(t)
	return w
}

// downTo checks that a request was turned down for the reason meant, and whether it may be told.
func downTo(t *testing.T, err error, says string, told bool) {
	t.Helper()
	var down *request.Error
	if !errors.As(err, &down) {
		t.Fatalf("not turned down: %v", err)
	}
	if !strings.Contains(err.Error(), says) {
		t.Errorf("turned down with %v, not %s", err, says)
	}
	if (down.To != nil) != told {
		t.Errorf("the verifier may be told: %v (%v)", down.To != nil, err)
	}
}

func set(name string, value any) func(*wallettest.Env) {
	return func(w *wallettest.Env) { w.Verifier.Claims = func(c map[string]any) { c[name] = value } }
}

func unset(name string) func(*wallettest.Env) {
	return func(w *wallettest.Env) { w.Verifier.Claims = func(c map[string]any) { delete(c, name) } }
}

func TestNobodyIsWhoTheyAreNot(t *testing.T) {
	for name, test := range map[string]struct {
		kind, method string
		spoil        func(*wallettest.Env)
		says         string
	}{
		// x509_hash, x509_san_dns
		"hash of another certificate": {"x509_hash", "", func(w *wallettest.Env) { w.Verifier.Signs = w.Roots.Party(t, "Contoso Recovery") }, "not the hash"},
		"hash, not signed":            {"x509_hash", "", unsigned, "no certificate"},
		"hash, no request object":     {"x509_hash", "plain", nil, "has to be signed"},
		"another DNS name": {"x509_san_dns", "", func(w *wallettest.Env) {
			w.Verifier.Signs = w.Roots.PartyFor(t, "Contoso", "other.localhost")
		}, "not a DNS name of the certificate"},
		"the common name is no DNS name": {"x509_san_dns", "", func(w *wallettest.Env) {
			w.Verifier.Signs = w.Roots.Party(t, wallettest.VerifierHost)
		}, "not a DNS name of the certificate"},
		"a wildcard is no name": {"x509_san_dns", "", func(w *wallettest.Env) {
			w.Verifier.Signs = w.Roots.PartyFor(t, "Contoso", "*.localhost")
		}, "not a DNS name of the certificate"},
		"DNS name, not signed":        {"x509_san_dns", "", unsigned, "no certificate"},
		"DNS name, no request object": {"x509_san_dns", "plain", nil, "has to be signed"},
		"DNS name, untrusted": {"x509_san_dns", "", func(w *wallettest.Env) {
			w.Verifier.Signs = w.Proofs.PartyFor(t, "Contoso", wallettest.VerifierHost)
		}, "not trusted"},
		"DNS name, answer elsewhere":        {"x509_san_dns", "", set("response_uri", "https://elsewhere.example/r"), "not one that the client_id may use"},
		"DNS name, answer at its subdomain": {"x509_san_dns", "", set("response_uri", "https://a.verifier.localhost/r"), "not one that the client_id may use"},
		// redirect_uri
		"redirect_uri, signed":           {"redirect_uri", "", func(w *wallettest.Env) { w.Verifier.SignJWT = nil }, "cannot be signed"},
		"redirect_uri, with a signature": {"redirect_uri", "", raw(func(s string) string { return s + "AAAA" }), "cannot be signed"},
		"redirect_uri, answer elsewhere": {"redirect_uri", "", set("response_uri", "https://elsewhere.example/r"), "not one that the client_id may use"},
		"redirect_uri, answer deeper": {"redirect_uri", "plain", func(w *wallettest.Env) {
			w.Verifier.Claims = func(c map[string]any) { c["response_uri"] = w.Verifier.ResponseURI() + "/bad" }
		}, "not one that the client_id may use"},
		"redirect_uri, no URI": {"redirect_uri", "", func(w *wallettest.Env) { w.Verifier.ClientID = "redirect_uri:nonsense" }, "client_id: address not allowed"},
		"redirect_uri, no https": {"redirect_uri", "", func(w *wallettest.Env) {
			w.Verifier.ClientID = "redirect_uri:http://verifier.example/r"
		}, "client_id: address not allowed"},
		"redirect_uri, another typ": {"redirect_uri", "", func(w *wallettest.Env) { w.Verifier.Typ = "JWT" }, "typ is not"},
		"redirect_uri, no typ":      {"redirect_uri", "", func(w *wallettest.Env) { w.Verifier.Typ = "" }, "typ is not"},
		"redirect_uri, no JWT":      {"redirect_uri", "", raw(func(string) string { return "x" }), "not a compact JWS"},
		// decentralized_identifier
		"kid of another DID":      {"decentralized_identifier", "", kid("did:web:other.example#key-1"), "not a DID URL"},
		"kid without a fragment":  {"decentralized_identifier", "", func(w *wallettest.Env) { kid(did(w))(w) }, "not a DID and the name of a key"},
		"kid of no key":           {"decentralized_identifier", "", func(w *wallettest.Env) { kid(did(w) + "#key-9")(w) }, "no such key"},
		"kid of another key":      {"decentralized_identifier", "", func(w *wallettest.Env) { kid(did(w) + "#key-0")(w) }, "not by the key"},
		"document of another DID": {"decentralized_identifier", "", func(w *wallettest.Env) { w.Verifier.DID["id"] = "did:web:other" }, "id is not the DID"},
		"a key of another's": {"decentralized_identifier", "", func(w *wallettest.Env) {
			w.Verifier.DID["verificationMethod"].([]any)[1].(map[string]any)["controller"] = "did:web:other"
		}, "no such key"},
		"a key of no kind": {"decentralized_identifier", "", func(w *wallettest.Env) {
			w.Verifier.DID["verificationMethod"].([]any)[1].(map[string]any)["publicKeyJwk"] = map[string]any{"kty": "X"}
		}, "no such key"},
		"a private key": {"decentralized_identifier", "", func(w *wallettest.Env) {
			w.Verifier.DID["verificationMethod"].([]any)[1].(map[string]any)["publicKeyJwk"] = jose.JWK{Key: w.Verifier.Signs.Key}
		}, "no such key"},
		"no methods":            {"decentralized_identifier", "", func(w *wallettest.Env) { delete(w.Verifier.DID, "verificationMethod") }, "no such key"},
		"DID, not signed":       {"decentralized_identifier", "", unsigned, "not a DID URL"},
		"DID, no object":        {"decentralized_identifier", "plain", nil, "has to be signed"},
		"DID, another typ":      {"decentralized_identifier", "", func(w *wallettest.Env) { w.Verifier.Typ = "JWT" }, "typ is not"},
		"document not there":    {"decentralized_identifier", "", elsewhere("did:web:verifier.localhost%3A1"), "fetching its document"},
		"a DID with a path in":  {"decentralized_identifier", "", elsewhere("did:web:verifier.localhost%2Fx"), "without the name of a host"},
		"a DID with a user":     {"decentralized_identifier", "", elsewhere("did:web:a%40verifier.localhost"), "without the name of a host"},
		"a DID with an empty":   {"decentralized_identifier", "", elsewhere("did:web:verifier.localhost::x"), "path that is none"},
		"a DID of no method":    {"decentralized_identifier", "", elsewhere("did:ion:abc"), "short form"},
		"did:jwk, another #":    {"did:jwk", "", func(w *wallettest.Env) { kid(did(w) + "#1")(w) }, "no such key"},
		"did:jwk of a stranger": {"did:jwk", "", func(w *wallettest.Env) { w.Verifier.Signs.Key = wallettest.NewKey(t); kid(did(w) + "#0")(w) }, "not by the key"},
		"did:jwk of nonsense":   {"did:jwk", "", elsewhere("did:jwk:e30"), "no public JWK"},
		// verifier_attestation
		"no attestation": {"verifier_attestation", "", func(w *wallettest.Env) { w.Verifier.SignJWT = nil }, "carries none"},
		"attestation, another typ": {"verifier_attestation", "", func(w *wallettest.Env) {
			w.Verifier.AttestationTyp = "JWT"
		}, "typ is not verifier-attestation+jwt"},
		"another attester":         {"verifier_attestation", "", attested("iss", "https://other.example"), "does not trust"},
		"another's name":           {"verifier_attestation", "", attested("sub", "fabrikam.example"), "not the sub"},
		"attestation, no exp":      {"verifier_attestation", "", attested("exp", nil), "no exp or no cnf"},
		"attestation, no cnf":      {"verifier_attestation", "", attested("cnf", nil), "no exp or no cnf"},
		"attestation, expired":     {"verifier_attestation", "", attested("exp", wallettest.Noon().Unix()), "expired"},
		"attestation, not yet":     {"verifier_attestation", "", attested("nbf", wallettest.Noon().Add(time.Hour).Unix()), "not valid yet"},
		"attestation, another key": {"verifier_attestation", "", attested("cnf", map[string]any{"jwk": jose.JWK{Key: &wallettest.NewKey(t).PublicKey}}), "not by the key"},
		"attestation, odd key":     {"verifier_attestation", "", attested("cnf", map[string]any{"jwk": map[string]any{}}), "not the JSON expected"},
		"attestation, elsewhere":   {"verifier_attestation", "", attested("redirect_uris", []string{"https://contoso.example/r"}), "not one that the client_id may use"},
		"attestation, no claims":   {"verifier_attestation", "", attested("exp", "soon"), "not the JSON expected"},
		"attester of other keys": {"verifier_attestation", "", func(w *wallettest.Env) {
			w.Config.Requests.Attesters[wallettest.AttesterID] = jose.JWKSet{Keys: []jose.JWK{{Key: &wallettest.NewKey(t).PublicKey}}}
		}, "not by the key"},
		"attester without keys": {"verifier_attestation", "", func(w *wallettest.Env) {
			w.Config.Requests.Attesters[wallettest.AttesterID] = jose.JWKSet{}
		}, "has no keys"},
		"attestation, no request object": {"verifier_attestation", "plain", nil, "has to be signed"},
		// pre-registered
		"registered, another key": {"pre-registered", "", func(w *wallettest.Env) { w.Verifier.Signs.Key = wallettest.NewKey(t); w.Verifier.SignJWT = nil }, "not by the key"},
		"registered, not signed":  {"pre-registered", "", unsigned, "not the algorithm of the key"},
		"registered, no object":   {"pre-registered", "plain", nil, "has to be signed"},
		"nobody registered":       {"pre-registered", "", func(w *wallettest.Env) { w.Verifier.ClientID = "fabrikam" }, "no prefix"},
		"registered, elsewhere": {"pre-registered", "", client(func(c *request.Client) {
			c.ResponseURIs = []string{"https://contoso.example/r"}
		}), "not one that the client_id may use"},
		// prefixes that are none
		"origin": {"pre-registered", "", func(w *wallettest.Env) {
			w.Verifier.ClientID = "origin:https://verifier.example"
			w.Config.Requests.Clients[w.Verifier.ClientID] = w.Config.Requests.Clients["contoso"]
		}, "no prefix"},
		"the name of no prefix": {"pre-registered", "", func(w *wallettest.Env) { w.Verifier.ClientID = "pre-registered:contoso" }, "no prefix"},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(t, test.kind, test.spoil)
			_, err := w.Wallet.Review(t.Context(), w.Verifier.Link(test.method))
			downTo(t, err, test.says, false)
		})
	}
}

func TestClientIDsHaveToBeTheSame(t *testing.T) {
	for _, kind := range []string{"x509_hash", "x509_san_dns", "redirect_uri", "decentralized_identifier", "did:jwk", "verifier_attestation", "pre-registered"} {
		w := ask(t, kind, set("client_id", "x509_hash:other"))
		_, err := w.Wallet.Review(t.Context(), w.Verifier.Link(""))
		downTo(t, err, "client_id inside is not the one outside", false)
	}
}

func TestNamesAreComparedWithoutCase(t *testing.T) {
	w := ask(t, "x509_san_dns", func(w *wallettest.Env) {
		w.Verifier.Signs = w.Roots.PartyFor(t, "Contoso", "Verifier.LOCALHOST")
	})
	if _, err := w.Wallet.Review(t.Context(), w.Verifier.Link("")); err != nil {
		t.Error(err)
	}
}

func TestSomebodyRegistered(t *testing.T) {
	metadata := func(w *wallettest.Env) []byte { return []byte(wallettest.ToJSON(t, w.Verifier.Metadata())) }
	for name, test := range map[string]struct {
		method string
		spoil  func(*wallettest.Env)
		says   string
	}{
		"with its own metadata": {"", nil, ""},
		"a name with a colon":   {"", func(w *wallettest.Env) { rename(w, "https://contoso.example") }, ""},
		"answer where registered": {"", func(w *wallettest.Env) {
			client(func(c *request.Client) { c.ResponseURIs = []string{w.Verifier.ResponseURI()} })(w)
		}, ""},
		"registered metadata": {"", func(w *wallettest.Env) {
			client(func(c *request.Client) { c.Metadata = metadata(w) })(w)
			unset("client_metadata")(w)
		}, ""},
		"both metadata":        {"", func(w *wallettest.Env) { client(func(c *request.Client) { c.Metadata = metadata(w) })(w) }, "invalid_client"},
		"neither metadata":     {"", unset("client_metadata"), "client_metadata is missing"},
		"without a key":        {"plain", keyless, ""},
		"without anything":     {"plain", client(func(c *request.Client) { c.Keys = nil }), "neither a key nor response URIs"},
		"an unsigned JWT":      {"value", func(w *wallettest.Env) { keyless(w); unsigned(w) }, ""},
		"signed all by itself": {"value", keyless, "cannot be signed"},
	} {
		t.Run(name, func(t *testing.T) {
			w := ask(t, "pre-registered", test.spoil)
			r, err := w.Wallet.Review(t.Context(), w.Verifier.Link(test.method))
			switch {
			case test.says == "" && err != nil:
				t.Fatal(err)
			case test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)):
				t.Errorf("got %v, not %s", err, test.says)
			case err == nil && r.Verifier == "":
				t.Error("it has no name")
			}
		})
	}
}

func TestUntypedObjectsNeedToBeAllowed(t *testing.T) {
	w := ask(t, "redirect_uri", func(w *wallettest.Env) {
		w.Verifier.Typ = ""
		w.Config.Requests.UntypedObject = true
		unset("aud")(w)
	})
	if _, err := w.Wallet.Review(t.Context(), w.Verifier.Link("")); err != nil {
		t.Error(err)
	}
	w.Verifier.Typ = "JWT"
	_, err := w.Wallet.Review(t.Context(), w.Verifier.Link(""))
	downTo(t, err, "typ is not", false)
}

func unsigned(w *wallettest.Env) {
	w.Verifier.SignJWT = func(typ string, claims any) string { return wallettest.Unsigned(w.Verifier.T, typ, claims) }
}

func raw(change func(string) string) func(*wallettest.Env) {
	return func(w *wallettest.Env) { w.Verifier.Raw = change }
}

func did(w *wallettest.Env) string {
	return strings.TrimPrefix(w.Verifier.ClientID, "decentralized_identifier:")
}

func kid(kid string) func(*wallettest.Env) {
	return func(w *wallettest.Env) {
		w.Verifier.SignJWT = func(typ string, claims any) string {
			return wallettest.SignAs(w.Verifier.T, w.Verifier.Signs.Key, typ, map[string]any{"kid": kid}, claims)
		}
	}
}

func elsewhere(did string) func(*wallettest.Env) {
	return func(w *wallettest.Env) {
		w.Verifier.ClientID = "decentralized_identifier:" + did
		kid(did + "#0")(w)
	}
}

func attested(name string, value any) func(*wallettest.Env) {
	return func(w *wallettest.Env) { w.Verifier.Attestation[name] = value }
}

func client(change func(*request.Client)) func(*wallettest.Env) {
	return func(w *wallettest.Env) {
		c := w.Config.Requests.Clients["contoso"]
		change(&c)
		w.Config.Requests.Clients["contoso"] = c
	}
}

// keyless is known by where its answers go.
func keyless(w *wallettest.Env) {
	client(func(c *request.Client) { c.Keys, c.Name, c.ResponseURIs = nil, "", []string{w.Verifier.ResponseURI()} })(w)
}

func rename(w *wallettest.Env, id string) {
	w.Config.Requests.Clients[id] = w.Config.Requests.Clients["contoso"]
	w.Verifier.ClientID = id
}
