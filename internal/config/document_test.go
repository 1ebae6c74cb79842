package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regain/internal/config"
)

// What stands in a second document would not count: an exclusion there would exclude nobody.
func TestASecondDocumentIsAMistake(t *testing.T) {
	type settings struct {
		Name    string   `koanf:"name"`
		Exclude []string `koanf:"exclude"`
	}
	path := filepath.Join(t.TempDir(), "regain.yaml")
	load := func(text string) (s settings, err error) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return s, config.Load(config.Source{File: path}, &s)
	}
	for _, text := range []string{"name: a\n---\nexclude: [executives]\n", "name: a\n...\n---\n", "name: a\n---\n{"} {
		if _, err := load(text); err == nil || !strings.Contains(err.Error(), "second document") {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"name: a\n", "---\nname: a\n", "# settings\n---\nname: a\n...\n"} {
		if s, err := load(text); err != nil || s.Name != "a" {
			t.Errorf("%q: %+v, %v", text, s, err)
		}
	}
	if _, err := load("name: [\n"); err == nil || strings.Contains(err.Error(), "second document") {
		t.Errorf("a file that is no YAML: %v", err)
	}
}
