package node_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"regain/adapters/auditlog/segments"
	"regain/internal/config"
	"regain/internal/node"
	"regain/recovery"
	"regain/storage"
)

// rollbacks counts those in the audit log.
func rollbacks(t *testing.T, cfg config.Config) int {
	t.Helper()
	text, err := os.ReadFile(cfg.Audit.File)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), `"`+string(recovery.EventStoreRolledBack)+`"`)
}

// A log that is begun anew, with another key, knows the store as it is: nothing is void for it. What it knew before under the
// same key it still knows.
func TestALogThatIsBegunKnowsItsStore(t *testing.T) {
	cfg := valid(t)
	deps := node.Deps{Logger: slog.New(slog.DiscardHandler), Clock: time.Now, Random: rand.Reader}
	begin := func() {
		t.Helper()
		if err := errors.Join(node.BeginAudit(cfg, deps), start(cfg), start(cfg)); err != nil {
			t.Fatal(err)
		}
	}
	if err := start(cfg); err != nil {
		t.Fatal(err)
	}
	older, err := os.ReadFile(cfg.Storage.Path)
	if err != nil {
		t.Fatal(err)
	}
	secret := base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{9}, 32))
	if err := os.WriteFile(cfg.Audit.Key.File, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	if begin(); rollbacks(t, cfg) != 0 {
		t.Error("a new key is taken for an older store")
	}
	if err := os.Remove(segments.SeenPath(cfg.Audit.File)); err != nil {
		t.Fatal(err)
	}
	if begin(); rollbacks(t, cfg) != 0 {
		t.Error("what is missing is taken for an older store, after `audit begin`")
	}
	if err := os.WriteFile(cfg.Storage.Path, older, 0o600); err != nil {
		t.Fatal(err)
	}
	before := rollbacks(t, cfg)
	if begin(); rollbacks(t, cfg) != before+1 {
		t.Error("an older store was not noticed, after `audit begin`")
	}
}

// A store that cannot be read says nothing of its generation: the log tells it once, and the node stops all the same.
func TestAGenerationThatCannotBeRead(t *testing.T) {
	cfg := valid(t)
	var log bytes.Buffer
	store := &readable{}
	deps := node.Deps{Logger: slog.New(slog.NewTextHandler(&log, nil)), Clock: time.Now, Random: rand.Reader, LookEvery: time.Millisecond}
	deps.Wrap = func(s storage.Store) storage.Store {
		store.Store = s
		return store
	}
	n, err := node.New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	store.failing.Store(true)
	time.Sleep(50 * time.Millisecond)
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	if told := strings.Count(log.String(), "whether the store went back to an older copy cannot be told"); told != 1 {
		t.Errorf("it is told %d times:\n%s", told, log.String())
	}
}

// readable is a store whose records cannot be read for a while.
type readable struct {
	storage.Store
	failing atomic.Bool
}

func (r *readable) Get(ctx context.Context, kind storage.Kind, id string) (storage.Record, error) {
	if kind == storage.KindGeneration && r.failing.Load() {
		return storage.Record{}, errors.New("input/output error")
	}
	return r.Store.Get(ctx, kind, id)
}
