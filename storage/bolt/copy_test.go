package bolt_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"regain/storage"
	"regain/storage/bolt"
	"regain/storage/storagetest"
)

// dump returns what a store holds, in an order of its own.
func dump(t *testing.T, s storage.Dumped) (all []storage.Entry) {
	t.Helper()
	for e, err := range s.Dump(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b storage.Entry) int {
		return strings.Compare(fmt.Sprint(a.Counter, a.Kind, a.ID), fmt.Sprint(b.Counter, b.Kind, b.ID))
	})
	return all
}

// emptyFile makes a file for Load.
func emptyFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "loaded.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sequence is what Load reads.
func sequence(all []storage.Entry, last error) iter.Seq2[storage.Entry, error] {
	return func(yield func(storage.Entry, error) bool) {
		for _, e := range all {
			if !yield(e, nil) {
				return
			}
		}
		if last != nil {
			yield(storage.Entry{}, last)
		}
	}
}

// A file that is loaded with all that another one holds is a store that holds the same: versions, groups, ends of life, counts
// and the ends of their windows.
func TestLoadWhatWasDumped(t *testing.T) {
	data, clock := filled(t)
	path := emptyFile(t)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	from, err := bolt.OpenReadOnly(path, clock.Now, keyring(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	want := dump(t, from)
	if len(want) != 2*stored {
		t.Fatalf("%d entries", len(want))
	}
	to := emptyFile(t)
	if n, err := bolt.Load(to, keyring(t, 1), from.Dump(t.Context())); n != len(want) || err != nil {
		t.Fatalf("%d entries, %v", n, err)
	}
	loaded, err := bolt.Open(to, clock.Now, keyring(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer loaded.Close()
	if got := dump(t, loaded); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%d entries, and not the same", len(got))
	}
	// Its indexes are those of a store: groups are found, counters count on, and what is over goes.
	if list, err := loaded.List(t.Context(), "t", "3", "", stored); err != nil || len(list) != stored/7+1 {
		t.Errorf("a group: %d, %v", len(list), err)
	}
	if n, err := loaded.Increment(t.Context(), "c", "7", time.Hour); n != 2 || err != nil {
		t.Errorf("a counter: %d, %v", n, err)
	}
	clock.Turn((stored + 1) * time.Hour)
	for range stored {
		if err := loaded.Delete(t.Context(), "t", "none"); err != nil {
			t.Fatal(err)
		}
	}
	if held, err := loaded.Held(); err != nil || held.Records+held.Groups+held.Endings+held.Counters != 0 {
		t.Errorf("left: %+v, %v", held, err)
	}
}

// What Load does not take. Each row breaks one thing of what it takes.
func TestLoadRefuses(t *testing.T) {
	cut := errors.New("cut off")
	one := storage.Entry{Record: storage.Record{Kind: "t", ID: "a", Version: 3}}
	counter := storage.Entry{Record: storage.Record{Kind: "t", ID: "a", ExpiresAt: time.Now()}, Counter: true, Count: 3}
	good := []storage.Entry{one, counter} // a counter may have the name of a record
	if n, err := bolt.Load(emptyFile(t), keyring(t, 1), sequence(good, nil)); n != 2 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	if _, err := bolt.Load(emptyFile(t), keyring(t, 1), sequence(good, cut)); !errors.Is(err, cut) {
		t.Errorf("a sequence that ends with an error: %v", err)
	}
	for name, more := range map[string]storage.Entry{"a record": one, "a counter": counter} {
		if _, err := bolt.Load(emptyFile(t), keyring(t, 1), sequence(append(slices.Clone(good), more), nil)); !errors.Is(err, storage.ErrExists) {
			t.Errorf("%s that comes twice: %v", name, err)
		}
	}
	data, _ := filled(t)
	full := emptyFile(t)
	if err := os.WriteFile(full, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := bolt.Load(full, keyring(t, 1), sequence(good, nil)); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a store: %v", err)
	}
	if now, err := os.ReadFile(full); err != nil || !bytes.Equal(now, data) {
		t.Errorf("and it is another one now: %v", err)
	}
	if _, err := bolt.Load(filepath.Join(t.TempDir(), "none"), keyring(t, 1), sequence(good, nil)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// A copy that is written while sixteen callers change the store is a store: its sum is that of its content, and it has all
// that was acknowledged before it was begun.
func TestACopyOfAStoreInUse(t *testing.T) {
	s, err := bolt.Open(filepath.Join(t.TempDir(), "regain.db"), time.Now, keyring(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	s.NoSync()
	for i := range 100 {
		if err := s.Create(t.Context(), storage.Record{Kind: "before", ID: fmt.Sprint(i), Data: make([]byte, 500)}); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	done := make(chan struct{})
	for caller := range 16 {
		all.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				if err := s.Create(t.Context(), storage.Record{Kind: "meanwhile", ID: fmt.Sprint(caller, "-", i), Data: make([]byte, 500)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	copies := make([]string, 4)
	for i := range copies {
		copies[i] = emptyFile(t)
		file, err := os.OpenFile(copies[i], os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := s.WriteTo(file); n == 0 || err != nil {
			t.Errorf("%d octets, %v", n, err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	all.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range copies {
		c, err := bolt.OpenReadOnly(path, time.Now, keyring(t, 1))
		if err != nil {
			t.Fatal(err)
		}
		before := 0
		for _, e := range dump(t, c) {
			if e.Kind == "before" {
				before++
			}
		}
		if before != 100 {
			t.Errorf("%d of 100 records", before)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// full is a volume with room for so much.
type full struct{ room int }

var errFull = errors.New("no space left")

func (f *full) Write(b []byte) (int, error) {
	if len(b) > f.room {
		return 0, errFull
	}
	f.room -= len(b)
	return len(b), nil
}

// A volume that has no room ends the copy, and nothing else: the store goes on.
func TestACopyToAFullVolume(t *testing.T) {
	s, err := bolt.Open(filepath.Join(t.TempDir(), "regain.db"), time.Now, keyring(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, room := range []int{0, 10_000} {
		if _, err := s.WriteTo(&full{room}); !errors.Is(err, errFull) || !strings.Contains(err.Error(), "copy the store") {
			t.Errorf("room for %d: %v", room, err)
		}
	}
	if err := s.Create(t.Context(), storage.Record{Kind: "t", ID: "a"}); err != nil {
		t.Error(err)
	}
}

// Each row is no store to look at.
func TestOpenReadOnlyRefuses(t *testing.T) {
	data, clock := filled(t)
	write := func(data []byte) string {
		path := emptyFile(t)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	used := write(data)
	node, err := bolt.Open(used, clock.Now, keyring(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	for name, row := range map[string]struct {
		path string
		key  byte
		says string
	}{
		"not there":   {filepath.Join(t.TempDir(), "none"), 1, "no such file"},
		"empty":       {emptyFile(t), 1, "nothing was written to it yet"},
		"cut":         {write(data[:len(data)/2]), 1, "is damaged"},
		"another key": {write(data), 2, "read the sum of the file"},
		"in use":      {used, 1, bolt.ErrInUse.Error()},
	} {
		s, err := bolt.OpenReadOnly(row.path, clock.Now, keyring(t, row.key))
		if err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v", name, err)
		}
		if s != nil {
			_ = s.Close()
		}
	}
	edited := disk{t, write(data), clock}
	edited.edit(edited.path, func(tx *bbolt.Tx) error { return tx.Bucket([]byte("r")).Delete([]byte("t\x007")) })
	if _, err := bolt.OpenReadOnly(edited.path, clock.Now, keyring(t, 1)); !errors.Is(err, bolt.ErrDamaged) || !strings.Contains(err.Error(), "not what was written") {
		t.Errorf("a record less: %v", err)
	}
}

// A file that is looked at stays as it is, to the octet.
func TestLookingChangesNothing(t *testing.T) {
	data, clock := filled(t)
	path := emptyFile(t)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := bolt.OpenReadOnly(path, clock.Now, keyring(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	if size, err := s.Size(); err != nil || size.Bytes != int64(len(data)) || size.FreeBytes == 0 {
		t.Errorf("size %+v, %v", size, err)
	}
	if err := s.Create(t.Context(), storage.Record{Kind: "t", ID: "new"}); err == nil {
		t.Error("a record was created")
	}
	if _, err := s.WriteTo(io.Discard); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, data) {
		t.Errorf("it is another one now: %v", err)
	}
}

// Whoever leaves a dump in the middle leaves the store usable, and a context that ends ends it.
func TestADumpThatIsLeft(t *testing.T) {
	data, _ := filled(t)
	path := emptyFile(t)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	clock := storagetest.NewClock()
	s, err := bolt.Open(path, clock.Now, keyring(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for e, err := range s.Dump(t.Context()) {
		if err != nil || e.Kind == "" {
			t.Errorf("%+v, %v", e, err)
		}
		break
	}
	if err := s.Create(t.Context(), storage.Record{Kind: "t", ID: "new"}); err != nil {
		t.Error(err)
	}
}
