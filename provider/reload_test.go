package provider_test

import (
	"encoding/pem"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"regain/internal/config"
)

// replace writes another content to a file of the running node, and has it read again.
func (f *fixture) replace(t *testing.T, files map[string][]byte) error {
	t.Helper()
	for path, data := range files {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return f.Node.Reload()
}

// isDenied walks from the page that asks for the wallet, and reports whether the client is told that access is denied.
func (f *fixture) isDenied(t *testing.T) bool {
	t.Helper()
	page, err := f.browser.Open(t.Context(), f.share(t, f.review(t, f.browser.Current())))
	_, err = f.RP.Code(f.attempt, f.press(t, f.must(t, page, err), "finish").URL.String())
	return err != nil && strings.Contains(err.Error(), "access_denied")
}

// Who leaves the directory file recovers no more: not a recovery that begins, and not one that is under way.
func TestAnAccountThatLeftTheFile(t *testing.T) {
	var path string
	f := setUpWallets(t, func(cfg *config.Config) { path = cfg.Directory.File }, config.WalletConfig{})
	f.recovers(t, f.asked(t))
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Accounts []map[string]any `yaml:"accounts"`
	}
	if err := yaml.Unmarshal(before, &file); err != nil {
		t.Fatal(err)
	}
	var left []map[string]any
	for _, account := range file.Accounts {
		if account["name"] != "ada.lindqvist@example.org" {
			left = append(left, account)
		}
	}
	after, err := yaml.Marshal(map[string]any{"accounts": left})
	if err != nil || len(left) != len(file.Accounts)-1 {
		t.Fatalf("%d of %d accounts, %v", len(left), len(file.Accounts), err)
	}
	f.asked(t) // under way
	if err := f.replace(t, map[string][]byte{path: after}); err != nil {
		t.Fatal(err)
	}
	if !f.isDenied(t) {
		t.Error("a recovery that was under way went on")
	}
	if f.asked(t); !f.isDenied(t) {
		t.Error("a new recovery succeeded")
	}
	// A broken file does not bring them back, and takes nobody else away.
	if err := f.replace(t, map[string][]byte{path: append(before, []byte("\n  - {nam: x}\n")...)}); err == nil || !strings.Contains(err.Error(), "directory.file") {
		t.Errorf("a broken file: %v", err)
	}
	if f.asked(t); !f.isDenied(t) {
		t.Error("a broken file brought an account back")
	}
	if err := f.replace(t, map[string][]byte{path: before}); err != nil {
		t.Fatal(err)
	}
	f.recovers(t, f.asked(t))
}

// An issuer whose anchor leaves its file is believed no more, although its chains and lists were seen before.
func TestAnAnchorThatLeftTheFile(t *testing.T) {
	var path string
	f := setUpWallets(t, func(cfg *config.Config) { path = cfg.Trust[0].AnchorsFile }, config.WalletConfig{})
	f.recovers(t, f.asked(t))
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f.asked(t)
	if err := f.replace(t, map[string][]byte{path: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.Rogue.Anchor().Raw})}); err != nil {
		t.Fatal(err)
	}
	if !f.isDenied(t) {
		t.Error("an issuer whose anchor was taken away is believed")
	}
	if err := f.replace(t, map[string][]byte{path: []byte("broken")}); err == nil || !strings.Contains(err.Error(), "trust[0].anchors_file") {
		t.Errorf("a broken file: %v", err)
	}
	if err := f.replace(t, map[string][]byte{path: before}); err != nil {
		t.Fatal(err)
	}
	f.recovers(t, f.asked(t))
}

// A renewed certificate changes the client_id that is made of it (x509_hash). A request that a wallet has fetched can be
// answered, one that is fetched again is made anew, and those that follow are signed with the new key.
func TestARenewedRequestCertificate(t *testing.T) {
	var key, certificate string
	f := setUpWallets(t, func(cfg *config.Config) {
		key, certificate = cfg.RequestSigning.Key.File, cfg.RequestSigning.CertificateFile
	}, config.WalletConfig{})
	renew := func() {
		t.Helper()
		chain, private, err := f.PKI.RenewRequest()
		if err != nil {
			t.Fatal(err)
		}
		if err := f.replace(t, map[string][]byte{key: private, certificate: chain}); err != nil {
			t.Fatal(err)
		}
	}
	fetched := f.review(t, f.asked(t))
	renew()
	page, err := f.browser.Open(t.Context(), f.share(t, fetched))
	f.finishes(t, f.must(t, page, err))

	page = f.asked(t)
	f.review(t, page)
	renew()
	page, err = f.browser.Follow(t.Context(), page.URL.String()) // the link that the page showed has the old client_id
	f.recovers(t, f.must(t, page, err))

	f.recovers(t, f.asked(t))
}
