package config_test

import (
	"strings"
	"testing"
	"time"

	"regain/internal/config"
)

// behind is a configuration whose proxy asks for client certificates, at a host of its own.
func behind(t *testing.T) config.Config {
	t.Helper()
	cfg := valid(t)
	cfg.Issuer, cfg.TrustedProxies = "https://regain.example", []string{"10.0.0.0/8"}
	cfg.MutualTLS = config.MutualTLSConfig{BaseURL: "https://mtls.regain.example", Header: "Client-Cert", Proxies: []string{"10.0.0.1"}}
	return cfg
}

// A setting that would believe anybody, or nobody, is a mistake, with its key and the cure.
func TestProxyMistakes(t *testing.T) {
	if err := behind(t).Validate(); err != nil {
		t.Fatal(err)
	}
	for says, breakIt := range map[string]func(*config.Config){
		"mutual_tls.header: name the proxies that set it in mutual_tls.proxies": func(c *config.Config) { c.MutualTLS.Proxies = nil },
		"mutual_tls.header: set mutual_tls.base_url":                            func(c *config.Config) { c.MutualTLS.BaseURL = "" },
		`mutual_tls.base_url "https://regain.example:443": use another host`:    func(c *config.Config) { c.MutualTLS.BaseURL = "https://regain.example:443" },
		`mutual_tls.base_url "https://REGAIN.example": use another host`:        func(c *config.Config) { c.MutualTLS.BaseURL = "https://REGAIN.example" },
		"mutual_tls.proxies: nothing of theirs is read: set mutual_tls.header":  func(c *config.Config) { c.MutualTLS.Header = "" },
		"shutdown_delay -1s: use 0s to 5m0s":                                    func(c *config.Config) { c.ShutdownDelay = -time.Second },
		"shutdown_delay 10m0s: use 0s to 5m0s":                                  func(c *config.Config) { c.ShutdownDelay = 10 * time.Minute },
		"hsts_max_age -1s: use 0s for none":                                     func(c *config.Config) { c.HSTS = -time.Second },
	} {
		cfg := behind(t)
		breakIt(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want it to say %q", err, says)
		}
	}
}
