package bolt_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regain/storage"
	"regain/storage/bolt"
	"regain/storage/storagetest"
)

func TestContract(t *testing.T) {
	storagetest.Run(t, func(t *testing.T, clock func() time.Time) storage.Store {
		t.Helper()
		s, err := bolt.Open(filepath.Join(t.TempDir(), "regain.db"), clock)
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

func TestWhatWasStoredSurvivesAStop(t *testing.T) {
	path := filepath.Join(t.TempDir(), "regain.db")
	clock := storagetest.NewClock()
	first, err := bolt.Open(path, clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Create(t.Context(), storage.Record{Kind: "t", ID: "a", Data: []byte("one"), ExpiresAt: clock.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if _, err := bolt.Open(path, clock.Now); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second process got %v, want to be told that the file is in use", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := bolt.Open(path, clock.Now)
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
		s, err := bolt.Open(filepath.Join(t.TempDir(), "regain.db"), wall)
		if err != nil {
			t.Fatal(err)
		}
		s.NoSync()
		s.Elapsed(elapsed)
		return s
	})
}
