// Package memory stores records in memory: for development, tests, and a single node that may lose its open
// transactions when it stops.
package memory

import (
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
	storage.Singles

	clock func() time.Time
	// steady is what counters and sweeps go by: a clock that is put forward must not make them forget what was used.
	steady *clock.Steady

	mu          sync.Mutex
	tables      map[storage.Kind]*table
	counters    map[counterKey]*counter
	recordsEnd  endings[entry]
	countersEnd endings[counter]
}

// New returns an empty store.
func New(now func() time.Time) (*Store, error) {
	if now == nil {
		return nil, errors.New("memory store: clock is missing")
	}
	s := &Store{clock: now, steady: clock.NewSteady(now, nil), tables: make(map[storage.Kind]*table), counters: make(map[counterKey]*counter)}
	s.Make = s.one
	return s, nil
}

func (s *Store) Get(_ context.Context, kind storage.Kind, id string) (storage.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entry(kind, id)
	if e == nil || e.over(s.clock()) {
		return storage.Record{}, storage.ErrNotFound
	}
	return e.record(), nil
}

func (s *Store) List(_ context.Context, kind storage.Kind, group, after string, limit int) ([]storage.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, there := s.tables[kind]
	if !there {
		return nil, nil
	}
	ids := make([]string, 0, len(t.groups[group]))
	for id := range t.groups[group] {
		if id > after {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	var found []storage.Record
	for _, id := range ids {
		if e := t.entries[id]; !e.over(s.clock()) && len(found) < limit {
			found = append(found, e.record())
		}
	}
	return found, nil
}

// Close implements storage.Store.
func (s *Store) Close() error { return nil }

// entry returns what is held of a record, over or not, or nil.
func (s *Store) entry(kind storage.Kind, id string) *entry {
	if t, there := s.tables[kind]; there {
		return t.entries[id]
	}
	return nil
}

// put stores a record, in place of the one that has its id.
func (s *Store) put(r storage.Record) {
	t, there := s.tables[r.Kind]
	if !there {
		t = newTable(r.Kind)
		s.tables[r.Kind] = t
	}
	e := t.entries[r.ID]
	if e == nil {
		e = t.add(r.ID)
	}
	ended := e.ends
	e.set(r)
	if e.ends != never && e.ends != ended {
		s.recordsEnd.add(e.ends, e)
	}
}
