package plan_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"regain/adapters/directory"
	"regain/internal/config"
	"regain/internal/plan"
	"regain/recovery"
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

// read is what a start demands of a configuration before it opens anything.
func read(cfg config.Config) error {
	_, err := plan.Read(cfg, time.Now)
	return err
}

// start is read, and what it then demands of the directory.
func start(t *testing.T, cfg config.Config) error {
	t.Helper()
	p, err := plan.Read(cfg, time.Now)
	return errors.Join(err, plan.CheckDirectory(p.Policy, accounts(t, cfg)))
}

func warnings(t *testing.T, cfg config.Config, now time.Time) []string {
	t.Helper()
	return plan.Warnings(cfg, now, accounts(t, cfg))
}

// accounts opens the directory of a configuration.
func accounts(t *testing.T, cfg config.Config) recovery.Directory {
	t.Helper()
	file, err := directory.OpenFile(cfg.Directory.File)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
