package bolt

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"regain/storage"
)

// begun is a store with one record that lives for an hour, in a group, and one counter.
func begun(t *testing.T) (s *Store, now *time.Time) {
	t.Helper()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ring, err := storage.NewKeyring(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	s, err = Open(filepath.Join(t.TempDir(), "regain.db"), func() time.Time { return at }, ring)
	if err != nil {
		t.Fatal(err)
	}
	s.NoSync()
	t.Cleanup(func() { _ = s.db.Close() })
	if err := s.Create(t.Context(), storage.Record{Kind: "t", ID: "a", Group: "g", Data: []byte("one"), ExpiresAt: at.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Increment(t.Context(), "t", "a", time.Hour); err != nil {
		t.Fatal(err)
	}
	return s, &at
}

// spoil changes the file under a running store: a disk can.
func spoil(t *testing.T, s *Store, change func(tx *bbolt.Tx) error) {
	t.Helper()
	s.batch.sum = nil // it is remembered, since nobody else writes to the file; here somebody does
	if err := s.db.Update(change); err != nil {
		t.Fatal(err)
	}
}

// nested puts a bucket in the place of an entry: one that cannot be removed or overwritten.
func nested(bucket string, key []byte) func(tx *bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(bucket))
		if err := b.Delete(key); err != nil {
			return err
		}
		_, err := b.CreateBucket(key)
		return err
	}
}

// work is everything that reads or changes the one record.
func work(t *testing.T, s *Store) map[string]error {
	t.Helper()
	r := storage.Record{Kind: "t", ID: "a", Group: "g", Version: 1, Data: []byte("two")}
	_, get := s.Get(t.Context(), "t", "a")
	_, list := s.List(t.Context(), "t", "g", "", 9)
	update := s.Update(t.Context(), r)
	_, consume := s.Consume(t.Context(), "t", "a")
	return map[string]error{"get": get, "list": list, "update": update, "consume": consume, "delete": s.Delete(t.Context(), "t", "a"), "create": s.Create(t.Context(), r)}
}

// A record that is none any more is an error for whoever asks for it, and neither missing nor free.
func TestADamagedRecordIsNotMissing(t *testing.T) {
	s, now := begun(t)
	spoil(t, s, func(tx *bbolt.Tx) error { return tx.Bucket([]byte(bucketRecords)).Put(join("t", "a"), []byte("short")) })
	for name, err := range work(t, s) {
		if !errors.Is(err, errDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	*now = now.Add(2 * time.Hour) // its end of life is swept
	if err := s.Create(t.Context(), storage.Record{Kind: "t", ID: "b"}); !errors.Is(err, errDamaged) || !strings.Contains(err.Error(), "write to store") {
		t.Errorf("sweeping it: %v", err)
	}
}

// An entry that cannot be removed stops the change of which that is a part, and all of it: a record without its index
// would be listed or swept by the index that it had.
func TestWhatCannotBeRemovedStopsTheChange(t *testing.T) {
	record := join("t", "a")
	for name, row := range map[string]struct {
		bucket string
		key    func(s *Store) []byte
	}{
		"its group":       {bucketGroups, func(*Store) []byte { return join("t", "g", "a") }},
		"its end of life": {bucketEndings, func(s *Store) []byte { return endingKey(s.clock().Add(time.Hour), []byte(bucketRecords), record) }},
	} {
		s, now := begun(t)
		spoil(t, s, nested(row.bucket, row.key(s)))
		for way, err := range work(t, s) {
			switch way {
			case "update", "consume", "delete":
				if !errors.Is(err, bbolt.ErrIncompatibleValue) { //nolint:staticcheck // the name that the package exports
					t.Errorf("%s, %s: %v", name, way, err)
				}
			case "create":
				if !errors.Is(err, storage.ErrExists) {
					t.Errorf("%s, %s: %v", name, way, err)
				}
			default:
				if err != nil {
					t.Errorf("%s, %s: %v", name, way, err)
				}
			}
		}
		if r, err := s.Get(t.Context(), "t", "a"); err != nil || string(r.Data) != "one" || r.Version != 1 {
			t.Errorf("%s: %q, version %d, %v", name, r.Data, r.Version, err)
		}
		*now = now.Add(2 * time.Hour)
		if err := s.Create(t.Context(), storage.Record{Kind: "t", ID: "b"}); !errors.Is(err, bbolt.ErrIncompatibleValue) { //nolint:staticcheck // see above
			t.Errorf("%s, sweeping: %v", name, err)
		}
	}
	for name, row := range map[string]struct {
		bucket string
		do     func(s *Store) error
	}{
		"a record": {bucketRecords, func(s *Store) error { return s.Create(t.Context(), storage.Record{Kind: "t", ID: "a"}) }},
		"a counter": {bucketCounters, func(s *Store) error {
			hits, err := s.Increment(t.Context(), "t", "a", time.Hour)
			if hits != 0 {
				t.Errorf("counts %d", hits)
			}
			return err
		}},
	} {
		s, now := begun(t)
		spoil(t, s, nested(row.bucket, record))
		if err := row.do(s); !errors.Is(err, bbolt.ErrIncompatibleValue) { //nolint:staticcheck // see above
			t.Errorf("%s: %v", name, err)
		}
		*now = now.Add(2 * time.Hour)
		if err := s.Create(t.Context(), storage.Record{Kind: "t", ID: "b"}); (name == "a counter") != errors.Is(err, bbolt.ErrIncompatibleValue) { //nolint:staticcheck // see above
			t.Errorf("%s, sweeping: %v", name, err)
		}
	}
}

// A counter that is none is swept at its end, and its bytes are not read beyond their end.
func TestADamagedCounterIsSwept(t *testing.T) {
	s, now := begun(t)
	spoil(t, s, func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(bucketCounters)).Put(join("t", "a"), []byte("short"))
	})
	*now = now.Add(2 * time.Hour)
	if err := s.Create(t.Context(), storage.Record{Kind: "t", ID: "b"}); err != nil {
		t.Fatal(err)
	}
	if held, err := s.Held(); err != nil || held.Counters != 0 || held.Endings != 0 {
		t.Errorf("%+v, %v", held, err)
	}
}

// Nothing is written without the sum: neither where it cannot be read, nor where it cannot be stored.
func TestNothingIsWrittenWithoutTheSum(t *testing.T) {
	for name, row := range map[string]struct {
		change func(s *Store) func(tx *bbolt.Tx) error
		says   string
	}{
		"another seal": {func(*Store) func(tx *bbolt.Tx) error {
			return func(tx *bbolt.Tx) error { return tx.Bucket([]byte(bucketSum)).Put([]byte(keySum), make([]byte, 96)) }
		}, "read the sum of the file"},
		"too short": {func(s *Store) func(tx *bbolt.Tx) error {
			return func(tx *bbolt.Tx) error {
				return tx.Bucket([]byte(bucketSum)).Put([]byte(keySum), s.seal.Seal(make([]byte, 63), placeSum))
			}
		}, errSum.Error()},
		"too long": {func(s *Store) func(tx *bbolt.Tx) error {
			return func(tx *bbolt.Tx) error {
				sum, err := load(tx, s.seal)
				if err != nil {
					return err
				}
				return tx.Bucket([]byte(bucketSum)).Put([]byte(keySum), s.seal.Seal(append(append(bytes.Clone(sum.key), sum.value[:]...), 0), placeSum))
			}
		}, errSum.Error()},
		"no place for it": {func(*Store) func(tx *bbolt.Tx) error { return nested(bucketSum, []byte(keySum)) }, "incompatible value"},
	} {
		s, _ := begun(t)
		spoil(t, s, row.change(s))
		if err := s.Create(t.Context(), storage.Record{Kind: "t", ID: "b"}); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v", name, err)
		}
		if held, err := s.Held(); err != nil || held.Records != 1 {
			t.Errorf("%s: %+v, %v", name, held, err)
		}
		path := s.path
		if err := s.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if again, err := Open(path, time.Now, s.seal); err == nil {
			_ = again.Close()
			t.Errorf("%s: opened again", name)
		}
	}
}

// A new file of which the sum cannot be stored is not begun.
func TestAFileWithoutAPlaceForTheSum(t *testing.T) {
	path := filepath.Join(t.TempDir(), "regain.db")
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range append(buckets(), bucketSum) {
			if _, err := tx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		_, err := tx.Bucket([]byte(bucketSum)).CreateBucket([]byte(keySum))
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	ring, err := storage.NewKeyring(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	if s, err := Open(path, time.Now, ring); err == nil || !strings.Contains(err.Error(), "incompatible value") {
		t.Errorf("%v, %v", s, err)
	}
}

// After a panic in the pages nothing more is written, whatever it is, and closing leaves the file as it is: bbolt may wait
// for a lock that it holds.
func TestAfterAPanicNothingIsWritten(t *testing.T) {
	s, _ := begun(t)
	err := s.write(func(*bbolt.Tx) error { panic("page 7") })
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "page 7") {
		t.Fatalf("the panic: %v", err)
	}
	if err := s.Create(t.Context(), storage.Record{Kind: "t", ID: "b"}); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "write to store") {
		t.Errorf("a change after it: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "t", "a"); err != nil {
		t.Errorf("closed all the same: %v", err)
	}
}
