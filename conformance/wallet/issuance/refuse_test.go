package issuance_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/conformance/wallet/issuance"
)

// Each row starts from an issuer that works and breaks one thing.
func TestBrokenIssuers(t *testing.T) {
	for name, spoil := range map[string]func(*stub){
		"tx_code is no object":     func(s *stub) { s.grant()["tx_code"] = "six digits" },
		"tx_code of no length":     func(s *stub) { s.grant()["tx_code"] = map[string]any{"length": -1} },
		"a server that is not its": func(s *stub) { s.grant()["authorization_server"] = "https://as.example" },
		"another slash":            func(s *stub) { s.metadata["credential_issuer"] = s.base + "/tenant" },
		"another server":           func(s *stub) { s.server["issuer"] = s.base + "/tenant" },
		"another grant":            func(s *stub) { s.server["grant_types_supported"] = []string{"authorization_code"} },
		"plain deferred endpoint":  func(s *stub) { s.metadata["deferred_credential_endpoint"] = "http://issuer.example/d" },
		"plain notifications":      func(s *stub) { s.metadata["notification_endpoint"] = "http://issuer.example/n" },
		"keys to be attested": func(s *stub) {
			s.configuration()["proof_types_supported"] = map[string]any{"jwt": map[string]any{"proof_signing_alg_values_supported": []string{"ES256"}, "key_attestations_required": map[string]any{}}}
		},
		"another format": func(s *stub) { s.configuration()["format"] = "jwt_vc_json" },
		"no vct":         func(s *stub) { delete(s.configuration(), "vct") },
		"a bearer token": func(s *stub) {
			s.answer["/token"] = says(200, map[string]any{"access_token": "token", "token_type": "Bearer"})
		},
		"DPoP out of the air": func(s *stub) { delete(s.server, "dpop_signing_alg_values_supported") },
		"no token":            func(s *stub) { s.answer["/token"] = says(200, map[string]any{"token_type": "DPoP"}) },
		"a token in text": func(s *stub) {
			s.answer["/token"] = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("token")) }
		},
		"never the right nonce": func(s *stub) {
			s.answer["/token"] = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("DPoP-Nonce", "another")
				say(w, 400, map[string]any{"error": "use_dpop_nonce"})
			}
		},
		"no nonce":       func(s *stub) { s.answer["/nonce"] = says(200, map[string]any{}) },
		"no credentials": func(s *stub) { s.answer["/credential"] = says(200, map[string]any{}) },
		"too many":       func(s *stub) { s.answer["/credential"] = says(200, credentials("one", "two")) },
		"a list":         func(s *stub) { s.answer["/credential"] = says(200, []any{}) },
		"a promise with status 200": func(s *stub) {
			s.answer["/credential"] = says(200, map[string]any{"transaction_id": "x", "interval": 1})
		},
		"status 202 without one": func(s *stub) { s.answer["/credential"] = says(202, credentials("one")) },
		"both": func(s *stub) {
			both := credentials("one")
			both["transaction_id"] = "x"
			s.answer["/credential"] = says(202, both)
		},
		"a promise nobody keeps": func(s *stub) {
			s.answer["/credential"] = says(202, map[string]any{"transaction_id": "x", "interval": 0.1})
			delete(s.metadata, "deferred_credential_endpoint")
		},
		"a promise for next year": func(s *stub) {
			s.answer["/credential"] = says(202, map[string]any{"transaction_id": "x", "interval": 1e9})
		},
		"another promise": func(s *stub) {
			s.answer["/credential"] = says(202, map[string]any{"transaction_id": "x", "interval": 0.1})
			s.answer["/deferred"] = says(202, map[string]any{"transaction_id": "y", "interval": 0.1})
		},
		"notified in vain": func(s *stub) {
			s.answer["/notification"] = says(400, map[string]any{"error": "invalid_notification_id"})
		},
	} {
		s := newStub(t)
		spoil(s)
		if issued, err := s.take(client(t, nil), ""); err == nil {
			t.Errorf("%s: took %v", name, issued.Credentials)
		}
	}
}

// Each row starts from an issuer that encrypts and breaks one thing.
func TestBrokenEncryption(t *testing.T) {
	for name, spoil := range map[string]func(*stub){
		"in the clear":    func(s *stub) { s.answer["/credential"] = says(200, credentials("one")) },
		"to another key":  func(s *stub) { s.answer["/credential"] = s.sealed(credentials("one"), &newKey(t).PublicKey) },
		"not JSON inside": func(s *stub) { s.answer["/credential"] = s.sealed("text", nil) },
		"no key for requests": func(s *stub) {
			s.requires("credential_response_encryption")
			delete(s.metadata, "credential_request_encryption")
		},
		"another agreement": func(s *stub) {
			s.requires("credential_response_encryption")["alg_values_supported"] = []string{"RSA-OAEP"}
		},
		"another encoding": func(s *stub) {
			s.requires("credential_request_encryption")["enc_values_supported"] = []string{"A128CBC-HS256"}
		},
	} {
		s := newStub(t)
		s.encrypts()
		spoil(s)
		if issued, err := s.take(client(t, nil), ""); err == nil {
			t.Errorf("%s: took %v", name, issued.Credentials)
		}
	}
}

func (s *stub) requires(name string) map[string]any {
	m := s.metadata[name].(map[string]any) //nolint:forcetypeassert // a stub of ours
	m["encryption_required"] = true
	return m
}

// What the wallet cannot use it does without, where nothing requires it.
func TestEncryptionThatIsNotRequired(t *testing.T) {
	s := newStub(t)
	s.encrypts()
	s.metadata["credential_request_encryption"].(map[string]any)["enc_values_supported"] = []string{"A128CBC-HS256"} //nolint:forcetypeassert // a stub of ours
	s.answer["/credential"] = says(200, credentials("one"))
	if _, err := s.take(client(t, nil), ""); err != nil || s.heard["/credential"][0].header.Get("Content-Type") != "application/json" {
		t.Errorf("%v", err)
	}
}

func TestRefusalsKeepTheirCode(t *testing.T) {
	s := newStub(t)
	s.answer["/token"] = says(400, map[string]any{"error": "invalid_grant", "error_description": "used up"})
	var refused *issuance.RefusedError
	if _, err := s.take(client(t, nil), ""); !errors.As(err, &refused) || refused.Code != "invalid_grant" || refused.Description != "used up" || refused.Status != 400 {
		t.Errorf("%v", err)
	}
	s = newStub(t)
	s.answer["/credential"] = says(400, map[string]any{"error": "invalid_nonce"})
	if _, err := s.take(client(t, nil), ""); !errors.As(err, &refused) || refused.Code != "invalid_nonce" || len(s.heard["/credential"]) != 2 {
		t.Errorf("a nonce that is never right: %d requests, %v", len(s.heard["/credential"]), err)
	}
}

func TestBrokenAuthentication(t *testing.T) {
	attest := func(context.Context, *ecdsa.PublicKey) (string, error) { return "attestation", nil }
	for name, row := range map[string]struct {
		spoil  func(*stub)
		attest func(context.Context, *ecdsa.PublicKey) (string, error)
	}{
		"no challenge":   {func(s *stub) { s.answer["/challenge"] = says(200, map[string]any{}) }, attest},
		"challenge gone": {func(s *stub) { delete(s.answer, "/challenge") }, attest},
		"no provider":    {func(*stub) {}, func(context.Context, *ecdsa.PublicKey) (string, error) { return "", errors.New("the provider is away") }},
	} {
		s := newStub(t)
		s.server["token_endpoint_auth_methods_supported"] = []string{"attest_jwt_client_auth"}
		s.server["challenge_endpoint"] = s.base + "/challenge"
		row.spoil(s)
		c := client(t, func(c *issuance.Config) { c.Identity = &issuance.Identity{ClientID: "wallet", Attest: row.attest} })
		if _, err := s.take(c, ""); err == nil || len(s.heard["/token"]) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewRefusesWhatIsMissing(t *testing.T) {
	for name, cfg := range map[string]issuance.Config{
		"everything": {}, "a name": {HTTPClient: http.DefaultClient, Clock: nil, Formats: []string{issuance.SDJWT}},
	} {
		if _, err := issuance.New(cfg); err == nil {
			t.Errorf("%s is missing", name)
		}
	}
	for name, id := range map[string]issuance.Identity{"no name": {Key: newKey(t)}, "no proof": {ClientID: "wallet"}} {
		cfg := issuance.Config{HTTPClient: http.DefaultClient, Clock: time.Now, Random: rand.Reader, Formats: []string{issuance.SDJWT}, Identity: &id}
		if _, err := issuance.New(cfg); err == nil {
			t.Errorf("an identity with %s", name)
		}
	}
}

func FuzzRead(f *testing.F) {
	s := newStub(f)
	// Whatever the fuzzer comes up with, nobody but the stub is called.
	c := client(f, func(c *issuance.Config) {
		c.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
			if "http://"+to != s.base {
				return nil, errors.New("not the stub")
			}
			return (&net.Dialer{}).DialContext(ctx, network, to)
		}}}
	})
	portable := func() string { return strings.ReplaceAll(text(f, s.offer), s.base, "ISSUER") } // each worker has a stub of its own
	f.Add(portable())
	s.grant()["tx_code"] = map[string]any{"length": 6}
	f.Add(portable())
	f.Add(`{"credential_issuer":"ISSUER/","credential_configuration_ids":["a","a"],"grants":{}}`)
	f.Fuzz(func(t *testing.T, offer string) {
		o, err := c.Read(t.Context(), "x://?"+url.Values{"credential_offer": {strings.ReplaceAll(offer, "ISSUER", s.base)}}.Encode())
		if err == nil && (o.Issuer != s.base+"/tenant/" || len(o.Credentials) == 0) {
			t.Errorf("%q was read as an offer of %s", offer, o.Issuer)
		}
	})
}

func FuzzResponse(f *testing.F) {
	s := newStub(f)
	var status int
	var body string
	s.answer["/credential"] = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
	delete(s.metadata, "deferred_credential_endpoint")
	c := client(f, nil)
	f.Add(true, text(f, credentials("one")))
	f.Add(false, `{"transaction_id":"x","interval":1}`)
	f.Fuzz(func(t *testing.T, now bool, answer string) {
		s.t = t
		status, body = 202, answer
		if now {
			status = 200
		}
		if issued, err := s.take(c, ""); err == nil && len(issued.Credentials) != 1 {
			t.Errorf("%q became %d credentials", answer, len(issued.Credentials))
		}
	})
}
