package config_test

import (
	"strings"
	"testing"
	"time"

	"regain/internal/config"
)

// Promise 10: a mistake names the key, and says what to do. These are told from what is written alone; internal/plan has
// those of what it means, and internal/node those of what it opens.
func TestMistakesOfWhatIsWritten(t *testing.T) {
	if err := valid(t).Validate(); err != nil {
		t.Fatal(err)
	}
	for says, breakIt := range map[string]func(c *config.Config){
		"issuer: set it":                 func(c *config.Config) { c.Issuer = "" },
		"must be https":                  func(c *config.Config) { c.Issuer = "http://recover.example.org" },
		"without a slash at the end":     func(c *config.Config) { c.Issuer += "/" },
		"must be scheme and host":        func(c *config.Config) { c.Issuer += "/regain?x" },
		"connections.per_network 0: use": func(c *config.Config) { c.Connections.PerNetwork = 0 },
		"connections.per_network 256: use fewer than connections.max 256": func(c *config.Config) {
			c.Connections.Max = c.Connections.PerNetwork
		},
		"connections.live_pages_per_network 65: use fewer than connections.live_pages 64": func(c *config.Config) {
			c.Connections.LivePages, c.Connections.LivePagesPerNetwork = 64, 65
		},
		"connections.live_pages -1: use":  func(c *config.Config) { c.Connections.LivePages = -1 },
		"tls: set both":                   func(c *config.Config) { c.TLS.KeyFile = "key.pem" },
		"audit.file: name a file":         func(c *config.Config) { c.Audit.File = "" },
		"trust: is empty":                 func(c *config.Config) { c.Trust = nil },
		"face_check.receipt_types":        func(c *config.Config) { c.FaceCheck.ReceiptTypes = nil },
		"profiles[0].proofing \"nobody\"": func(c *config.Config) { c.Profiles[0].Proofing = "nobody" },
		"needs a name of its own": func(c *config.Config) {
			c.Proofing = []config.ProofingConfig{{DisplayName: "X", StartURL: "https://x.example/"}}
		},
		"mutual_tls.listen": func(c *config.Config) { c.MutualTLS.Listen = "127.0.0.1:0" },
		"name it in trusted_proxies": func(c *config.Config) {
			c.Issuer = "https://regain.localhost"
			c.Profiles[0].CrossDevice = config.CrossDeviceConfig{Allow: true, SameNetwork: true}
		},
		"request_lifetime": func(c *config.Config) { c.RequestLife = time.Hour },
		"either credential": func(c *config.Config) {
			c.Profiles[0].Credentials = []config.CredentialConfig{c.Profiles[0].Credential}
		},
	} {
		t.Run(says, func(t *testing.T) {
			cfg := valid(t)
			breakIt(&cfg)
			said(t, cfg.Validate(), says)
		})
	}
}

// Addresses for mutual TLS that browsers would come by, and links that no client can follow, are mistakes.
func TestMutualTLSAndMetadataMistakes(t *testing.T) {
	const base = "https://mtls.recover.example.org"
	for says, change := range map[string]func(c *config.Config){
		"mutual_tls.base_url \"http://":           func(c *config.Config) { c.MutualTLS.BaseURL = "http://mtls.example.org" },
		"must have the path of the issuer":        func(c *config.Config) { c.MutualTLS.BaseURL = base + "/regain" },
		"of the issuer \"http://regain.localhost": func(c *config.Config) { c.MutualTLS.BaseURL = base + "/" },
		"a host or port of its own":               func(c *config.Config) { c.MutualTLS.BaseURL = "https" + strings.TrimPrefix(c.Issuer, "http") },
		"segments of letters, digits":             func(c *config.Config) { c.Issuer += "/a/../b" },
		"/a//b\": the path":                       func(c *config.Config) { c.Issuer += "/a//b" },
		"/a%2Fb\": the path":                      func(c *config.Config) { c.Issuer += "/a%2Fb" },
		"/.well-known\": the path":                func(c *config.Config) { c.Issuer += "/.well-known" },
		"/#\": must be scheme":                    func(c *config.Config) { c.Issuer += "/#" },
		"metadata.op_policy_uri":                  func(c *config.Config) { c.Metadata.PolicyURI = "http://example.org/" },
		"metadata.op_tos_uri":                     func(c *config.Config) { c.Metadata.TermsURI = "/terms" },
		"metadata.service_documentation":          func(c *config.Config) { c.Metadata.ServiceDocumentation = "javascript:alert(1)" },
	} {
		cfg := valid(t)
		change(&cfg)
		said(t, cfg.Validate(), says)
	}
}
