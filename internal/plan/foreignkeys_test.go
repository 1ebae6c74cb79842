package plan_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regain/internal/config"
	"regain/internal/publickey/publickeytest"
)

// A client whose JWK set also has keys that we do not understand starts; one that has nothing else does not.
func TestClientsWithForeignKeys(t *testing.T) {
	good, err := os.ReadFile("../publickey/testdata/foreign.jwks")
	if err != nil {
		t.Fatal(err)
	}
	check := func(set []byte) error {
		cfg := valid(t)
		path := filepath.Join(t.TempDir(), "jwks.json")
		if err := os.WriteFile(path, set, 0o600); err != nil {
			t.Fatal(err)
		}
		cfg.Clients = []config.ClientConfig{{ID: "x", Name: "X", JWKSFile: path, RedirectURIs: []string{"https://x.example/cb"}}}
		return read(cfg)
	}
	if err := check(good); err != nil {
		t.Errorf("an X25519 key beside ours: %v", err)
	}
	var set struct {
		Keys []any `json:"keys"`
	}
	if err := json.Unmarshal(good, &set); err != nil {
		t.Fatal(err)
	}
	encode := func(keys ...any) []byte {
		text, err := json.Marshal(map[string]any{"keys": keys})
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	var all []any
	for name, other := range publickeytest.Foreign() {
		all = append(all, other)
		if err := check(encode(other)); err == nil || !strings.Contains(err.Error(), "clients[0] (x).jwks_file: not a JWK set that can be used: none of its keys: key 0: ") {
			t.Errorf("%s alone: %v", name, err)
		}
	}
	if err := check(encode(append(all, set.Keys...)...)); err != nil {
		t.Errorf("every foreign key before ours: %v", err)
	}
}
