package bolt

import (
	"context"
	"time"

	"regain/storage"
)

func (s *Store) Create(_ context.Context, r storage.Record) error {
	_, err := s.one(storage.Creating(r))
	return err
}

func (s *Store) Update(_ context.Context, r storage.Record) error {
	_, err := s.one(storage.Updating(r))
	return err
}

func (s *Store) Consume(_ context.Context, kind storage.Kind, id string) (storage.Record, error) {
	made, err := s.one(storage.Consuming(kind, id))
	return made.Record, err
}

func (s *Store) Delete(_ context.Context, kind storage.Kind, id string) error {
	_, err := s.one(storage.Deleting(kind, id))
	return err
}

func (s *Store) Increment(_ context.Context, kind storage.Kind, id string, window time.Duration) (int64, error) {
	made, err := s.one(storage.Counting(kind, id, window, 0))
	return made.Count, err
}

// Commit implements storage.Store: all or none, in one transaction of the file, which the lists of others may share.
func (s *Store) Commit(_ context.Context, changes []storage.Change) ([]storage.Result, error) {
	if err := storage.Apart(changes); err != nil {
		return nil, err
	}
	results := make([]storage.Result, len(changes))
	err := s.update(func(tx table, now time.Time) (err error) {
		for i, c := range changes {
			if results[i], err = tx.apply(c, now, s.steady.Now()); err != nil {
				return &storage.CommitError{At: i, Err: err}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

func (s *Store) one(c storage.Change) (storage.Result, error) {
	var made storage.Result
	err := s.update(func(tx table, now time.Time) (err error) {
		made, err = tx.apply(c, now, s.steady.Now())
		return err
	})
	if err != nil {
		return storage.Result{}, err
	}
	return made, nil
}

// apply makes a change, or says why it cannot be made, and then the transaction has to end. It may run again, so it does
// not write to the change. steady is the time that counters go by.
func (t table) apply(c storage.Change, now, steady time.Time) (made storage.Result, err error) {
	r := c.Record
	if c.Operation == storage.OpIncrement {
		made.Count, err = t.hit(r.Kind, r.ID, steady, c.Window)
		if err == nil && c.Max != 0 && made.Count > c.Max {
			err = storage.ErrOver
		}
		return made, err
	}
	old, there, err := t.get(r.Kind, r.ID)
	if err != nil {
		return made, err
	}
	live := there && !old.Expired(now)
	switch {
	case c.Operation == storage.OpDelete:
		err = t.remove(old)
	case c.Operation == storage.OpCreate && live:
		err = storage.ErrExists
	case c.Operation == storage.OpCreate && there:
		r.Version = 1
		err = t.replace(old, r)
	case c.Operation == storage.OpCreate:
		r.Version = 1
		err = t.add(r)
	case !live:
		err = storage.ErrNotFound
	case c.Operation == storage.OpConsume:
		made.Record, err = old, t.remove(old)
	case old.Version != r.Version:
		err = storage.ErrConflict
	default:
		r.Version++
		err = t.replace(old, r)
	}
	return made, err
}
