package storagetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"
	"testing"
	"time"

	"regain/storage"
)

// Shared is a model of a store that several nodes share, over one of a single process. A change is seen by all at once; it
// models no replica that lags behind, and no failure.
type Shared struct {
	storage.Store
	Polls atomic.Int64 // how often Versions was called
}

// Versions implements storage.Shared.
func (s *Shared) Versions(ctx context.Context, kind storage.Kind, ids []string) (map[string]int64, error) {
	s.Polls.Add(1)
	versions := make(map[string]int64, len(ids))
	for _, id := range ids {
		r, err := s.Get(ctx, kind, id)
		switch {
		case errors.Is(err, storage.ErrNotFound):
		case err != nil:
			return nil, err
		default:
			versions[id] = r.Version
		}
	}
	return versions, nil
}

// versions checks storage.Shared, for a store that implements it.
func versions(t *testing.T, s storage.Store, clock *Clock) {
	shared, ok := s.(storage.Shared)
	if !ok {
		return
	}
	ctx := t.Context()
	want := make(map[string]int64)
	ids := []string{"none", "expired", "consumed", "elsewhere"}
	for i := range storage.MaxVersions - len(ids) {
		id := fmt.Sprint(i)
		ids, want[id] = append(ids, id), 1
		must(t, s.Create(ctx, record(id, "data")))
	}
	must(t, s.Update(ctx, expect(t, s, "7", "data", 1)))
	must(t, s.Update(ctx, expect(t, s, "7", "data", 2)))
	want["7"] = 3
	ends := record("expired", "data")
	ends.ExpiresAt = clock.Now().Add(time.Minute)
	must(t, s.Create(ctx, ends))
	must(t, s.Create(ctx, record("consumed", "data")))
	_, err := s.Consume(ctx, kind, "consumed")
	must(t, err)
	must(t, s.Create(ctx, storage.Record{Kind: "other", ID: "elsewhere"}))
	must(t, s.Create(ctx, record("not asked for", "data")))
	clock.Turn(time.Minute)
	got, err := shared.Versions(ctx, kind, ids)
	must(t, err)
	if !maps.Equal(got, want) {
		t.Errorf("versions of %d records, want %d; of 7: %d", len(got), len(want), got["7"])
		for id, version := range got {
			if want[id] != version {
				t.Errorf("%s: version %d, want %d", id, version, want[id])
			}
		}
	}
	if got, err := shared.Versions(ctx, kind, nil); err != nil || len(got) != 0 {
		t.Errorf("of no records: %v, %v", got, err)
	}
}
