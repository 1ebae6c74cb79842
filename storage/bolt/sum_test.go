package bolt_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"regain/storage"
	"regain/storage/bolt"
	"regain/storage/storagetest"
)

// disk is a stopped node's file, and copies of it.
type disk struct {
	t     *testing.T
	path  string
	clock *storagetest.Clock
}

// run opens the file, works on it, and closes it.
func (d disk) run(work func(s *bolt.Store)) {
	d.t.Helper()
	s, err := bolt.Open(d.path, d.clock.Now, keyring(d.t, 1))
	if err != nil {
		d.t.Fatal(err)
	}
	work(s)
	if err := s.Close(); err != nil {
		d.t.Fatal(err)
	}
}

// edit changes the file as anybody can who may write to it.
func (d disk) edit(path string, change func(tx *bbolt.Tx) error) {
	d.t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		d.t.Fatal(err)
	}
	if err := db.Update(change); err != nil {
		d.t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		d.t.Fatal(err)
	}
}

func (d disk) copy(name string) string {
	d.t.Helper()
	data, err := os.ReadFile(d.path)
	if err != nil {
		d.t.Fatal(err)
	}
	to := filepath.Join(d.t.TempDir(), name)
	if err := os.WriteFile(to, data, 0o600); err != nil {
		d.t.Fatal(err)
	}
	return to
}

// bucket returns what a copy holds in a bucket.
func (d disk) bucket(path, name string) map[string][]byte {
	d.t.Helper()
	all := map[string][]byte{}
	d.edit(path, func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte(name)).ForEach(func(k, v []byte) error {
			all[string(k)] = bytes.Clone(v)
			return nil
		})
	})
	return all
}

// written is a file with a transaction and a counter that were changed after a copy was made.
func written(t *testing.T) (d disk, before string) {
	t.Helper()
	d = disk{t, filepath.Join(t.TempDir(), "regain.db"), storagetest.NewClock()}
	count := func(s *bolt.Store) {
		if _, err := s.Increment(t.Context(), "attempts", "ada", time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	r := storage.Record{Kind: "transaction", ID: "T1", Group: "g", Data: []byte("approved"), ExpiresAt: d.clock.Now().Add(time.Hour)}
	d.run(func(s *bolt.Store) {
		if err := s.Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		count(s)
	})
	before = d.copy("before.db")
	d.run(func(s *bolt.Store) {
		r.Version, r.Data = 1, []byte("redeemed")
		if err := s.Update(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		count(s)
	})
	return d, before
}

// Nothing but a whole copy can be put back: each row changes one thing in the file of a stopped node.
func TestAnEditedFileIsRefused(t *testing.T) {
	restore := func(bucket string) func(d disk, before string) func(tx *bbolt.Tx) error {
		return func(d disk, before string) func(tx *bbolt.Tx) error {
			old := d.bucket(before, bucket)
			return func(tx *bbolt.Tx) error {
				for k, v := range old {
					if err := tx.Bucket([]byte(bucket)).Put([]byte(k), v); err != nil {
						return err
					}
				}
				return nil
			}
		}
	}
	edit := func(change func(tx *bbolt.Tx) error) func(disk, string) func(*bbolt.Tx) error {
		return func(disk, string) func(*bbolt.Tx) error { return change }
	}
	first := func(bucket string, change func(b *bbolt.Bucket, k, v []byte) error) func(disk, string) func(*bbolt.Tx) error {
		return edit(func(tx *bbolt.Tx) error {
			k, v := tx.Bucket([]byte(bucket)).Cursor().First()
			return change(tx.Bucket([]byte(bucket)), bytes.Clone(k), bytes.Clone(v))
		})
	}
	remove := func(b *bbolt.Bucket, k, _ []byte) error { return b.Delete(k) }
	flip := func(b *bbolt.Bucket, k, v []byte) error {
		v[len(v)-1] ^= 1
		return b.Put(k, v)
	}
	move := func(from, to string, change func(k, v []byte) ([]byte, []byte)) func(disk, string) func(*bbolt.Tx) error {
		return edit(func(tx *bbolt.Tx) error {
			k, v := tx.Bucket([]byte(from)).Cursor().First()
			newKey, newValue := change(bytes.Clone(k), bytes.Clone(v))
			return errors.Join(tx.Bucket([]byte(from)).Delete(k), tx.Bucket([]byte(to)).Put(newKey, newValue))
		})
	}
	same := func(k, v []byte) ([]byte, []byte) { return k, v }
	renamed := func(k, v []byte) ([]byte, []byte) { return append(k[:len(k)-1], k[len(k)-1]+1), v }
	cut := func(k, v []byte) ([]byte, []byte) { return k[:len(k)-1], append(k[len(k)-1:], v...) }
	for name, change := range map[string]func(d disk, before string) func(tx *bbolt.Tx) error{
		"a counter renamed":            move("c", "c", renamed),
		"a record renamed":             move("r", "r", renamed),
		"a counter's name cut":         move("c", "c", cut),
		"a group is an end of life":    move("g", "e", same),
		"a record put back":            restore("r"),
		"a counter put back":           restore("c"),
		"the sum put back":             restore("m"),
		"a record changed":             first("r", flip),
		"a record removed":             first("r", remove),
		"a counter changed":            first("c", flip),
		"a counter removed":            first("c", remove),
		"a group forgotten":            first("g", remove),
		"an end of life forgotten":     first("e", remove),
		"an end of life added":         edit(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("e")).Put(make([]byte, 12), nil) }),
		"a record added":               edit(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("r")).Put([]byte("code\x00x"), make([]byte, 20)) }),
		"the sum removed":              first("m", remove),
		"all sums removed":             edit(func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("m")) }),
		"all counters removed":         edit(func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte("c")) }),
		"a record under another kind":  first("r", func(b *bbolt.Bucket, _, v []byte) error { return b.Put([]byte("code\x00T1"), v) }),
		"a record under another name":  first("r", func(b *bbolt.Bucket, k, v []byte) error { return b.Put(append(k, 'x'), v) }),
		"a counter under another name": first("c", func(b *bbolt.Bucket, k, v []byte) error { return b.Put(append(k, 'x'), v) }),
	} {
		t.Run(name, func(t *testing.T) {
			d, before := written(t)
			d.edit(d.path, change(d, before))
			s, err := bolt.Open(d.path, d.clock.Now, keyring(t, 1))
			if err == nil {
				_ = s.Close()
				t.Fatal("opened")
			}
			if !strings.Contains(err.Error(), "changed, removed or put back from a copy") || !strings.Contains(err.Error(), d.path) {
				t.Errorf("%v does not say what happened", err)
			}
		})
	}
}

// What the sum cannot show is written down in the package comment: a whole copy opens.
func TestAWholeCopyOpens(t *testing.T) {
	d, before := written(t)
	d.path = before
	d.run(func(s *bolt.Store) {
		if r, err := s.Get(t.Context(), "transaction", "T1"); err != nil || string(r.Data) != "approved" {
			t.Errorf("%q, %v", r.Data, err)
		}
	})
}

// The sum is sealed with the newest key at each start, and cannot be read without one of the keys.
func TestTheSumFollowsTheKeys(t *testing.T) {
	d, _ := written(t)
	if _, err := bolt.Open(d.path, d.clock.Now, keyring(t, 2)); err == nil || !strings.Contains(err.Error(), "secrets.encryption_keys") {
		t.Errorf("with another key: %v", err)
	}
	for _, fill := range [][]byte{{2, 1}, {2}} {
		s, err := bolt.Open(d.path, d.clock.Now, keyring(t, fill...))
		if err != nil {
			t.Fatalf("with keys %v: %v", fill, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := bolt.Open(d.path, d.clock.Now, nil); err == nil || !strings.Contains(err.Error(), "seal") {
		t.Errorf("without a seal: %v", err)
	}
}

// Whatever is done to a store, and however it is stopped, it opens again: thousands of changes, of which many fail or end
// something, some of them together in one transaction of the file.
func TestAUsedFileOpens(t *testing.T) {
	d := disk{t, filepath.Join(t.TempDir(), "regain.db"), storagetest.NewClock()}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test that can be repeated
	for range 5 {
		d.run(func(s *bolt.Store) {
			done := make(chan struct{})
			const workers = 16
			for range workers {
				seed := random.Uint64()
				go func() {
					defer func() { done <- struct{}{} }()
					churn(t, s, d.clock, rand.New(rand.NewPCG(seed, 1))) //nolint:gosec // see above
				}()
			}
			for range workers {
				<-done
			}
		})
		d.clock.Turn(time.Minute)
	}
}

func churn(t *testing.T, s *bolt.Store, clock *storagetest.Clock, random *rand.Rand) {
	for range 12 {
		r := storage.Record{Kind: "k", ID: fmt.Sprint(random.IntN(8)), Group: [...]string{"", "g", "h"}[random.IntN(3)], Version: int64(random.IntN(3))}
		if random.IntN(3) > 0 {
			r.ExpiresAt = clock.Now().Add(time.Duration(random.IntN(120)) * time.Second)
		}
		switch random.IntN(5) {
		case 0, 1:
			_ = s.Create(t.Context(), r) // it may be there
		case 2:
			_ = s.Update(t.Context(), r) // it may have changed
		case 3:
			_, _ = s.Consume(t.Context(), r.Kind, r.ID) // it may be gone
		default:
			if _, err := s.Increment(t.Context(), r.Kind, r.ID, time.Duration(1+random.IntN(90))*time.Second); err != nil {
				t.Error(err)
			}
		}
	}
}

// BenchmarkOpen is what it costs to verify a file at the start.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "regain.db")
	s, err := bolt.Open(path, time.Now, keyring(b, 1))
	if err != nil {
		b.Fatal(err)
	}
	const records = 20_000
	done := make(chan error)
	for i := range records {
		go func() {
			done <- s.Create(b.Context(), storage.Record{Kind: "t", ID: fmt.Sprint(i), Group: "g", Data: make([]byte, 1000), ExpiresAt: time.Now().Add(time.Hour)})
		}()
	}
	for range records {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s, err := bolt.Open(path, time.Now, keyring(b, 1))
		if err != nil {
			b.Fatal(err)
		}
		_ = s.Close()
	}
}
