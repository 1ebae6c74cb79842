package load

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regain/internal/config"
	"regain/storage"
	"regain/storage/bolt"
)

// What a file says of its commits is what was done to it, also while it is open: a read is none, a change is one.
func TestFileCommitsAreCounted(t *testing.T) {
	cfg := config.StorageConfig{Path: filepath.Join(t.TempDir(), "regain.db")}
	ring, err := storage.NewKeyring(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	s, err := bolt.Open(cfg.Path, time.Now, ring)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // the test is over
	before, err := fileCommits(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(3) {
		if err := s.Create(t.Context(), storage.Record{Kind: "k", ID: string(rune('a' + i)), Data: []byte("data")}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(t.Context(), "k", "a"); err != nil {
			t.Fatal(err)
		}
		if now, err := fileCommits(cfg); err != nil || now-before != i+1 {
			t.Errorf("%d commits after %d changes: %v", now-before, i+1, err)
		}
	}
}

func TestFileCommitsOfNoStoreIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "regain.db")
	if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{path, path + ".not-there"} {
		if _, err := fileCommits(config.StorageConfig{Path: file}); err == nil || !strings.Contains(err.Error(), "count commits") {
			t.Errorf("%s: %v, want an error", file, err)
		}
	}
}
