package config_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"regain/internal/config"
)

// The example in docs/configuration.md has every key there is, and none that there is not.
func TestTheDocumentedExample(t *testing.T) {
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	path := filepath.Join(t.TempDir(), "regain.yaml")
	if err := os.WriteFile(path, []byte(example), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := config.Defaults()
	if err := config.Load(config.Source{File: path}, &cfg); err != nil {
		t.Fatal(err)
	}
	if len(cfg.Profiles) != 2 || len(cfg.Clients) != 8 || cfg.Profiles[1].Pass.UsableOnce == nil {
		t.Errorf("read %d profiles and %d clients", len(cfg.Profiles), len(cfg.Clients))
	}
	for _, key := range keysOf(reflect.TypeFor[config.Config]()) {
		if !strings.Contains(example, key+":") {
			t.Errorf("the example does not show %s", key)
		}
	}
}

// keysOf lists the names of all keys below a configuration type.
func keysOf(t reflect.Type) []string {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		return keysOf(t.Elem())
	case reflect.Struct:
	default:
		return nil
	}
	var names []string
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("koanf"); name != "" {
			names = append(append(names, name), keysOf(t.Field(i).Type)...)
		}
	}
	return names
}
