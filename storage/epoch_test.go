package storage_test

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"regain/storage"
	"regain/storage/storagetest"
)

// epochs is an epoch that tests change.
type epochs struct {
	now     storage.Epoch
	changes atomic.Int64
}

func (e *epochs) Epoch() storage.Epoch { return e.now }

func (e *epochs) Changed() { e.changes.Add(1) }

func TestContractInAnEpoch(t *testing.T) {
	storagetest.Run(t, func(t *testing.T, clock func() time.Time) storage.Store {
		t.Helper()
		return sealed(t, backend(t, clock), keyring(t, 1)).Under(&epochs{now: storage.Epoch{1}})
	})
}

// What was written in another epoch does not exist for callers, by whatever method they ask, and what forbids stays.
func TestRecordsOfAnotherEpoch(t *testing.T) {
	const kind = storage.Kind("transaction")
	e := &epochs{now: storage.Epoch{1}}
	s := sealed(t, backend(t, time.Now), keyring(t, 1)).Under(e)
	ctx := t.Context()
	create := func(kind storage.Kind, id string) {
		t.Helper()
		if err := s.Create(ctx, storage.Record{Kind: kind, ID: id, Group: "g", Data: []byte(id)}); err != nil {
			t.Fatal(err)
		}
	}
	// Void records lie between, before and after the valid ones, and a page of a list is not shorter for them.
	for _, id := range []string{"a1", "b1", "c1", "d1"} {
		create(kind, id)
	}
	create("jti", "used")
	e.now = storage.Epoch{2}
	for _, id := range []string{"a2", "b2", "c2"} {
		create(kind, id)
	}
	for _, row := range []struct {
		after string
		limit int
		want  []string
	}{{"", 10, []string{"a2", "b2", "c2"}}, {"", 2, []string{"a2", "b2"}}, {"b2", 2, []string{"c2"}}, {"c2", 5, nil}, {"", 0, nil}} {
		records, err := s.List(ctx, kind, "g", row.after, row.limit)
		var ids []string
		for _, r := range records {
			ids = append(ids, string(r.Data))
		}
		if err != nil || !slices.Equal(ids, row.want) {
			t.Errorf("%d after %q: %q, %v; want %q", row.limit, row.after, ids, err, row.want)
		}
	}
	if _, err := s.Get(ctx, kind, "a1"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("get: %v", err)
	}
	if r, err := s.Get(ctx, kind, "a2"); err != nil || string(r.Data) != "a2" {
		t.Errorf("get: %q, %v", r.Data, err)
	}
	if _, err := s.Consume(ctx, kind, "b1"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("consume: %v", err)
	}
	if err := s.Create(ctx, storage.Record{Kind: kind, ID: "c1"}); !errors.Is(err, storage.ErrExists) {
		t.Errorf("create: %v", err)
	}
	if _, err := s.Get(ctx, "jti", "used"); err != nil {
		t.Errorf("what forbids: %v", err)
	}
	if e.changes.Load() == 0 {
		t.Error("nobody hears of changes")
	}
}

// A record without an epoch, of an older version of this program, is refused and not taken for one of the zero epoch.
func TestRecordsWithoutAnEpoch(t *testing.T) {
	ring := keyring(t, 1)
	r := storage.Record{Kind: "t", ID: "a", Version: 1}
	r.Data = ring.Seal([]byte("seven o"), storage.PlaceOf(r))
	s := sealed(t, put{backend(t, time.Now), r}, ring)
	if _, err := s.Get(t.Context(), "t", "a"); err == nil || errors.Is(err, storage.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}
