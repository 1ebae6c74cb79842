package testenv_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/conformance/testenv"
	"regain/internal/config"
)

// started is the configuration that Regain starts with when somebody brings text.
func started(t *testing.T, text string) (config.Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "brought.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var cfg config.Config
	w, err := testenv.Start(testenv.Options{Logger: slog.New(slog.DiscardHandler), Configuration: path, Change: func(c *config.Config) { cfg = *c }})
	if err != nil {
		return cfg, err
	}
	return cfg, w.Close()
}

// What is brought joins what is there: mappings key by key, lists at their end, and other values in the old one's place.
func TestConfiguration(t *testing.T) {
	cfg, err := started(t, `
request_lifetime: 2m
organisation_id: Foreign Organisation
fetch: {timeout: 9s}
wallets: [{name: did, client_id_prefix: x509_san_dns, client_id: regain.localhost}]
exclude_groups: [leavers]
`)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.RequestLife.String() != "2m0s" || cfg.Organisation != "Foreign Organisation" {
		t.Errorf("values: %v, %v", cfg.RequestLife, cfg.Organisation)
	}
	if cfg.Fetch.Timeout.String() != "9s" || len(cfg.Fetch.AllowHTTPHosts) != 1 {
		t.Errorf("a mapping: %+v", cfg.Fetch)
	}
	if len(cfg.Wallets) != 2 || cfg.Wallets[1].Name != "did" || strings.Join(cfg.ExcludeGroups, " ") != "executives leavers" {
		t.Errorf("lists: %+v, %v", cfg.Wallets, cfg.ExcludeGroups)
	}
}

func TestConfigurationMistakes(t *testing.T) {
	for name, row := range map[string]struct{ text, want string }{
		"an unknown key":          {"walets: []", "did you mean wallets?"},
		"no mapping":              {"[]", "cannot unmarshal"},
		"a list in a mapping":     {"fetch: []", "fetch"},
		"what the node refuses":   {"wallets: [{name: default}]", "another wallet profile has this name"},
		"not even YAML":           {"a: b: c", "mapping values"},
		"a value that is no time": {"request_lifetime: soon", "request_lifetime"},
	} {
		if _, err := started(t, row.text); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := testenv.Start(testenv.Options{Logger: slog.New(slog.DiscardHandler), Configuration: filepath.Join(t.TempDir(), "none.yaml")}); err == nil {
		t.Error("a file that is not there")
	}
}

// An issuer of a type that the demo trusts is trusted beside the demo's, for that type alone; and its new types too.
func TestAnIssuerOfATrustedTypeJoins(t *testing.T) {
	anchors, brought := filepath.Join(t.TempDir(), "anchors.crt"), filepath.Join(t.TempDir(), "brought.yaml")
	another := authority(t)
	text := `
trust:
  - {types: [urn:regain:verified-identity:1, urn:guest:1], anchors_file: ` + anchors + `, issuers: [https://guest.example]}
`
	for path, data := range map[string][]byte{anchors: another, brought: []byte(text)} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var cfg config.Config
	w, err := testenv.Start(testenv.Options{Logger: slog.New(slog.DiscardHandler), Configuration: brought, Change: func(c *config.Config) { cfg = *c }})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	byType := map[string]config.TrustConfig{}
	for _, entry := range cfg.Trust {
		for _, name := range entry.Types {
			if _, twice := byType[name]; twice {
				t.Errorf("%s has two entries", name)
			}
			byType[name] = entry
		}
	}
	joined := byType["urn:regain:verified-identity:1"]
	both, err := os.ReadFile(joined.AnchorsFile)
	if err != nil || len(joined.Issuers) != 2 || !slices.Contains(joined.Issuers, "https://guest.example") || !bytes.Contains(both, another) || bytes.Count(both, []byte("BEGIN CERTIFICATE")) != 2 {
		t.Errorf("the type that was trusted: %+v", joined)
	}
	if receipts := byType["urn:regain:face-check-receipt:1"]; slices.Contains(receipts.Issuers, "https://guest.example") || len(receipts.Issuers) != 1 {
		t.Errorf("the other type of that entry: %+v", receipts)
	}
	if guest := byType["urn:guest:1"]; guest.AnchorsFile != anchors || len(guest.Issuers) != 1 {
		t.Errorf("the type that is new: %+v", guest)
	}
	if _, err := started(t, "trust: [{types: [urn:regain:verified-identity:1], anchors_file: /nowhere/anchors.crt}]"); err == nil || !strings.Contains(err.Error(), "/nowhere/anchors.crt") {
		t.Errorf("anchors that are not there: %v", err)
	}
}

// authority is the certificate of a CA, PEM.
func authority(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Guest"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// Two test environments at once have directories of their own, which go with them.
func TestTwoEnvironmentsShareNoFile(t *testing.T) {
	var all []*testenv.Env
	for range 2 {
		w, err := testenv.Start(testenv.Options{Logger: slog.New(slog.DiscardHandler), TLS: true})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, w)
	}
	if all[0].Directory() == all[1].Directory() || all[0].CAFile() == all[1].CAFile() {
		t.Fatal("both are in one directory")
	}
	for _, w := range all {
		if text, err := os.ReadFile(w.CAFile()); err != nil || !bytes.Equal(text, w.PKI.CertificatePEM()) {
			t.Errorf("the CA's file is not the CA's: %v", err)
		}
		if info, err := os.Stat(w.Directory()); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("others can look into %s: %v", w.Directory(), err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(w.Directory()); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", w.Directory(), err)
		}
	}
}
