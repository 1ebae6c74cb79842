package storagetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"regain/storage"
)

// OpenWith opens an empty store that uses wall, and measures the time that passes by elapsed.
type OpenWith func(t *testing.T, wall func() time.Time, elapsed func() time.Duration) storage.Store

// RunClockThatJumps puts the wall clock two hours forward and back, and holds that what was used stays used, and what was
// counted stays counted, while what has ended by either clock is not shown.
func RunClockThatJumps(t *testing.T, open OpenWith) {
	t.Helper()
	for name, wait := range map[string]time.Duration{"at once": 0, "after an hour": time.Hour} {
		t.Run(name, func(t *testing.T) {
			wall, passed := NewClock(), time.Duration(0)
			s := open(t, wall.Now, func() time.Duration { return passed })
			defer s.Close() //nolint:errcheck // a test's
			start := wall.Now()
			used := storage.Record{Kind: kind, ID: "used", ExpiresAt: start.Add(90 * time.Minute)}
			if err := s.Create(t.Context(), used); err != nil {
				t.Fatal(err)
			}
			hit := func(want int64) {
				t.Helper()
				if hits, err := s.Increment(t.Context(), kind, "attempts", 90*time.Minute); hits != want || err != nil {
					t.Errorf("%d hits, want %d, %v", hits, want, err)
				}
			}
			hit(1)
			hit(2)
			wall.Turn(2 * time.Hour)
			if _, err := s.Get(t.Context(), kind, "used"); !errors.Is(err, storage.ErrNotFound) {
				t.Errorf("what ended by the wall clock is shown: %v", err)
			}
			if _, err := s.Consume(t.Context(), kind, "used"); !errors.Is(err, storage.ErrNotFound) { // and removes nothing
				t.Errorf("what ended by the wall clock is consumed: %v", err)
			}
			hit(3)
			for i := range 100 { // each may sweep
				if err := s.Create(t.Context(), storage.Record{Kind: kind, ID: fmt.Sprint(i), ExpiresAt: wall.Now().Add(time.Minute)}); err != nil {
					t.Fatal(err)
				}
			}
			passed += wait
			wall.Turn(wait - 2*time.Hour)
			hit(4)
			if err := s.Create(t.Context(), used); !errors.Is(err, storage.ErrExists) {
				t.Errorf("what was used can be used again: %v", err)
			}
			passed += 2 * time.Hour
			wall.Turn(2 * time.Hour)
			hit(1)
			if err := s.Create(t.Context(), used); err != nil {
				t.Errorf("at its true end: %v", err)
			}
		})
	}
}
