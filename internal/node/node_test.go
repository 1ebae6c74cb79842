package node_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
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
	"regain/provider/keys"
)

// valid is a configuration that starts: the development instance, with a file behind every part.
func valid(t *testing.T) config.Config {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	cfg, err := config.Development(config.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Storage = config.StorageConfig{Backend: "file", Path: filepath.Join(t.TempDir(), "regain.db")}
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

// Promise 10: a mistake stops the start, names the key, and says what to do. These are of what a node opens and wires;
// internal/plan has those of what it is built of.
func TestMistakes(t *testing.T) {
	empty := func(t *testing.T, text string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for says, breakIt := range map[string]func(t *testing.T, c *config.Config){
		"directory.file: name":                  func(_ *testing.T, c *config.Config) { c.Directory.File = "" },
		"directory.kind \"ldap\": use file":     func(_ *testing.T, c *config.Config) { c.Directory = config.DirectoryConfig{Kind: "ldap"} },
		"pass_issuer.kind \"graph\": use local": func(_ *testing.T, c *config.Config) { c.PassIssuer.Kind = "graph" },
		"directory.file: name the YAML":         func(_ *testing.T, c *config.Config) { c.Directory = config.DirectoryConfig{Kind: "file"} },
		"directory.file: open directory":        func(_ *testing.T, c *config.Config) { c.Directory.File = "none.yaml" },
		"directory.file: directory":             func(t *testing.T, c *config.Config) { c.Directory.File = empty(t, "account: []") },
		"audit.file:":                           func(t *testing.T, c *config.Config) { c.Audit.File = empty(t, "not a log\n") },
		"storage.backend \"paper\"":             func(_ *testing.T, c *config.Config) { c.Storage.Backend = "paper" },
		"storage.path: name a file":             func(_ *testing.T, c *config.Config) { c.Storage.Path = "" },
		"proofing[0]": func(_ *testing.T, c *config.Config) {
			c.Proofing = []config.ProofingConfig{{Name: "x", DisplayName: "X", StartURL: "ftp://x"}}
		},
		"trusted_proxies: ":                  func(_ *testing.T, c *config.Config) { c.TrustedProxies = []string{"the one in front"} },
		"registration.initial_access_tokens": func(t *testing.T, c *config.Config) { c.Registration.Tokens = config.Secret{File: empty(t, "short")} },
		`registration.scope "admin"`: func(t *testing.T, c *config.Config) {
			c.Registration = config.RegistrationConfig{Tokens: config.Secret{File: empty(t, strings.Repeat("x", 32))}, Scope: []string{"openid", "admin"}}
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
	cfg.TLS = config.TLSConfig{CertificateFile: filepath.Join(directory, "tls.crt"), KeyFile: filepath.Join(directory, "tls.key")}
	for path, block := range map[string]*pem.Block{
		cfg.TLS.CertificateFile: {Type: "CERTIFICATE", Bytes: server.Certificate().Raw}, cfg.TLS.KeyFile: {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// It listens before its store is there, and whoever comes then is shown the certificate too.
	cfg.Listen = freeAddress(t)
	early, err := node.Listening(cfg, node.Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if conn, err := early[0].Accept(); err == nil {
			_ = conn.(*tls.Conn).HandshakeContext(t.Context())
			_ = conn.Close()
		}
	}()
	conn, err := tls.Dial("tcp", cfg.Listen, server.Client().Transport.(*http.Transport).TLSClientConfig)
	if err != nil {
		t.Fatalf("before the store is there: %v", err)
	}
	if err := errors.Join(conn.Close(), early[0].Close()); err != nil {
		t.Error(err)
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
