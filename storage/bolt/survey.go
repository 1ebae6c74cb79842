package bolt

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"go.etcd.io/bbolt"

	"regain/storage"
)

var _ storage.Surveyed = (*Store)(nil)

// KindSum is what a survey calls the sum of the file, which is no record: it needs a key as they do, never ends, and is
// sealed anew with every change.
const KindSum = storage.Kind("sum of the file")

// Survey implements storage.Surveyed. It covers the sum of the file.
func (s *Store) Survey(ctx context.Context, but []storage.KeyID, see func(storage.Trace) error) error {
	return s.view(func(tx *bbolt.Tx) error { return survey(ctx, tx, s.clock(), but, see) })
}

// Reseal has the newest key seal the sum of the file, which a restart could not read without the key that did.
func (s *Store) Reseal() error {
	_, err := s.update(nil)
	return err
}

// Stopped is the file of a node that does not run. Its survey changes nothing and verifies nothing, so it needs no key, where
// OpenReadOnly needs the one that sealed the sum: which may be the key that is asked for.
type Stopped struct {
	Path  string
	Clock func() time.Time
}

var _ storage.Surveyed = Stopped{}

// Survey implements storage.Surveyed. Its error is ErrInUse while a node runs on the file.
func (f Stopped) Survey(ctx context.Context, but []storage.KeyID, see func(storage.Trace) error) error {
	if err := Inspect(f.Path); err != nil {
		return err
	}
	return guarded(f.Path, func() error {
		db, err := openFile(f.Path, bbolt.Options{Timeout: openTimeout, ReadOnly: true})
		if err != nil {
			return err
		}
		return errors.Join(db.View(func(tx *bbolt.Tx) error { return survey(ctx, tx, f.Clock(), but, see) }), db.Close())
	})
}

func survey(ctx context.Context, tx *bbolt.Tx, now time.Time, but []storage.KeyID, see func(storage.Trace) error) error {
	sums := tx.Bucket([]byte(bucketSum))
	if sums == nil || tx.Bucket([]byte(bucketRecords)) == nil { // made, and nothing written yet
		return nil
	}
	show := func(r storage.Record) error {
		if trace, counts := storage.TraceOf(r, now, but); counts {
			return see(trace)
		}
		return nil
	}
	if err := show(storage.Record{Kind: KindSum, Data: sums.Get([]byte(keySum))}); err != nil {
		return err
	}
	return each(tx, bucketRecords, func(kind storage.Kind, id string, value []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		r, err := decode(beginning(value), kind, id)
		if err != nil {
			return err
		}
		return show(r)
	})
}

// beginning cuts a record off after the first octets of its data: a survey of a large file would copy all of it otherwise.
func beginning(value []byte) []byte {
	const fixed = 16
	if len(value) < fixed {
		return value
	}
	group, n := binary.Uvarint(value[fixed:])
	if n <= 0 || group > uint64(len(value)) {
		return value // which decode refuses
	}
	return value[:min(len(value), fixed+n+int(group)+len(storage.KeyID{}))] //nolint:gosec // bounded above
}
