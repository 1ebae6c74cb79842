package provider_test

import (
	"encoding/pem"
	"net/http"
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

// groupsOf is a directory file in which Ada is in one group more, "" for none, and the file lists these without members.
func groupsOf(t *testing.T, text []byte, group string, lists ...string) []byte {
	t.Helper()
	var file map[string]any
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	for _, one := range file["accounts"].([]any) {
		account := one.(map[string]any)
		if groups, _ := account["groups"].([]any); account["name"] == "ada.lindqvist@example.org" && group != "" {
			account["groups"] = append(groups, group)
		}
	}
	listed, _ := file["groups"].([]any)
	for _, name := range lists {
		listed = append(listed, name)
	}
	file["groups"] = listed
	changed, err := yaml.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

// Who is excluded by a group that a new file calls otherwise stays excluded: in a recovery that is under way, in a new one, and
// after SIGHUP, until the file has the group or the configuration does without. The error has the key and the cure, and
// readiness tells that the files in use are not those on the disk.
func TestAnExclusionThatLostItsGroup(t *testing.T) {
	var path string
	var plain []byte
	f := setUpWallets(t, func(cfg *config.Config) {
		path = cfg.Directory.File
		var err error
		if plain, err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, groupsOf(t, plain, "barred"), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg.ExcludeGroups = append(cfg.ExcludeGroups, "Barred")
	}, config.WalletConfig{})
	if f.asked(t); !f.isDenied(t) {
		t.Fatal("she is not excluded")
	}
	if status, said := f.ready(t); status != http.StatusOK || said != "ok\n" {
		t.Errorf("before: %d %s", status, said)
	}
	for name, text := range map[string][]byte{
		"misspelt": groupsOf(t, plain, "bared"), "without a member": groupsOf(t, plain, ""), "with a space": groupsOf(t, plain, "barred "), "no accounts": []byte("accounts: []\n"),
	} {
		f.asked(t) // under way
		err := f.replace(t, map[string][]byte{path: text})
		for _, says := range []string{"directory.file: ", path, `exclude_groups "Barred": the directory has no such name`, "can stand under groups in the directory file"} {
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v, want it to say %q", name, err, says)
			}
		}
		if !f.isDenied(t) {
			t.Errorf("%s: a recovery that was under way succeeded", name)
		}
		if f.asked(t); !f.isDenied(t) {
			t.Errorf("%s: a new recovery succeeded", name)
		}
		if status, said := f.ready(t); status != http.StatusOK || !strings.Contains(said, `"files":"not read again"`) || strings.Contains(said, "arred") {
			t.Errorf("%s: %d %s", name, status, said)
		}
	}
	if err := f.replace(t, map[string][]byte{path: groupsOf(t, plain, "", "barred")}); err != nil {
		t.Fatal(err)
	}
	f.recovers(t, f.asked(t)) // an exclusion that somebody ended on purpose
	if status, said := f.ready(t); status != http.StatusOK || said != "ok\n" {
		t.Errorf("after: %d %s", status, said)
	}
}
