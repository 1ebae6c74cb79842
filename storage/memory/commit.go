package memory

import (
	"context"
	"time"

	"regain/storage"
)

// Commit implements storage.Store: all or none. What could refuse one of the changes is looked at before any is made; since
// no record is in the list twice, none changes what another one hangs on.
func (s *Store) Commit(_ context.Context, changes []storage.Change) ([]storage.Result, error) {
	if err := storage.Apart(changes); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.sweep()
	for i, c := range changes {
		if err := s.refuses(c, now); err != nil {
			return nil, &storage.CommitError{At: i, Err: err}
		}
	}
	results := make([]storage.Result, len(changes))
	for i, c := range changes {
		results[i] = s.apply(c, now)
	}
	return results, nil
}

func (s *Store) one(_ context.Context, c storage.Change) (storage.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.sweep()
	if err := s.refuses(c, now); err != nil {
		return storage.Result{}, err
	}
	return s.apply(c, now), nil
}

// refuses returns why a change cannot be made, or nil. now is the time that counters go by.
func (s *Store) refuses(c storage.Change, now time.Time) error {
	switch c.Operation {
	case storage.OpIncrement:
		if s.counters[keyOf(c.Record)].full(now, c.Max) {
			return storage.ErrOver
		}
		return nil
	case storage.OpDelete:
		return nil
	case storage.OpCreate, storage.OpUpdate, storage.OpConsume:
	}
	old := s.entry(c.Record.Kind, c.Record.ID)
	there := old != nil && !old.over(s.clock())
	switch {
	case c.Operation == storage.OpCreate && there:
		return storage.ErrExists
	case c.Operation != storage.OpCreate && !there:
		return storage.ErrNotFound
	case c.Operation == storage.OpUpdate && old.version != c.Record.Version:
		return storage.ErrConflict
	}
	return nil
}

// apply makes a change that nothing refuses.
func (s *Store) apply(c storage.Change, now time.Time) (made storage.Result) {
	switch c.Operation {
	case storage.OpCreate:
		c.Record.Version = 1
		s.put(c.Record)
	case storage.OpUpdate:
		c.Record.Version++
		s.put(c.Record)
	case storage.OpConsume:
		e := s.entry(c.Record.Kind, c.Record.ID)
		made.Record = e.record()
		e.remove()
	case storage.OpDelete:
		if e := s.entry(c.Record.Kind, c.Record.ID); e != nil {
			e.remove()
		}
	case storage.OpIncrement:
		made.Count = s.hit(keyOf(c.Record), now, c.Window)
	}
	return made
}
