package storage_test

import (
	"errors"
	"testing"
	"time"

	"regain/storage"
	"regain/storage/storagetest"
)

func TestGuardedContract(t *testing.T) {
	storagetest.Run(t, func(t *testing.T, clock func() time.Time) storage.Store {
		t.Helper()
		return storage.Guard(backend(t, clock))
	})
}

// Whoever may only look sees everything and changes nothing, by any of the methods that change.
func TestReadOnlyChangesNothing(t *testing.T) {
	below := backend(t, time.Now)
	s := storage.Guard(below)
	kept := storage.Record{Kind: "t", ID: "kept", Group: "g", Data: []byte("as it was")}
	if err := s.Create(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Increment(t.Context(), "t", "count", time.Hour); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func() error{
		"create": func() error {
			ctx, _ := storage.ReadOnly(t.Context())
			return s.Create(ctx, storage.Record{Kind: "t", ID: "new"})
		},
		"update": func() error {
			ctx, _ := storage.ReadOnly(t.Context())
			return s.Update(ctx, storage.Record{Kind: "t", ID: "kept", Version: 1})
		},
		"consume": func() error {
			ctx, _ := storage.ReadOnly(t.Context())
			_, err := s.Consume(ctx, "t", "kept")
			return err
		},
		"delete": func() error {
			ctx, _ := storage.ReadOnly(t.Context())
			return s.Delete(ctx, "t", "kept")
		},
		"increment": func() error {
			ctx, _ := storage.ReadOnly(t.Context())
			_, err := s.Increment(ctx, "t", "count", time.Hour)
			return err
		},
		"commit": func() error {
			ctx, _ := storage.ReadOnly(t.Context())
			_, err := s.Commit(ctx, []storage.Change{storage.Counting("t", "count", time.Hour, 0), storage.Consuming("t", "kept")})
			return err
		},
		"postpone": func() error {
			ctx, _ := storage.ReadOnly(t.Context())
			ctx, unit := storage.Begin(ctx)
			err := storage.Postpone(ctx, s, storage.Postponed{Change: storage.Deleting("t", "kept")})
			return errors.Join(err, unit.Finish(ctx))
		},
	} {
		if err := change(); !errors.Is(err, storage.ErrReadOnly) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, refused := storage.ReadOnly(t.Context())
	r, err := s.Get(ctx, "t", "kept")
	all, err2 := s.List(ctx, "t", "g", "", 10)
	if err != nil || err2 != nil || r.Version != 1 || string(r.Data) != "as it was" || len(all) != 1 || refused() {
		t.Errorf("after all of them: %+v, %d in the group, %v, %v, refused %t", r, len(all), err, err2, refused())
	}
	if err := s.Delete(ctx, "t", "kept"); err == nil || !refused() {
		t.Error("a refusal was not noted")
	}
	if n, err := below.Increment(t.Context(), "t", "count", time.Hour); n != 2 || err != nil {
		t.Errorf("the counter is %d, %v", n, err)
	}
}

// Who may change something hears of what failed.
func TestGuardedHidesNoFailure(t *testing.T) {
	s := storage.Guard(broken{})
	_, consumed := s.Consume(t.Context(), "t", "a")
	_, incremented := s.Increment(t.Context(), "t", "a", time.Hour)
	_, committed := s.Commit(t.Context(), []storage.Change{storage.Deleting("t", "a")})
	for name, err := range map[string]error{
		"create": s.Create(t.Context(), storage.Record{}), "update": s.Update(t.Context(), storage.Record{}), "consume": consumed, "delete": s.Delete(t.Context(), "t", "a"), "increment": incremented, "commit": committed,
	} {
		if !errors.Is(err, errDisk) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
