package node_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regain/adapters/auditlog"
	"regain/internal/config"
	"regain/internal/keep"
	"regain/internal/node"
	"regain/storage"
)

// fullStore is a store that takes no change while it is full.
type fullStore struct {
	storage.Store
	full    *bool
	changes *int
}

func (s fullStore) Increment(ctx context.Context, kind storage.Kind, id string, window time.Duration) (int64, error) {
	*s.changes++
	if *s.full {
		return 0, errors.New("no space left on device, in /var/lib/regain")
	}
	return s.Store.Increment(ctx, kind, id, window)
}

// readiness asks as a load balancer does.
func readiness(n *node.Node) (int, string) {
	answer := httptest.NewRecorder()
	n.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/healthz", nil))
	return answer.Code, answer.Body.String()
}

// A store that cannot be written: the node is not ready, says so without the cause, and is again when the store is. A
// probe costs a change a second at most, and none while nothing failed.
func TestReadinessOfTheStore(t *testing.T) {
	now, full, changes := time.Now(), false, 0
	n, err := node.New(valid(t), node.Deps{
		Logger: slog.New(slog.DiscardHandler), Clock: func() time.Time { return now }, Random: rand.Reader,
		Wrap: func(s storage.Store) storage.Store { return fullStore{s, &full, &changes} },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	if status, said := readiness(n); status != http.StatusOK || said != "ok\n" || changes != 0 {
		t.Errorf("%d %q after %d changes", status, said, changes)
	}
	full = true
	n.FailAChange(t)
	for range 5 {
		if status, said := readiness(n); status != http.StatusServiceUnavailable || said != `{"status":"unavailable","store":"cannot be written"}` {
			t.Errorf("%d %q", status, said)
		}
	}
	if changes > 2 {
		t.Errorf("%d changes in one moment", changes)
	}
	full, now = false, now.Add(2*time.Second)
	if status, said := readiness(n); status != http.StatusOK {
		t.Errorf("%d %q when there is space again", status, said)
	}
}

// Files that could not be read again are told until they are, beside what cannot be written, and do not make a node unready:
// they are the same for all nodes.
func TestReadinessOfFiles(t *testing.T) {
	now, full, changes := time.Now(), false, 0
	cfg := valid(t)
	n, err := node.New(cfg, node.Deps{
		Logger: slog.New(slog.DiscardHandler), Clock: func() time.Time { return now }, Random: rand.Reader,
		Wrap: func(s storage.Store) storage.Store { return fullStore{s, &full, &changes} },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	for _, path := range []string{cfg.Directory.File, cfg.Trust[0].AnchorsFile, cfg.RequestSigning.CertificateFile} {
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		full = false
		if err := errors.Join(os.WriteFile(path, []byte("broken"), 0o600), n.Reload()); err == nil {
			t.Errorf("%s: broken, and taken", path)
		}
		if status, said := readiness(n); status != http.StatusOK || said != `{"files":"not read again","status":"degraded"}` {
			t.Errorf("%s: %d %q", path, status, said)
		}
		full = true
		n.FailAChange(t)
		if status, said := readiness(n); status != http.StatusServiceUnavailable || said != `{"files":"not read again","status":"unavailable","store":"cannot be written"}` {
			t.Errorf("%s, and the store: %d %q", path, status, said)
		}
		full = false
		now = now.Add(2 * time.Second) // the store is tried once a second
		if err := errors.Join(os.WriteFile(path, before, 0o600), n.Reload()); err != nil {
			t.Errorf("%s: mended: %v", path, err)
		}
		if status, said := readiness(n); status != http.StatusOK || said != "ok\n" {
			t.Errorf("%s: mended: %d %q", path, status, said)
		}
	}
}

// The key of the chain, and the size of a segment, are told by name when they cannot be.
func TestAuditMistakes(t *testing.T) {
	for says, breakIt := range map[string]func(c *config.Config){
		"audit.key: set audit.key.file":         func(c *config.Config) { c.Audit.Key.File = "" },
		"audit.key: 32 bytes in base64url":      func(c *config.Config) { c.Audit.Key.File = c.Directory.File },
		"audit.segment_mib 0: use 1 to 4096":    func(c *config.Config) { c.Audit.SegmentMiB = 0 },
		"audit.segment_mib 5000: use 1 to 4096": func(c *config.Config) { c.Audit.SegmentMiB = 5000 },
		"each node needs a log of its own":      nil,
		"the store knows of its record 0":       nil,
	} {
		t.Run(says, func(t *testing.T) {
			cfg := valid(t)
			switch {
			case breakIt != nil:
				breakIt(&cfg)
			case says == "each node needs a log of its own":
				options, err := keep.AuditOptions(cfg.Audit)
				if err != nil {
					t.Fatal(err)
				}
				other, err := auditlog.Open(options)
				if err != nil {
					t.Fatal(err)
				}
				defer other.Close()
			default: // a node ran, and log and head were deleted
				if err := start(cfg); err != nil {
					t.Fatal(err)
				}
				cfg.Audit.File = filepath.Join(t.TempDir(), "audit.jsonl")
			}
			said(t, start(cfg), says)
		})
	}
}

// start starts a node and ends it.
func start(cfg config.Config) error {
	n, err := node.New(cfg, node.Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader})
	if err != nil {
		return err
	}
	return n.Close()
}

func said(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want it to say %q", err, want)
	}
}

// A load balancer that asks with HEAD learns the same, and that the store works again.
func TestReadinessByHead(t *testing.T) {
	now, full, changes := time.Now(), false, 0
	n, err := node.New(valid(t), node.Deps{
		Logger: slog.New(slog.DiscardHandler), Clock: func() time.Time { return now }, Random: rand.Reader,
		Wrap: func(s storage.Store) storage.Store { return fullStore{s, &full, &changes} },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	head := func(want int) {
		t.Helper()
		answer := httptest.NewRecorder()
		n.ServeHTTP(answer, httptest.NewRequest(http.MethodHead, "/healthz", nil))
		if answer.Code != want || answer.Body.Len() != 0 {
			t.Errorf("%d %q, want %d", answer.Code, answer.Body, want)
		}
	}
	head(http.StatusOK)
	full = true
	n.FailAChange(t)
	head(http.StatusServiceUnavailable)
	full, now = false, now.Add(2*time.Second)
	head(http.StatusOK)
}
