package node_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/config"
	"regain/internal/node"
)

// behind is a configuration whose proxy asks for client certificates, at a host of its own.
func behind(t *testing.T) config.Config {
	t.Helper()
	cfg := valid(t)
	cfg.Issuer, cfg.TrustedProxies = "https://regain.example", []string{"10.0.0.0/8"}
	cfg.MutualTLS = config.MutualTLSConfig{BaseURL: "https://mtls.regain.example", Header: "Client-Cert", Proxies: []string{"10.0.0.1"}}
	return cfg
}

// A list of proxies that would believe anybody, or nobody, stops the start with its key and the cure.
func TestProxiesThatAreNone(t *testing.T) {
	if err := node.Check(behind(t)); err != nil {
		t.Fatal(err)
	}
	for says, breakIt := range map[string]func(*config.Config){
		`mutual_tls.proxies: proxy "0.0.0.0/0" is everybody`: func(c *config.Config) { c.MutualTLS.Proxies = []string{"0.0.0.0/0"} },
		`mutual_tls.proxies: proxy "the one" is neither`:     func(c *config.Config) { c.MutualTLS.Proxies = []string{"the one"} },
		`trusted_proxies: proxy "::/0" is everybody`:         func(c *config.Config) { c.TrustedProxies = []string{"::/0"} },
	} {
		cfg := behind(t)
		breakIt(&cfg)
		if err := node.Check(cfg); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want it to say %q", err, says)
		}
	}
}

// bank is a client that authenticates with a certificate of its own, and the header in which a proxy sends that.
func bank(t *testing.T) (config.ClientConfig, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bank"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), Use: "sig", Algorithm: "ES256", KeyID: "1"}}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "bank.jwks.json")
	if err := os.WriteFile(path, set, 0o600); err != nil {
		t.Fatal(err)
	}
	return config.ClientConfig{
		ID: "bank", Name: "Example Bank", AuthMethod: "self_signed_tls_client_auth", JWKSFile: path, Scope: []string{"openid"}, RedirectURIs: []string{"https://bank.example/callback"},
	}, ":" + base64.StdEncoding.EncodeToString(der) + ":"
}

// A certificate in a header authenticates at the host of mutual_tls.base_url and from its proxies, and nowhere else: naming a
// client and sending its public certificate is not being it.
func TestACertificateInAHeader(t *testing.T) {
	cfg := behind(t)
	client, certificate := bank(t)
	cfg.Clients = []config.ClientConfig{client}
	n, err := node.New(cfg, node.Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		host, remote, header string
		is                   bool
	}{
		"as configured":                     {"mtls.regain.example", "10.0.0.1:5", "Client-Cert", true},
		"at the issuer's own host":          {"regain.example", "10.0.0.1:5", "Client-Cert", false},
		"from another proxy":                {"mtls.regain.example", "10.0.0.2:5", "Client-Cert", false},
		"of another proxy, at the issuer's": {"regain.example", "10.0.0.2:5", "Client-Cert", false},
		"from a stranger":                   {"mtls.regain.example", "203.0.113.9:5", "Client-Cert", false},
		"in another header":                 {"mtls.regain.example", "10.0.0.1:5", "X-Client-Cert", false},
	} {
		r := httptest.NewRequest(http.MethodPost, "/introspect", strings.NewReader("client_id=bank&token=x"))
		r.Host, r.RemoteAddr = row.host, row.remote
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-Forwarded-Host", "mtls.regain.example")
		r.Header.Set(row.header, certificate)
		got := httptest.NewRecorder()
		n.ServeHTTP(got, r)
		if row.is && got.Code != http.StatusOK || !row.is && (got.Code != http.StatusUnauthorized || !strings.Contains(got.Body.String(), "invalid_client")) {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
}

// Browsers that came by https once come by https again, unless the operator says otherwise or there is no https.
func TestStrictTransportSecurity(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*config.Config)
		want   string
	}{
		"https":         {func(*config.Config) {}, "max-age=63072000"},
		"an hour":       {func(c *config.Config) { c.HSTS = time.Hour }, "max-age=3600"},
		"none":          {func(c *config.Config) { c.HSTS = 0 }, ""},
		"a development": {func(c *config.Config) { *c = valid(t) }, ""},
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
