package bolt_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regain/storage"
	"regain/storage/bolt"
	"regain/storage/storagetest"
)

func keyring(t testing.TB, fill ...byte) *storage.Keyring {
	t.Helper()
	var keys [][]byte
	for _, b := range fill {
		keys = append(keys, bytes.Repeat([]byte{b}, 32))
	}
	ring, err := storage.NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func TestContract(t *testing.T) {
	storagetest.Run(t, func(t *testing.T, clock func() time.Time) storage.Store {
		t.Helper()
		path := filepath.Join(t.TempDir(), "regain.db")
		s, err := bolt.Open(path, clock, keyring(t, 1))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { // after the contract closed it: whatever it did, the file is still what was written
			again, err := bolt.Open(path, clock, keyring(t, 1))
			if err != nil {
				t.Fatal(err)
			}
			if err := again.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	})
}

func TestWhatWasStoredSurvivesAStop(t *testing.T) {
	path := filepath.Join(t.TempDir(), "regain.db")
	clock := storagetest.NewClock()
	first, err := bolt.Open(path, clock.Now, keyring(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Create(t.Context(), storage.Record{Kind: "t", ID: "a", Data: []byte("one"), ExpiresAt: clock.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if _, err := bolt.Open(path, clock.Now, keyring(t, 1)); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second process got %v, want to be told that the file is in use", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := bolt.Open(path, clock.Now, keyring(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if r, err := second.Get(t.Context(), "t", "a"); err != nil || string(r.Data) != "one" {
		t.Errorf("after a restart: %q, %v", r.Data, err)
	}
}

func TestClockThatJumps(t *testing.T) {
	storagetest.RunClockThatJumps(t, func(t *testing.T, wall func() time.Time, elapsed func() time.Duration) storage.Store {
		t.Helper()
		s, err := bolt.Open(filepath.Join(t.TempDir(), "regain.db"), wall, keyring(t, 1))
		if err != nil {
			t.Fatal(err)
		}
		s.NoSync()
		s.Elapsed(elapsed)
		return s
	})
}
