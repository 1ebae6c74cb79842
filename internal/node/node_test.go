package node_test

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"regain/internal/config"
	"regain/internal/node"
	"regain/internal/publickey/publickeytest"
	"regain/provider/keys"
)

// valid is a configuration that starts: the development instance, with a file behind every part.
func valid(t *testing.T) node.Config {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	cfg, err := node.Development(node.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Storage = node.StorageConfig{Backend: "file", Path: filepath.Join(t.TempDir(), "regain.db")}
	cfg.Audit.File = filepath.Join(t.TempDir(), "audit.jsonl")
	return cfg
}

func TestAValidConfiguration(t *testing.T) {
	named := valid(t)
	named.Directory.Kind, named.PassIssuer.Kind = "file", "local" // what they are when nothing is named
	if err := node.Check(named); err != nil {
		t.Errorf("with its kinds named: %v", err)
	}
	if err := node.Check(valid(t)); err != nil {
		t.Fatal(err)
	}
}

// Promise 10: a mistake stops the start, names the key, and says what to do.
func TestMistakes(t *testing.T) {
	empty := func(t *testing.T, text string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for says, breakIt := range map[string]func(t *testing.T, c *node.Config){
		"issuer: set it":                        func(_ *testing.T, c *node.Config) { c.Issuer = "" },
		"must be https":                         func(_ *testing.T, c *node.Config) { c.Issuer = "http://recover.example.org" },
		"without a slash at the end":            func(_ *testing.T, c *node.Config) { c.Issuer += "/" },
		"must be scheme and host":               func(_ *testing.T, c *node.Config) { c.Issuer += "/regain?x" },
		"connections.per_network 0: use":        func(_ *testing.T, c *node.Config) { c.Connections.PerNetwork = 0 },
		"connections.live_pages -1: use":        func(_ *testing.T, c *node.Config) { c.Connections.LivePages = -1 },
		"tls: set both":                         func(_ *testing.T, c *node.Config) { c.TLS.KeyFile = "key.pem" },
		"tls.certificate_file: open none":       func(_ *testing.T, c *node.Config) { c.TLS = node.TLSConfig{CertificateFile: "none", KeyFile: "none"} },
		"directory.file: name":                  func(_ *testing.T, c *node.Config) { c.Directory.File = "" },
		"directory.kind \"ldap\": use file":     func(_ *testing.T, c *node.Config) { c.Directory = node.DirectoryConfig{Kind: "ldap"} },
		"pass_issuer.kind \"graph\": use local": func(_ *testing.T, c *node.Config) { c.PassIssuer.Kind = "graph" },
		"directory.file: name the YAML":         func(_ *testing.T, c *node.Config) { c.Directory = node.DirectoryConfig{Kind: "file"} },
		"directory.file: open directory":        func(_ *testing.T, c *node.Config) { c.Directory.File = "none.yaml" },
		"directory.file: directory":             func(t *testing.T, c *node.Config) { c.Directory.File = empty(t, "account: []") },
		"audit.file: name a file":               func(_ *testing.T, c *node.Config) { c.Audit.File = "" },
		"audit.file:":                           func(t *testing.T, c *node.Config) { c.Audit.File = empty(t, "not a log\n") },
		"storage.backend \"paper\"":             func(_ *testing.T, c *node.Config) { c.Storage.Backend = "paper" },
		"storage.path: name a file":             func(_ *testing.T, c *node.Config) { c.Storage.Path = "" },
		"trust: is empty":                       func(_ *testing.T, c *node.Config) { c.Trust = nil },
		"trust: no entry covers the type urn:":  func(_ *testing.T, c *node.Config) { c.Profiles[0].Credential.Types = []string{"urn:another"} },
		"trust[0].anchors_file":                 func(_ *testing.T, c *node.Config) { c.Trust[0].AnchorsFile = "none" },
		"holds no PEM certificate":              func(t *testing.T, c *node.Config) { c.Trust[0].AnchorsFile = empty(t, "x") },
		"face_check.receipt_types":              func(_ *testing.T, c *node.Config) { c.FaceCheck.ReceiptTypes = nil },
		"proofing[0]": func(_ *testing.T, c *node.Config) {
			c.Proofing = []node.ProofingConfig{{Name: "x", DisplayName: "X", StartURL: "ftp://x"}}
		},
		"needs a name of its own": func(_ *testing.T, c *node.Config) {
			c.Proofing = []node.ProofingConfig{{DisplayName: "X", StartURL: "https://x.example/"}}
		},
		"profiles[0].proofing \"nobody\"": func(_ *testing.T, c *node.Config) { c.Profiles[0].Proofing = "nobody" },
		"no profile is enabled":           func(_ *testing.T, c *node.Config) { c.Profiles = nil },
		"profiles[0] (development): mode": func(_ *testing.T, c *node.Config) { c.Profiles[0].Mode = "live" },
		"pass.lifetime_minutes 5":         func(_ *testing.T, c *node.Config) { c.Profiles[0].Pass.LifetimeMinutes = 5 },
		"face_check.threshold 30":         func(_ *testing.T, c *node.Config) { c.Profiles[0].FaceCheck.Threshold = 30 },
		"connections.per_network 256: use fewer than connections.max 256": func(_ *testing.T, c *node.Config) {
			c.Connections.Max = c.Connections.PerNetwork
		},
		"connections.live_pages_per_network 65: use fewer than connections.live_pages 64": func(_ *testing.T, c *node.Config) {
			c.Connections.LivePages, c.Connections.LivePagesPerNetwork = 64, 65
		},
		"limits[0].per": func(_ *testing.T, c *node.Config) {
			c.Limits = []node.LimitConfig{{Name: "x", Per: "planet", Max: 1, Window: time.Hour}}
		},
		"secrets.encryption_keys: set":                                func(_ *testing.T, c *node.Config) { c.Secrets.Encryption = config.Secret{} },
		"secrets.encryption_keys: encryption":                         func(t *testing.T, c *node.Config) { c.Secrets.Encryption = config.Secret{File: empty(t, "short")} },
		"secrets.token_secret: 32 bytes":                              func(t *testing.T, c *node.Config) { c.Secrets.Token = config.Secret{File: empty(t, "short")} },
		"secrets.pass_key.env: the variable":                          func(_ *testing.T, c *node.Config) { c.Secrets.Pass = config.Secret{Env: "REGAIN_TEST_UNSET"} },
		"secrets.signing_key: no PEM block":                           func(t *testing.T, c *node.Config) { c.Secrets.SigningKey = config.Secret{File: empty(t, "x")} },
		"request_signing.key":                                         func(_ *testing.T, c *node.Config) { c.RequestSigning.Key = config.Secret{} },
		"request_signing.certificate_file: the first certificate of ": func(_ *testing.T, c *node.Config) { c.RequestSigning.CertificateFile = c.Trust[0].AnchorsFile },
		"trusted_proxies: ":                                           func(_ *testing.T, c *node.Config) { c.TrustedProxies = []string{"the one in front"} },
		"fetch.ca_file":                                               func(_ *testing.T, c *node.Config) { c.Fetch.CAFile = "none" },
		"clients[0] (x).jwks_file: name":                              func(_ *testing.T, c *node.Config) { c.Clients = []node.ClientConfig{{ID: "x", Name: "X"}} },
		"not a JWK set": func(t *testing.T, c *node.Config) {
			c.Clients = []node.ClientConfig{{ID: "x", JWKSFile: empty(t, "x")}}
		},
		"an RSA modulus of 16384 bits; 8192 are the most": func(t *testing.T, c *node.Config) {
			giant := publickeytest.Certificate(t, publickeytest.RSA(16_384, 65537))
			c.Trust[0].AnchorsFile = empty(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: giant})))
		},
		"clients[0] (x).jwks_file: not a JWK set that can be used: none of its keys: key 0: outside the accepted bounds": func(t *testing.T, c *node.Config) {
			set, err := json.Marshal(map[string]any{"keys": []any{publickeytest.JWK(publickeytest.RSA(65_536, 65537))}})
			if err != nil {
				t.Fatal(err)
			}
			c.Clients = []node.ClientConfig{{ID: "x", JWKSFile: empty(t, string(set))}}
		},
		"redirect_uris is empty": func(t *testing.T, c *node.Config) {
			c.Clients = []node.ClientConfig{{ID: "x", Name: "X", JWKSFile: empty(t, `{"keys":[]}`)}}
		},
		"has no certificate after it": func(t *testing.T, c *node.Config) {
			const guid = "11111111-2222-4333-8444-555555555555"
			c.Secrets.SigningKey = withRSA(t, c.Secrets.SigningKey)
			c.Clients = []node.ClientConfig{{
				ID: "x", Name: "X", Contract: "entra-external-method", RedirectURIs: []string{"https://login.example/"}, Entra: node.EntraConfig{TenantID: guid, ApplicationID: guid},
			}}
		},
		"clients[0] (x).claims: y is mapped twice": func(_ *testing.T, c *node.Config) {
			c.Clients = []node.ClientConfig{{ID: "x", Claims: []node.ClaimConfig{{Name: "y", Attribute: "a"}, {Name: "y", Attribute: "b"}}}}
		},
		`clients[0] (x).deliver "paper"`:     func(_ *testing.T, c *node.Config) { c.Clients = []node.ClientConfig{{ID: "x", Deliver: "paper"}} },
		"registration.initial_access_tokens": func(t *testing.T, c *node.Config) { c.Registration.Tokens = config.Secret{File: empty(t, "short")} },
		`registration.scope "admin"`: func(t *testing.T, c *node.Config) {
			c.Registration = node.RegistrationConfig{Tokens: config.Secret{File: empty(t, strings.Repeat("x", 32))}, Scope: []string{"openid", "admin"}}
		},
		"credentials[0]: document: type": func(_ *testing.T, c *node.Config) { c.Profiles[0].Credential.Document.Organization = "X" },
		"mutual_tls.listen":              func(_ *testing.T, c *node.Config) { c.MutualTLS.Listen = "127.0.0.1:0" },
		`contract "okta" is unknown`: func(t *testing.T, c *node.Config) {
			c.Clients = []node.ClientConfig{{
				ID: "x", Name: "X", Contract: "okta", AuthMethod: "client_secret_post", Secret: config.Secret{File: empty(t, strings.Repeat("x", 32))},
				JWKSFile: empty(t, `{"keys":[]}`), RedirectURIs: []string{"https://okta.example/"},
			}}
		},
		"use 32 random ones": func(t *testing.T, c *node.Config) {
			c.Clients = []node.ClientConfig{{ID: "x", Name: "X", Secret: config.Secret{File: empty(t, "hunter2")}, JWKSFile: empty(t, `{"keys":[]}`)}}
		},
	} {
		t.Run(says, func(t *testing.T) {
			cfg := valid(t)
			breakIt(t, &cfg)
			err := node.Check(cfg)
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("got %v, want it to say %q", err, says)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Error("the error quotes a secret")
			}
		})
	}
}

func TestServe(t *testing.T) {
	cfg := valid(t)
	cfg.Listen = freeAddress(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- node.Serve(ctx, cfg, slog.New(slog.DiscardHandler)) }()
	body := get(t, http.DefaultClient, "http://"+cfg.Listen+"/.well-known/openid-configuration")
	if !strings.Contains(body, cfg.Issuer) {
		t.Errorf("metadata: %s", body)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("after the stop: %v", err)
	}
	if err := node.Check(cfg); err != nil {
		t.Errorf("the files are still held: %v", err)
	}
}

// A node that is given a certificate terminates TLS itself.
func TestServeTLS(t *testing.T) {
	cfg := valid(t)
	server := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate
	t.Cleanup(server.Close)
	key, err := x509.MarshalPKCS8PrivateKey(server.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	cfg.TLS = node.TLSConfig{CertificateFile: filepath.Join(directory, "tls.crt"), KeyFile: filepath.Join(directory, "tls.key")}
	for path, block := range map[string]*pem.Block{
		cfg.TLS.CertificateFile: {Type: "CERTIFICATE", Bytes: server.Certificate().Raw}, cfg.TLS.KeyFile: {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg.Listen = freeAddress(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- node.Serve(ctx, cfg, slog.New(slog.DiscardHandler)) }()
	if body := get(t, server.Client(), "https://"+cfg.Listen+"/.well-known/openid-configuration"); !strings.Contains(body, cfg.Issuer) {
		t.Errorf("metadata: %s", body)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("after the stop: %v", err)
	}
}

// freeAddress is one on loopback that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return listener.Addr().String()
}

func get(t *testing.T, client *http.Client, address string) string {
	t.Helper()
	var last error
	for range 100 {
		resp, err := client.Get(address) //nolint:noctx // a test, on loopback
		if err != nil {
			last = err
			time.Sleep(20 * time.Millisecond)
			continue
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	t.Fatal(last)
	return ""
}

func TestNewRefusesMissingDependencies(t *testing.T) {
	for _, deps := range []node.Deps{
		{}, {Logger: slog.New(slog.DiscardHandler), Clock: time.Now}, {Clock: time.Now, Random: rand.Reader},
		{Logger: slog.New(slog.DiscardHandler), Random: rand.Reader},
	} {
		if _, err := node.New(valid(t), deps); err == nil {
			t.Error("a node without a part started")
		}
	}
}

// withRSA returns the ring with an RSA key more.
func withRSA(t *testing.T, ring config.Secret) config.Secret {
	t.Helper()
	list, err := keys.ReadFile(ring.File)
	if err != nil {
		t.Fatal(err)
	}
	more, err := keys.GenerateRing(rand.Reader, "RS256")
	if err != nil {
		t.Fatal(err)
	}
	text, err := keys.EncodeRing(append(list, more...))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ring.pem")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Secret{File: path}
}

// A node takes a rotated ring at SIGHUP, and keeps the one it has when the file is broken.
func TestHangup(t *testing.T) {
	cfg := valid(t)
	cfg.Listen = freeAddress(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	said := make(records, 16)
	go func() { ended <- node.Serve(ctx, cfg, slog.New(said)) }()
	jwks := func() string { return get(t, http.DefaultClient, "http://"+cfg.Listen+"/jwks") }
	hangUp := func() {
		t.Helper()
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	before := jwks()
	ring, err := os.ReadFile(cfg.Secrets.SigningKey.File)
	if err != nil {
		t.Fatal(err)
	}
	key, err := keys.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.RotateFile(cfg.Secrets.SigningKey.File, keys.Rotation{Algorithm: "ES256", New: key, Now: time.Now(), Announce: time.Hour, Overlap: time.Hour}); err != nil {
		t.Fatal(err)
	}
	hangUp()
	waitFor(t, "the new key", func() bool { return strings.Count(jwks(), "kid") == 2 })
	if err := os.WriteFile(cfg.Secrets.SigningKey.File, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	hangUp()
	said.await(t, slog.LevelError)
	if strings.Count(jwks(), "kid") != 2 {
		t.Error("a broken file took the keys away")
	}
	if err := os.WriteFile(cfg.Secrets.SigningKey.File, ring, 0o600); err != nil {
		t.Fatal(err)
	}
	hangUp()
	waitFor(t, "the old ring", func() bool { return jwks() == before })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func waitFor(t *testing.T, what string, reached func() bool) {
	t.Helper()
	for range 500 {
		if reached() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("waited in vain for %s", what)
}

// records is a log handler that hands on what it gets.
type records chan slog.Record

func (records) Enabled(context.Context, slog.Level) bool { return true }

func (r records) Handle(_ context.Context, record slog.Record) error {
	select {
	case r <- record:
	default: // nobody waits for so many
	}
	return nil
}

func (r records) WithAttrs([]slog.Attr) slog.Handler { return r }
func (r records) WithGroup(string) slog.Handler      { return r }

// await reads until a record of the level.
func (r records) await(t *testing.T, level slog.Level) {
	t.Helper()
	for {
		select {
		case record := <-r:
			if record.Level == level {
				return
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("nothing was logged at %s", level)
		}
	}
}
