// Package bolt stores records in one file (go.etcd.io/bbolt), for a single node whose open transactions must survive a
// restart. Every change is one durable transaction of the file.
//
//	r/<kind>/<id>                 → version, expiry, group, data
//	g/<kind>/<group>/<id>         → empty; the index of List
//	e/<expiry>/<bucket><key>      → empty; the index of sweep
//	c/<kind>/<id>                 → count, end of the window
//	m/sum                         → the sealed sum of all the others
//
// The file is authenticated as a whole. Who can write to it while the node is stopped and has no encryption key can put
// back a copy of the whole file, and nothing else: not one record or counter of a copy, nor a change to any. A whole copy
// is a state that was, and nothing in the file tells that it is not the last one: transactions that were redeemed after
// it can be redeemed again, and counters of attempts start from where they were. Only a record elsewhere can tell, such
// as the audit log. While the node runs it holds the file's lock and does not look for changes by others.
package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"regain/storage"
)

const openTimeout = 2 * time.Second // how long to wait for another process's lock on the file

// Store implements storage.Store.
type Store struct {
	db    *bbolt.DB
	clock func() time.Time
	seal  Seal
}

// Open opens or creates the file, and verifies that its content is what was written.
func Open(path string, clock func() time.Time, seal Seal) (*Store, error) {
	if clock == nil || seal == nil {
		return nil, errors.New("bolt store: clock and seal are required")
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: openTimeout})
	if errors.Is(err, bbolterrors.ErrTimeout) {
		return nil, fmt.Errorf("open store %s: another process uses it", path)
	}
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range append(buckets(), bucketSum) {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return err
			}
		}
		return verify(tx, seal)
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare store %s: %w", path, err), db.Close())
	}
	return &Store{db: db, clock: clock, seal: seal}, nil
}

func (s *Store) Create(_ context.Context, r storage.Record) error {
	return s.update(func(tx table, now time.Time) error {
		old, ok, err := tx.get(r.Kind, r.ID)
		if err != nil {
			return err
		}
		if ok && !old.Expired(now) {
			return storage.ErrExists
		}
		r.Version = 1
		return tx.put(r)
	})
}

func (s *Store) Get(_ context.Context, kind storage.Kind, id string) (storage.Record, error) {
	var r storage.Record
	err := s.db.View(func(tx *bbolt.Tx) error {
		var err error
		r, err = table{tx: tx}.live(kind, id, s.clock())
		return err
	})
	return r, err
}

func (s *Store) Update(_ context.Context, r storage.Record) error {
	return s.update(func(tx table, now time.Time) error {
		old, err := tx.live(r.Kind, r.ID, now)
		if err != nil {
			return err
		}
		if old.Version != r.Version {
			return storage.ErrConflict
		}
		next := r // Batch may run this function again, so it must not change r
		next.Version++
		return tx.put(next)
	})
}

func (s *Store) Consume(_ context.Context, kind storage.Kind, id string) (storage.Record, error) {
	var r storage.Record
	err := s.update(func(tx table, now time.Time) error {
		var err error
		if r, err = tx.live(kind, id, now); err != nil {
			return err
		}
		return tx.remove(r)
	})
	if err != nil {
		return storage.Record{}, err
	}
	return r, nil
}

func (s *Store) Delete(_ context.Context, kind storage.Kind, id string) error {
	return s.update(func(tx table, _ time.Time) error {
		r, ok, err := tx.get(kind, id)
		if err != nil || !ok {
			return err
		}
		return tx.remove(r)
	})
}

func (s *Store) List(_ context.Context, kind storage.Kind, group, after string, limit int) ([]storage.Record, error) {
	var found []storage.Record
	err := s.db.View(func(tx *bbolt.Tx) error {
		prefix := join(string(kind), group, "")
		cursor := tx.Bucket([]byte(bucketGroups)).Cursor()
		for k, _ := cursor.Seek(join(string(kind), group, after)); k != nil && bytes.HasPrefix(k, prefix) && len(found) < limit; k, _ = cursor.Next() {
			id := string(k[len(prefix):])
			if id <= after && after != "" {
				continue
			}
			r, err := table{tx: tx}.live(kind, id, s.clock())
			if errors.Is(err, storage.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			found = append(found, r)
		}
		return nil
	})
	return found, err
}

func (s *Store) Increment(_ context.Context, kind storage.Kind, id string, window time.Duration) (int64, error) {
	var hits int64
	err := s.update(func(tx table, now time.Time) error {
		var err error
		hits, err = tx.hit(kind, id, now, window)
		return err
	})
	return hits, err
}

func (s *Store) Close() error { return s.db.Close() }

// update runs one durable change. Concurrent callers share a commit and its fsync.
func (s *Store) update(change func(tx table, now time.Time) error) error {
	var outcome error
	err := s.db.Batch(func(tx *bbolt.Tx) error {
		now := s.clock()
		sum, err := load(tx, s.seal)
		if err != nil {
			return err
		}
		t := table{tx, sum}
		if outcome = change(t, now); outcome != nil {
			return outcome // rolls back this change only: Batch runs the others again
		}
		if err := t.sweep(now); err != nil {
			return err
		}
		return sum.store(tx, s.seal)
	})
	if outcome != nil {
		return outcome
	}
	if err != nil {
		return fmt.Errorf("write to store: %w", err)
	}
	return nil
}
