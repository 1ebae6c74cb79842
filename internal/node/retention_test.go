package node_test

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"regain/adapters/auditlog"
	"regain/internal/config"
	"regain/internal/keep"
	"regain/internal/node"
)

// A node prunes its log at the start; while it stops it does not wait for long.
func TestANodePrunesItsLog(t *testing.T) {
	cfg := valid(t)
	keyFile := filepath.Join(t.TempDir(), "audit.key")
	if err := os.WriteFile(keyFile, []byte("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Audit = config.AuditConfig{File: filepath.Join(t.TempDir(), "audit.jsonl"), Key: config.Secret{File: keyFile}, SegmentMiB: 64, KeepDays: 31}
	options, err := keep.AuditOptions(cfg.Audit)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Add(-100 * 24 * time.Hour)
	options.Clock = func() time.Time { return now }
	old, err := auditlog.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(24 * time.Hour)
	if err := errors.Join(old.Rotate(), old.Close()); err != nil {
		t.Fatal(err)
	}
	n, err := node.New(cfg, node.Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}()
	stop := n.Watch(slog.New(slog.DiscardHandler), time.Now, time.Second)
	defer stop()
	for range 500 {
		if _, err := os.Stat(cfg.Audit.File + ".000001"); errors.Is(err, fs.ErrNotExist) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the old segment is still there")
}
