package load

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"

	"regain/conformance/testenv"
	"regain/internal/node"
	"regain/storage"
)

// lists counts what asks for more than the record that it names: in a sharded database it asks every shard.
type lists struct {
	storage.Store
	asked atomic.Int64
}

func (l *lists) List(ctx context.Context, kind storage.Kind, group, after string, limit int) ([]storage.Record, error) {
	l.asked.Add(1)
	return l.Store.List(ctx, kind, group, after, limit)
}

// No query of a recovery crosses shards (docs/sizing.md): each names the id of its record, which is the shard key.
func TestNoQueryOfARecoveryCrossesShards(t *testing.T) {
	l := &lists{}
	w, err := testenv.Start(testenv.Options{Logger: slog.New(slog.DiscardHandler), Namesakes: 1, Deps: func(d *node.Deps) {
		d.Wrap = func(s storage.Store) storage.Store {
			l.Store = s
			return l
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close() //nolint:errcheck // the test is over
	h, err := newHolder(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	k, err := newWorker(w, h, 0, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.recovery(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := l.asked.Load(); n != 0 {
		t.Errorf("a recovery lists %d times", n)
	}
}
