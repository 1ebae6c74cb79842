package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"time"

	"go.etcd.io/bbolt"

	"regain/storage"
)

// lookTimeout is how long OpenReadOnly waits for a file to become free: a node keeps it as long as it runs, and others for a
// moment.
const lookTimeout = 200 * time.Millisecond

var _ storage.Dumped = (*Store)(nil)

// OpenReadOnly opens a file to look at it: a copy, or that of a node that does not run, which cannot start until it is closed.
// It is verified as by Open, and stays as it is: every change fails.
func OpenReadOnly(path string, now func() time.Time, seal Seal) (*Store, error) {
	if now == nil || seal == nil {
		return nil, errors.New("bolt store: clock and seal are required")
	}
	if _, err := os.Stat(path); err != nil { // which to Open is a store that is yet to be made
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := Inspect(path); err != nil {
		return nil, err
	}
	s := newStore(path, now, seal)
	if err := guarded(path, s.openReadOnly); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Store) openReadOnly() error {
	if info, err := os.Stat(s.path); err != nil || info.Size() == 0 {
		return errors.Join(err, fmt.Errorf("open store %s: nothing was written to it yet", s.path))
	}
	db, err := openFile(s.path, bbolt.Options{Timeout: lookTimeout, ReadOnly: true, PreLoadFreelist: true})
	if err != nil {
		return err
	}
	err = db.View(func(tx *bbolt.Tx) error {
		if err := allThere(tx); err != nil {
			return err
		}
		_, err := check(tx, s.seal)
		return err
	})
	if err != nil {
		return errors.Join(fmt.Errorf("store %s: %w", s.path, err), db.Close())
	}
	s.db = db
	return nil
}

// WriteTo writes a copy of the file as it is at one moment, beside the changes that are made meanwhile. The copy is a store
// that Open and OpenReadOnly take. While it is written the file grows by what is changed, since no page is used again.
func (s *Store) WriteTo(out io.Writer) (n int64, err error) {
	to := &noting{out: out}
	err = s.view(func(tx *bbolt.Tx) error {
		n, err = tx.WriteTo(to)
		return err
	})
	if to.err != nil { // which bbolt turns into a text
		err = to.err
	}
	if err != nil {
		return n, fmt.Errorf("copy the store %s: %w", s.path, err)
	}
	return n, nil
}

// noting notes why it could not be written to.
type noting struct {
	out io.Writer
	err error
}

func (w *noting) Write(b []byte) (n int, err error) {
	n, w.err = w.out.Write(b)
	return n, w.err
}

// Dump implements storage.Dumped: it shows one moment. An iteration that does not end keeps the file growing.
func (s *Store) Dump(ctx context.Context) iter.Seq2[storage.Entry, error] {
	return func(yield func(storage.Entry, error) bool) {
		stopped := errors.New("stopped")
		see := func(e storage.Entry, err error) error {
			if err = errors.Join(err, ctx.Err()); err != nil {
				return err
			}
			if !yield(e, nil) {
				return stopped
			}
			return nil
		}
		err := s.view(func(tx *bbolt.Tx) error {
			if err := each(tx, bucketRecords, func(kind storage.Kind, id string, value []byte) error {
				r, err := decode(value, kind, id)
				return see(storage.Entry{Record: r}, err)
			}); err != nil {
				return err
			}
			return each(tx, bucketCounters, func(kind storage.Kind, id string, value []byte) error { return see(decodeCounter(kind, id, value)) })
		})
		if err != nil && !errors.Is(err, stopped) {
			yield(storage.Entry{}, fmt.Errorf("read the store %s: %w", s.path, err))
		}
	}
}

// each calls do for each entry of a bucket whose keys are those of records.
func each(tx *bbolt.Tx, bucket string, do func(kind storage.Kind, id string, value []byte) error) error {
	return tx.Bucket([]byte(bucket)).ForEach(func(key, value []byte) error {
		kind, id, ok := bytes.Cut(key, []byte{0})
		if !ok {
			return errDamaged
		}
		return do(storage.Kind(kind), string(id), value)
	})
}

func decodeCounter(kind storage.Kind, id string, value []byte) (storage.Entry, error) {
	const size = 16
	if len(value) != size {
		return storage.Entry{}, errDamaged
	}
	e := storage.Entry{Record: storage.Record{Kind: kind, ID: id}, Counter: true}
	e.Count = int64(binary.BigEndian.Uint64(value))                             //nolint:gosec // as it was written
	e.ExpiresAt = time.Unix(0, int64(binary.BigEndian.Uint64(value[8:]))).UTC() //nolint:gosec // as it was written
	return e, nil
}

// Size is what a file takes.
type Size struct {
	Bytes     int64
	FreeBytes int64 // of them in pages that hold nothing, and are used before the file grows
}

// Size returns it, of a store that was opened to look at it.
func (s *Store) Size() (Size, error) {
	info, err := os.Stat(s.path)
	if err != nil {
		return Size{}, fmt.Errorf("store: %w", err)
	}
	return Size{Bytes: info.Size(), FreeBytes: int64(s.db.Stats().FreePageN) * int64(s.db.Info().PageSize)}, nil
}
