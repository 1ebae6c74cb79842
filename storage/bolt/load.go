package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"time"

	"go.etcd.io/bbolt"

	"regain/storage"
)

// loadAtOnce is how many entries Load commits at a time, which bounds what it holds in memory.
const loadAtOnce = 1000

// Load fills an empty file, which nobody else uses, with entries. Its content is durable at the end; after an error the file
// is none. It returns how many entries it stored.
func Load(path string, seal Seal, entries iter.Seq2[storage.Entry, error]) (n int, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, fmt.Errorf("fill the store: %w", err)
	}
	if info.Size() > 0 {
		return 0, fmt.Errorf("fill the store %s: %w", path, fs.ErrExist)
	}
	s := newStore(path, time.Now, seal)
	if err := guarded(path, s.open); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.db.Close()) }()
	s.db.NoSync = true // it is synced once, at the end
	var some []storage.Entry
	for e, err := range entries {
		if err != nil {
			return n, err
		}
		n++
		if some = append(some, e); len(some) == loadAtOnce {
			if err := s.put(some); err != nil {
				return n, err
			}
			some = some[:0]
		}
	}
	if err := s.put(some); err != nil {
		return n, err
	}
	if err := s.db.Sync(); err != nil {
		return n, fmt.Errorf("store %s: make it durable: %w", path, err)
	}
	return n, nil
}

// put stores entries in one transaction.
func (s *Store) put(entries []storage.Entry) error {
	err := s.write(func(tx *bbolt.Tx) error {
		changed, err := load(tx, s.seal)
		if err != nil {
			return err
		}
		t := table{tx, changed}
		for _, e := range entries {
			if err := t.put(e); err != nil {
				return fmt.Errorf("%s: %w", e.Kind, err)
			}
		}
		return changed.store(tx, s.seal)
	})
	if err != nil {
		return fmt.Errorf("write to store: %w", err)
	}
	return nil
}

// put stores an entry as it is.
func (t table) put(e storage.Entry) error {
	bucket, key := bucketRecords, join(string(e.Kind), e.ID)
	if e.Counter {
		bucket = bucketCounters
	}
	if t.tx.Bucket([]byte(bucket)).Get(key) != nil {
		return fmt.Errorf("comes twice: %w", storage.ErrExists)
	}
	if !e.Counter {
		return t.add(e.Record)
	}
	value := binary.BigEndian.AppendUint64(nil, uint64(e.Count))                 //nolint:gosec // any bits will do
	value = binary.BigEndian.AppendUint64(value, uint64(e.ExpiresAt.UnixNano())) //nolint:gosec // any bits will do
	return errors.Join(t.set(bucket, key, value), t.set(bucketEndings, endingKey(e.ExpiresAt, []byte(bucket), key), nil))
}
