package node_test

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"regain/internal/node"
)

// behind is a configuration whose proxy asks for client certificates, at a host of its own.
func behind(t *testing.T) node.Config {
	t.Helper()
	cfg := valid(t)
	cfg.Issuer, cfg.TrustedProxies = "https://regain.example", []string{"10.0.0.0/8"}
	cfg.MutualTLS = node.MutualTLSConfig{BaseURL: "https://mtls.regain.example", Header: "Client-Cert", Proxies: []string{"10.0.0.1"}}
	return cfg
}

// A setting that would believe anybody, or nobody, stops the start with its key and the cure.
func TestProxyMistakes(t *testing.T) {
	if err := node.Check(behind(t)); err != nil {
		t.Fatal(err)
	}
	for says, breakIt := range map[string]func(*node.Config){
		"mutual_tls.header: name the proxies that set it in mutual_tls.proxies": func(c *node.Config) { c.MutualTLS.Proxies = nil },
		"mutual_tls.header: set mutual_tls.base_url":                            func(c *node.Config) { c.MutualTLS.BaseURL = "" },
		`mutual_tls.base_url "https://regain.example:443": use another host`:    func(c *node.Config) { c.MutualTLS.BaseURL = "https://regain.example:443" },
		`mutual_tls.base_url "https://REGAIN.example": use another host`:        func(c *node.Config) { c.MutualTLS.BaseURL = "https://REGAIN.example" },
		"mutual_tls.proxies: nothing of theirs is read: set mutual_tls.header":  func(c *node.Config) { c.MutualTLS.Header = "" },
		`mutual_tls.proxies: proxy "0.0.0.0/0" is everybody`:                    func(c *node.Config) { c.MutualTLS.Proxies = []string{"0.0.0.0/0"} },
		`mutual_tls.proxies: proxy "the one" is neither`:                        func(c *node.Config) { c.MutualTLS.Proxies = []string{"the one"} },
		`trusted_proxies: proxy "::/0" is everybody`:                            func(c *node.Config) { c.TrustedProxies = []string{"::/0"} },
		"hsts_max_age -1s: use 0s for none":                                     func(c *node.Config) { c.HSTS = -time.Second },
	} {
		cfg := behind(t)
		breakIt(&cfg)
		if err := node.Check(cfg); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want it to say %q", err, says)
		}
	}
}

// Browsers that came by https once come by https again, unless the operator says otherwise or there is no https.
func TestStrictTransportSecurity(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*node.Config)
		want   string
	}{
		"https":         {func(*node.Config) {}, "max-age=63072000"},
		"an hour":       {func(c *node.Config) { c.HSTS = time.Hour }, "max-age=3600"},
		"none":          {func(c *node.Config) { c.HSTS = 0 }, ""},
		"a development": {func(c *node.Config) { *c = valid(t) }, ""},
	} {
		cfg := behind(t)
		row.change(&cfg)
		n, err := node.New(cfg, node.Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader})
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/healthz", "/jwks", "/nowhere", "/static/regain.css", "/authorize"} {
			got := httptest.NewRecorder()
			n.ServeHTTP(got, httptest.NewRequest(http.MethodGet, path, nil))
			if value := got.Header().Get("Strict-Transport-Security"); value != row.want {
				t.Errorf("%s: %s says %q", name, path, value)
			}
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}
}
