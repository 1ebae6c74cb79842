package node_test

import (
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/internal/node"
)

// Clients that need a certificate where none can be shown, and links that no client can follow, stop the start.
func TestMutualTLSAndMetadataMistakes(t *testing.T) {
	bank := node.ClientConfig{
		ID: "bank", Name: "Bank", AuthMethod: "tls_client_auth", SANDNS: "bank.example.org", Scope: []string{"openid"}, RedirectURIs: []string{"https://bank.example.org/cb"},
	}
	selfSigned, bound := bank, bank
	selfSigned.AuthMethod, selfSigned.SANDNS, selfSigned.JWKSURI = "self_signed_tls_client_auth", "", "https://bank.example.org/jwks"
	bound.AuthMethod, bound.SANDNS, bound.JWKSURI, bound.MTLSBound = "private_key_jwt", "", "https://bank.example.org/jwks", true
	yes := true
	fapi := bound
	fapi.Profile, fapi.TokenAud = "fapi2-security", &yes
	const base = "https://mtls.recover.example.org"
	for says, change := range map[string]func(c *node.Config){
		"tls_client_auth needs mutual_tls.base_url and mutual_tls.roots_file": func(c *node.Config) { c.MutualTLS.BaseURL, c.Clients = base, []node.ClientConfig{bank} },
		"self_signed_tls_client_auth needs mutual_tls.base_url":               func(c *node.Config) { c.Clients = []node.ClientConfig{selfSigned} },
		"tls_client_certificate_bound_access_tokens needs mutual_tls":         func(c *node.Config) { c.Clients = []node.ClientConfig{bound} },
		"does not allow token_endpoint_audience":                              func(c *node.Config) { c.MutualTLS.BaseURL, c.Clients = base, []node.ClientConfig{fapi} },
		"mutual_tls.base_url \"http://":                                       func(c *node.Config) { c.MutualTLS.BaseURL = "http://mtls.example.org" },
		"must have the path of the issuer":                                    func(c *node.Config) { c.MutualTLS.BaseURL = base + "/regain" },
		"of the issuer \"http://regain.localhost":                             func(c *node.Config) { c.MutualTLS.BaseURL = base + "/" },
		"a host or port of its own":                                           func(c *node.Config) { c.MutualTLS.BaseURL = "https" + strings.TrimPrefix(c.Issuer, "http") },
		"segments of letters, digits":                                         func(c *node.Config) { c.Issuer += "/a/../b" },
		"/a//b\": the path":                                                   func(c *node.Config) { c.Issuer += "/a//b" },
		"/a%2Fb\": the path":                                                  func(c *node.Config) { c.Issuer += "/a%2Fb" },
		"/.well-known\": the path":                                            func(c *node.Config) { c.Issuer += "/.well-known" },
		"/#\": must be scheme":                                                func(c *node.Config) { c.Issuer += "/#" },
		"metadata.op_policy_uri":                                              func(c *node.Config) { c.Metadata.PolicyURI = "http://example.org/" },
		"metadata.op_tos_uri":                                                 func(c *node.Config) { c.Metadata.TermsURI = "/terms" },
		"metadata.service_documentation":                                      func(c *node.Config) { c.Metadata.ServiceDocumentation = "javascript:alert(1)" },
	} {
		cfg := valid(t)
		change(&cfg)
		if err := node.Check(cfg); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want it to say %q", err, says)
		}
	}
	cfg := valid(t)
	cfg.MutualTLS.BaseURL, cfg.Clients = base, []node.ClientConfig{selfSigned, bound}
	cfg.Clients[1].ID = "bound"
	if err := node.Check(cfg); err != nil {
		t.Errorf("with mutual TLS: %v", err)
	}
}

// A claim of the directory's is announced, and one that it has no attribute for is not.
func TestAnnouncedClaims(t *testing.T) {
	cfg := valid(t)
	cfg.Directory.File = filepath.Join(t.TempDir(), "directory.yaml")
	if err := os.WriteFile(cfg.Directory.File, []byte("accounts: [{name: a, attributes: {given_name: A, family_name: B, email: a@x, shoe_size: \"9\"}}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	n, err := node.New(cfg, node.Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	answer := httptest.NewRecorder()
	n.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, cfg.Issuer+"/.well-known/openid-configuration", nil))
	var document struct {
		Claims []string `json:"claims_supported"`
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	for claim, want := range map[string]bool{
		"given_name": true, "name": true, "preferred_username": true, "email": true, "sub": true, "picture": false, "address": false, "phone_number": false, "email_verified": false, "shoe_size": false,
	} {
		if got := slices.Contains(document.Claims, claim); got != want {
			t.Errorf("%s is announced: %t", claim, got)
		}
	}
}
