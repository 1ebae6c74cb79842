package storage_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"regain/recovery"
	"regain/storage"
	"regain/storage/storagetest"
)

func TestInOrderContract(t *testing.T) {
	storagetest.Run(t, func(t *testing.T, clock func() time.Time) storage.Store {
		t.Helper()
		return storagetest.InOrder{Store: backend(t, clock)}
	})
}

func hitsOn(most int64, keys ...string) (hits []recovery.Hit) {
	for _, key := range keys {
		hits = append(hits, recovery.Hit{Key: key, Window: time.Hour, Max: most})
	}
	return hits
}

// kinds are backends with transactions and without.
func kinds(t *testing.T, clock func() time.Time) map[string]storage.Store {
	t.Helper()
	return map[string]storage.Store{"transactional": backend(t, clock), "in order": storagetest.InOrder{Store: backend(t, clock)}}
}

// The counters of an attempt are one commit.
func TestAttemptsAreCountedTogether(t *testing.T) {
	for name, s := range kinds(t, time.Now) {
		below := &lists{Store: s}
		attempts := storage.NewAttempts(below)
		for n := int64(1); n <= 2; n++ {
			counts, err := attempts.Count(t.Context(), hitsOn(2, "client", "network"), hitsOn(1, "account"))
			if err != nil || !slices.Equal(counts, []int64{n, n, n}) {
				t.Errorf("%s: %v, %v", name, counts, err)
			}
			wanted(t, below, "increment client, increment network, increment account")
		}
		if counts, err := attempts.Count(t.Context(), nil, nil); err != nil || len(counts) != 0 {
			t.Errorf("%s: of nothing %v, %v", name, counts, err)
		}
	}
}

// Beyond a limit of the first ones, wherever it stands, each of these is counted once, and none of the others.
func TestBeyondALimitTheFirstAreCountedOnce(t *testing.T) {
	for at := range 3 {
		for name, s := range kinds(t, time.Now) {
			attempts := storage.NewAttempts(s)
			first := hitsOn(9, "client", "network", "site")
			first[at].Max = 2
			for n := int64(1); n <= 4; n++ {
				want := []int64{n, n, n, n}
				if n > 2 {
					want[3] = 0
				}
				counts, err := attempts.Count(t.Context(), first, hitsOn(1, "account"))
				if err != nil || !slices.Equal(counts, want) {
					t.Errorf("%s, limit at %d: %v, want %v, %v", name, at, counts, want, err)
				}
			}
			if n, err := attempts.Increment(t.Context(), "account", time.Hour); n != 3 || err != nil {
				t.Errorf("%s, limit at %d: the account has %d, %v", name, at, n, err)
			}
		}
	}
}

// The window of a limit ends just after an attempt was beyond it: then the attempt is the first of the next window, and the
// account is counted as always.
func TestAWindowEndsWhileAnAttemptIsCounted(t *testing.T) {
	clock := storagetest.NewClock()
	lists := 0
	s := storagetest.InOrder{Store: backend(t, clock.Now), Before: func(at int, _ []storage.Change) error {
		if at == 0 {
			lists++
		}
		if at == 0 && lists == 4 { // the first one after the list that was beyond it
			clock.Turn(time.Hour)
		}
		return nil
	}}
	attempts := storage.NewAttempts(s)
	for range 2 {
		if _, err := attempts.Count(t.Context(), hitsOn(2, "network"), nil); err != nil {
			t.Fatal(err)
		}
	}
	counts, err := attempts.Count(t.Context(), hitsOn(2, "network"), hitsOn(1, "account"))
	if err != nil || !slices.Equal(counts, []int64{1, 1}) || lists != 5 {
		t.Errorf("%v after %d lists, %v", counts, lists, err)
	}
}

// Whatever commit fails, the attempt is not counted as one that is within its limits.
func TestAttemptsThatCannotBeCounted(t *testing.T) {
	for _, after := range []int{0, 1} {
		s := storagetest.InOrder{Store: backend(t, time.Now)}
		if _, err := storage.NewAttempts(s).Count(t.Context(), hitsOn(1, "network"), nil); err != nil {
			t.Fatal(err)
		}
		commits := 0
		failing := storagetest.InOrder{Store: s, Before: func(at int, _ []storage.Change) error {
			if at > 0 {
				return nil
			}
			if commits++; commits > after {
				return errDisk
			}
			return nil
		}}
		if counts, err := storage.NewAttempts(failing).Count(t.Context(), hitsOn(1, "network"), hitsOn(1, "account")); !errors.Is(err, errDisk) || counts != nil {
			t.Errorf("after %d commits: %v, %v", after, counts, err)
		}
	}
}
