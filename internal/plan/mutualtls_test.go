package plan_test

import (
	"strings"
	"testing"

	"regain/internal/config"
)

// Clients that need a certificate where none can be shown stop the start.
func TestClientsWithoutMutualTLS(t *testing.T) {
	bank := config.ClientConfig{
		ID: "bank", Name: "Bank", AuthMethod: "tls_client_auth", SANDNS: "bank.example.org", Scope: []string{"openid"}, RedirectURIs: []string{"https://bank.example.org/cb"},
	}
	selfSigned, bound := bank, bank
	selfSigned.AuthMethod, selfSigned.SANDNS, selfSigned.JWKSURI = "self_signed_tls_client_auth", "", "https://bank.example.org/jwks"
	bound.AuthMethod, bound.SANDNS, bound.JWKSURI, bound.MTLSBound = "private_key_jwt", "", "https://bank.example.org/jwks", true
	yes := true
	fapi := bound
	fapi.Profile, fapi.TokenAud = "fapi2-security", &yes
	const base = "https://mtls.recover.example.org"
	for says, change := range map[string]func(c *config.Config){
		"tls_client_auth needs mutual_tls.base_url and mutual_tls.roots_file": func(c *config.Config) { c.MutualTLS.BaseURL, c.Clients = base, []config.ClientConfig{bank} },
		"self_signed_tls_client_auth needs mutual_tls.base_url":               func(c *config.Config) { c.Clients = []config.ClientConfig{selfSigned} },
		"tls_client_certificate_bound_access_tokens needs mutual_tls":         func(c *config.Config) { c.Clients = []config.ClientConfig{bound} },
		"does not allow token_endpoint_audience":                              func(c *config.Config) { c.MutualTLS.BaseURL, c.Clients = base, []config.ClientConfig{fapi} },
	} {
		cfg := valid(t)
		change(&cfg)
		if err := read(cfg); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want it to say %q", err, says)
		}
	}
	cfg := valid(t)
	cfg.MutualTLS.BaseURL, cfg.Clients = base, []config.ClientConfig{selfSigned, bound}
	cfg.Clients[1].ID = "bound"
	if err := read(cfg); err != nil {
		t.Errorf("with mutual TLS: %v", err)
	}
}
