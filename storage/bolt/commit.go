package bolt

import (
	"context"
	"time"

	"regain/storage"
)

// Commit implements storage.Store: all or none, in one transaction of the file, which the lists of others may share.
func (s *Store) Commit(_ context.Context, changes []storage.Change) ([]storage.Result, error) {
	if err := storage.Apart(changes); err != nil || len(changes) == 0 {
		return nil, err
	}
	return s.update(changes)
}

// one makes a list of one.
func (s *Store) one(_ context.Context, c storage.Change) (storage.Result, error) {
	return storage.Only(s.update([]storage.Change{c}))
}

// found is what a change found.
type found struct {
	old   storage.Record
	there bool // expired or not
	count count
}

// refuses looks at all that a list hangs on, before any of it is made, and returns why it cannot be. Since no record is in a
// list twice, none of its changes changes what another one found. now is the time of records, steady that of counters.
func (t table) refuses(c *call, now, steady time.Time) error {
	for i, change := range c.changes {
		var err error
		if c.found[i], err = t.find(change, now, steady); err != nil {
			return &storage.CommitError{At: i, Err: err}
		}
	}
	return nil
}

func (t table) find(c storage.Change, now, steady time.Time) (f found, err error) {
	if c.Operation == storage.OpIncrement {
		f.count = t.count(c.Record.Kind, c.Record.ID, steady)
		if c.Max != 0 && f.count.hits >= c.Max {
			err = storage.ErrOver
		}
		return f, err
	}
	if f.old, f.there, err = t.get(c.Record.Kind, c.Record.ID); err != nil || c.Operation == storage.OpDelete {
		return f, err
	}
	live := f.there && !f.old.Expired(now)
	switch {
	case c.Operation == storage.OpCreate && live:
		return f, storage.ErrExists
	case c.Operation != storage.OpCreate && !live:
		return f, storage.ErrNotFound
	case c.Operation == storage.OpUpdate && f.old.Version != c.Record.Version:
		return f, storage.ErrConflict
	}
	return f, nil
}

// apply makes a list that nothing refuses. It may run again, so it does not write to the changes.
func (t table) apply(c *call, steady time.Time) error {
	for i, change := range c.changes {
		var err error
		if c.results[i], err = t.change(change, c.found[i], steady); err != nil {
			return &storage.CommitError{At: i, Err: err}
		}
	}
	return nil
}

func (t table) change(c storage.Change, f found, steady time.Time) (made storage.Result, err error) {
	r := c.Record
	switch c.Operation {
	case storage.OpCreate:
		r.Version = 1
		if !f.there {
			return made, t.add(r)
		}
		return made, t.replace(f.old, r)
	case storage.OpUpdate:
		r.Version++
		return made, t.replace(f.old, r)
	case storage.OpConsume:
		return storage.Result{Record: f.old}, t.remove(f.old)
	case storage.OpDelete:
		return made, t.remove(f.old)
	case storage.OpIncrement:
		made.Count, err = t.hit(r.Kind, r.ID, f.count, steady.Add(c.Window))
	}
	return made, err
}
