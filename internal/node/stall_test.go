package node_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"regain/internal/node"
	"regain/storage"
)

// stuckDisk is a store whose changes wait while its test holds the lock.
type stuckDisk struct {
	storage.Store
	answers *sync.RWMutex
}

func (s stuckDisk) Create(ctx context.Context, r storage.Record) error {
	s.answers.RLock()
	defer s.answers.RUnlock()
	return s.Store.Create(ctx, r)
}

func (s stuckDisk) Increment(ctx context.Context, kind storage.Kind, id string, window time.Duration) (int64, error) {
	s.answers.RLock()
	defer s.answers.RUnlock()
	return s.Store.Increment(ctx, kind, id, window)
}

func (s stuckDisk) Commit(ctx context.Context, changes []storage.Change) ([]storage.Result, error) {
	s.answers.RLock()
	defer s.answers.RUnlock()
	return s.Store.Commit(ctx, changes)
}

// A disk that stalls for seconds: who is there already waits for it, the next are refused at once, the node is not ready and
// says so, and all goes on when the disk does.
func TestADiskThatStalls(t *testing.T) {
	disk := stuckDisk{answers: &sync.RWMutex{}}
	var log journal
	cfg := valid(t)
	cfg.Storage.Backend, cfg.Storage.Path = "file", filepath.Join(t.TempDir(), "regain.db")
	n, err := node.New(cfg, node.Deps{
		Logger: slog.New(slog.NewJSONHandler(&log, nil)), Clock: time.Now, Random: rand.Reader,
		Wrap: func(s storage.Store) storage.Store { disk.Store = s; return disk },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	disk.answers.Lock()
	waits := make(chan error, 1)
	go func() {
		waits <- n.Store().Create(t.Context(), storage.Record{Kind: "test", ID: "a", Data: []byte("one")})
	}()
	log.awaits(t, "the disk of the store does not answer")
	began := time.Now()
	if err := n.Store().Create(t.Context(), storage.Record{Kind: "test", ID: "b"}); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("the next one: %v", err)
	}
	if status, said := readiness(n); status != http.StatusServiceUnavailable || !strings.Contains(said, `"store":"cannot be written"`) {
		t.Errorf("%d %q", status, said)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("they waited for %s", took)
	}
	select {
	case err := <-waits:
		t.Fatalf("the first did not wait: %v", err)
	default:
	}
	disk.answers.Unlock()
	if err := <-waits; err != nil {
		t.Errorf("the first: %v", err)
	}
	log.awaits(t, "the disk of the store answers again")
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if status, said := readiness(n); status == http.StatusOK {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("never ready again: %d %q", status, said)
		}
	}
	if r, err := n.Store().Get(t.Context(), "test", "a"); err != nil || !bytes.Equal(r.Data, []byte("one")) {
		t.Errorf("got %q, %v", r.Data, err)
	}
}
