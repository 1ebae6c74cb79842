// Package memory stores records in memory: for development, tests, and a single node that may lose its open
// transactions when it stops.
package memory

import (
	"bytes"
	"container/heap"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"regain/internal/clock"
	"regain/storage"
)

// Store implements storage.Store. Each operation removes a few expired records, the oldest first, so its cost does
// not grow with the number of records.
type Store struct {
	clock func() time.Time
	// steady is what counters and sweeps go by: a clock that is put forward must not make them forget what was used.
	steady *clock.Steady

	mu       sync.Mutex
	records  map[key]storage.Record
	groups   map[key]map[string]struct{} // ids by kind and group
	counters map[key]counter
	ends     endings
}

type key struct {
	kind storage.Kind
	name string
}

type counter struct {
	hits int64
	ends time.Time
}

// New returns an empty store.
func New(now func() time.Time) (*Store, error) {
	if now == nil {
		return nil, errors.New("memory store: clock is missing")
	}
	return &Store{
		clock: now, steady: clock.NewSteady(now, nil), records: make(map[key]storage.Record), groups: make(map[key]map[string]struct{}), counters: make(map[key]counter),
	}, nil
}

func (s *Store) Get(_ context.Context, kind storage.Kind, id string) (storage.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.get(kind, id)
}

func (s *Store) List(_ context.Context, kind storage.Kind, group, after string, limit int) ([]storage.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := make([]string, 0, len(s.groups[key{kind, group}]))
	for id := range s.groups[key{kind, group}] {
		if id > after {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	var found []storage.Record
	for _, id := range ids {
		if r, err := s.get(kind, id); err == nil && len(found) < limit {
			found = append(found, r)
		}
	}
	return found, nil
}

// Close implements storage.Store.
func (s *Store) Close() error { return nil }

func (s *Store) get(kind storage.Kind, id string) (storage.Record, error) {
	r, ok := s.records[key{kind, id}]
	if !ok || r.Expired(s.clock()) {
		return storage.Record{}, storage.ErrNotFound
	}
	r.Data = bytes.Clone(r.Data)
	return r, nil
}

func (s *Store) put(r storage.Record) {
	k := key{r.Kind, r.ID}
	old := s.records[k]
	s.remove(k) // from its group, too
	r.Data = bytes.Clone(r.Data)
	s.records[k] = r
	if r.Group != "" {
		g := key{r.Kind, r.Group}
		if s.groups[g] == nil {
			s.groups[g] = make(map[string]struct{})
		}
		s.groups[g][r.ID] = struct{}{}
	}
	if !r.ExpiresAt.IsZero() && !old.ExpiresAt.Equal(r.ExpiresAt) {
		heap.Push(&s.ends, ending{at: r.ExpiresAt, key: k})
	}
}

func (s *Store) remove(k key) {
	g := key{k.kind, s.records[k].Group}
	delete(s.records, k)
	delete(s.groups[g], k.name)
	if len(s.groups[g]) == 0 {
		delete(s.groups, g)
	}
}
