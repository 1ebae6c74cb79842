package testenv_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regain/conformance/testenv"
	"regain/internal/node"
)

// started is the configuration that Regain starts with when somebody brings text.
func started(t *testing.T, text string) (node.Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "brought.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var cfg node.Config
	w, err := testenv.Start(testenv.Options{Logger: slog.New(slog.DiscardHandler), Configuration: path, Change: func(c *node.Config) { cfg = *c }})
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
