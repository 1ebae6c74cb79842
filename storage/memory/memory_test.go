package memory_test

import (
	"fmt"
	"testing"
	"time"

	"regain/storage"
	"regain/storage/memory"
	"regain/storage/storagetest"
)

func TestContract(t *testing.T) {
	storagetest.Run(t, func(t *testing.T, clock func() time.Time) storage.Store {
		t.Helper()
		s, err := memory.New(clock)
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

func TestNewRefusesAMissingClock(t *testing.T) {
	if _, err := memory.New(nil); err == nil {
		t.Error("a store without a clock was made")
	}
}

// One operation must cost the same with few records as with many.
func BenchmarkUpdate(b *testing.B) {
	for _, open := range []int{1_000, 100_000} {
		b.Run(fmt.Sprint(open), func(b *testing.B) {
			s, err := memory.New(time.Now)
			if err != nil {
				b.Fatal(err)
			}
			for i := range open {
				if err := s.Create(b.Context(), storage.Record{Kind: "t", ID: fmt.Sprint(i), ExpiresAt: time.Now().Add(time.Hour)}); err != nil {
					b.Fatal(err)
				}
			}
			r := storage.Record{Kind: "t", ID: "0", ExpiresAt: time.Now().Add(time.Hour)}
			for b.Loop() {
				r.Version++
				if err := s.Update(b.Context(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestClockThatJumps(t *testing.T) {
	storagetest.RunClockThatJumps(t, func(t *testing.T, wall func() time.Time, elapsed func() time.Duration) storage.Store {
		t.Helper()
		s, err := memory.New(wall)
		if err != nil {
			t.Fatal(err)
		}
		s.Elapsed(elapsed)
		return s
	})
}

func TestListsAreMadeWholeOrNotAtAll(t *testing.T) {
	clock := storagetest.NewClock()
	s, err := memory.New(clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	storagetest.AllOrNone(t, s, clock)
}
