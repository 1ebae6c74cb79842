// Package bolt stores records in one file (go.etcd.io/bbolt), for a single node whose open transactions must survive a
// restart. Every list of changes is one durable transaction of the file, or a part of one.
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

	"regain/internal/clock"
	"regain/storage"
)

const openTimeout = 2 * time.Second // how long to wait for another process's lock on the file

// ErrInUse means that another process has the file open: the node that uses it.
var ErrInUse = errors.New("another process uses it")

// Store implements storage.Store.
type Store struct {
	storage.Singles

	db    *bbolt.DB
	path  string
	clock func() time.Time
	seal  Seal
	// steady is what counters and sweeps go by: a clock that is put forward must not make them forget what was used.
	steady *clock.Steady
	batch  batch
}

// Open opens or creates the file, and checks that it is whole, and that its content is what was written: an error says
// what to do where it is not.
func Open(path string, now func() time.Time, seal Seal) (*Store, error) {
	if now == nil || seal == nil {
		return nil, errors.New("bolt store: clock and seal are required")
	}
	if err := Inspect(path); err != nil {
		return nil, err
	}
	s := newStore(path, now, seal)
	if err := guarded(path, s.open); err != nil {
		return nil, err
	}
	return s, nil
}

func newStore(path string, now func() time.Time, seal Seal) *Store {
	s := &Store{path: path, clock: now, seal: seal, steady: clock.NewSteady(now, nil)}
	s.Make = s.one
	return s
}

func (s *Store) open() error {
	db, err := openFile(s.path, bbolt.Options{Timeout: openTimeout})
	if err != nil {
		return err
	}
	if err := prepare(db, s.seal); err != nil {
		return errors.Join(fmt.Errorf("store %s: %w", s.path, err), db.Close())
	}
	s.db = db
	return nil
}

// openFile opens a file. Its error is ErrInUse while another process has it open.
func openFile(path string, options bbolt.Options) (*bbolt.DB, error) {
	db, err := bbolt.Open(path, 0o600, &options)
	if errors.Is(err, bbolterrors.ErrTimeout) {
		err = ErrInUse
	}
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	return db, nil
}

// prepare makes the buckets of a new file, and reads those of one that has been used: where one is missing, its records
// are lost, and to begin anew without a word would make what was used up good again.
func prepare(db *bbolt.DB, seal Seal) error {
	return db.Update(func(tx *bbolt.Tx) error {
		first, _ := tx.Cursor().First()
		for _, name := range append(buckets(), bucketSum) {
			if first == nil {
				if _, err := tx.CreateBucket([]byte(name)); err != nil {
					return err
				}
			}
		}
		if err := allThere(tx); err != nil {
			return err
		}
		return verify(tx, seal)
	})
}

// allThere reports whether a file has all its buckets.
func allThere(tx *bbolt.Tx) error {
	for _, name := range append(buckets(), bucketSum) {
		if tx.Bucket([]byte(name)) == nil {
			return fmt.Errorf("bucket %s is missing: %w: %w", name, errSum, ErrDamaged)
		}
	}
	return nil
}

func (s *Store) Get(_ context.Context, kind storage.Kind, id string) (storage.Record, error) {
	var r storage.Record
	err := s.view(func(tx *bbolt.Tx) error {
		var err error
		r, err = table{tx: tx}.live(kind, id, s.clock())
		return err
	})
	return r, err
}

func (s *Store) List(_ context.Context, kind storage.Kind, group, after string, limit int) ([]storage.Record, error) {
	var found []storage.Record
	err := s.view(func(tx *bbolt.Tx) error {
		prefix := join(string(kind), group, "")
		cursor := tx.Bucket([]byte(bucketGroups)).Cursor()
		for k, _ := cursor.Seek(join(string(kind), group, after)); bytes.HasPrefix(k, prefix) && len(found) < limit; k, _ = cursor.Next() {
			id := string(k[len(prefix):])
			if id <= after {
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

// Close implements storage.Store. A file that is damaged is left as it is: bbolt may wait for a lock that it holds.
func (s *Store) Close() error {
	if s.batch.damaged.Load() != nil {
		return nil
	}
	return s.db.Close()
}

func (s *Store) view(read func(tx *bbolt.Tx) error) error {
	return guarded(s.path, func() error { return s.db.View(read) })
}
