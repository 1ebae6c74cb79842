package config_test

import (
	"path/filepath"
	"strings"
	"testing"

	"regain/internal/config"
)

// valid is a configuration without a mistake: the development instance, with a file behind every part.
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

func said(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want it to say %q", err, want)
	}
}

// No record, no pass: a profile in production is a mistake with what a restart forgets, and says what to do.
func TestProductionKeepsItsRecords(t *testing.T) {
	on, off := true, false
	for name, row := range map[string]struct {
		change func(c *config.Config)
		says   []string // none for a good configuration
	}{
		"kept":              {change: func(*config.Config) {}},
		"memory":            {func(c *config.Config) { c.Storage.Backend = "memory" }, []string{"storage.backend memory: use file"}},
		"no log":            {func(c *config.Config) { c.Audit.File = "" }, []string{"audit.file: name a file"}},
		"memory and no log": {func(c *config.Config) { c.Storage.Backend, c.Audit.File = "memory", "" }, []string{"storage.backend memory: use file", "audit.file: name a file"}},
		"the second of its profiles": {func(c *config.Config) {
			second := c.Profiles[0]
			c.Profiles[0].Mode, second.Name, second.Priority = "evaluation", "second", 9
			c.Profiles = append(c.Profiles, second)
			c.Storage.Backend, c.Audit.File = "memory", ""
		}, []string{"profiles[1] (second)"}},
		"enabled by name": {func(c *config.Config) { c.Profiles[0].Enabled = &on; c.Storage.Backend, c.Audit.File = "memory", "" }, []string{"profiles[0] (development)"}},
		"in evaluation": {change: func(c *config.Config) {
			c.Profiles[0].Mode = "evaluation"
			c.Storage.Backend, c.Audit.File = "memory", ""
		}},
		"disabled": {change: func(c *config.Config) {
			other := c.Profiles[0]
			c.Profiles[0].Enabled, other.Name, other.Mode, other.Priority = &off, "other", "evaluation", 9
			c.Profiles = append(c.Profiles, other)
			c.Storage.Backend, c.Audit.File = "memory", ""
		}},
		"development":                   {change: func(c *config.Config) { c.Development = true; c.Storage.Backend, c.Audit.File = "memory", "" }},
		"development elsewhere":         {func(c *config.Config) { c.Development, c.Issuer = true, "https://recover.example.org" }, []string{"development: is for an issuer under .localhost"}},
		"development without an issuer": {func(c *config.Config) { c.Development, c.Issuer = true, "%" }, []string{"development: is for an issuer under .localhost"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := valid(t)
			cfg.Profiles[0].Mode = "production"
			row.change(&cfg)
			err := cfg.Validate()
			if len(row.says) == 0 && err != nil {
				t.Errorf("is refused: %v", err)
			}
			for _, says := range row.says {
				said(t, err, says)
			}
		})
	}
}
