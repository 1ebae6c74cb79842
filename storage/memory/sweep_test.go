package memory_test

import (
	"fmt"
	"testing"
	"time"

	"regain/storage"
	"regain/storage/memory"
	"regain/storage/storagetest"
)

func opened(t *testing.T) (*memory.Store, *storagetest.Clock) {
	t.Helper()
	clock := storagetest.NewClock()
	s, err := memory.New(clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	return s, clock
}

func create(t *testing.T, s *memory.Store, id, group string, end time.Time) {
	t.Helper()
	if err := s.Create(t.Context(), storage.Record{Kind: "t", ID: id, Group: group, ExpiresAt: end}); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, s *memory.Store, id string, window time.Duration) {
	t.Helper()
	if _, err := s.Increment(t.Context(), "c", id, window); err != nil {
		t.Fatal(err)
	}
}

func holds(t *testing.T, s *memory.Store, when string, want memory.Held) {
	t.Helper()
	if got := s.Held(); got != want {
		t.Errorf("%s it holds %+v, want %+v", when, got, want)
	}
}

// What ended is removed by whatever comes next, the oldest first and sixteen at a time, with its group and its end of
// life: otherwise strangers who begin recoveries fill the memory. What has not ended stays, and is removed at its time.
func TestWhatEndedIsRemoved(t *testing.T) {
	const each = 20
	s, clock := opened(t)
	for i := range each { // the ones that end last come first
		in := time.Duration(each-i) * time.Minute
		create(t, s, fmt.Sprint("r", i), fmt.Sprint("g", i), clock.Now().Add(in))
		count(t, s, fmt.Sprint("c", i), in)
	}
	holds(t, s, "full,", memory.Held{Records: each, Groups: each, Counters: each, Ends: 2 * each})
	create(t, s, "for ever", "", time.Time{})
	holds(t, s, "before any end,", memory.Held{Records: each + 1, Groups: each, Counters: each, Ends: 2 * each})
	clock.Turn(each * time.Minute / 2)
	create(t, s, "also", "", time.Time{})
	holds(t, s, "after sixteen,", memory.Held{Records: each + 2 - 8, Groups: each - 8, Counters: each - 8, Ends: 2*each - 16})
	count(t, s, "lasting", time.Hour)
	holds(t, s, "at half of the time,", memory.Held{Records: each/2 + 2, Groups: each / 2, Counters: each/2 + 1, Ends: each + 1})
	clock.Turn(each * time.Minute / 2)
	count(t, s, "lasting", time.Hour)
	count(t, s, "lasting", time.Hour)
	holds(t, s, "at the end,", memory.Held{Records: 2, Counters: 1, Ends: 1})
}

// A record that changes often has one end of life, and one more for each that it was given: a page that is polled does not
// fill the memory.
func TestAnUpdateKeepsTheEndOfLife(t *testing.T) {
	s, clock := opened(t)
	end := clock.Now().Add(time.Minute)
	create(t, s, "a", "g", end)
	r := storage.Record{Kind: "t", ID: "a", Group: "g", ExpiresAt: end}
	for range 50 {
		r.Version++
		if err := s.Update(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	holds(t, s, "after updates,", memory.Held{Records: 1, Groups: 1, Ends: 1})
	r.Version, r.ExpiresAt = r.Version+1, end.Add(time.Minute)
	if err := s.Update(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	holds(t, s, "with a longer life,", memory.Held{Records: 1, Groups: 1, Ends: 2})
	clock.Turn(2 * time.Minute)
	count(t, s, "c", time.Hour)
	holds(t, s, "after its life,", memory.Held{Counters: 1, Ends: 1})
	create(t, s, "for ever", "", time.Time{})
	holds(t, s, "without an end,", memory.Held{Records: 1, Counters: 1, Ends: 1})
	if err := s.Update(t.Context(), storage.Record{Kind: "t", ID: "for ever", Version: 1}); err != nil {
		t.Fatal(err)
	}
	holds(t, s, "and changed,", memory.Held{Records: 1, Counters: 1, Ends: 1})
	create(t, s, "freed", "", clock.Now().Add(time.Minute))
	if err := s.Update(t.Context(), storage.Record{Kind: "t", ID: "freed", Version: 1}); err != nil {
		t.Fatal(err)
	}
	holds(t, s, "without an end any more,", memory.Held{Records: 2, Counters: 1, Ends: 2})
}
