// Package storagetest tests the contract that every storage backend must fulfil. A backend's test calls Run with a
// function that opens an empty store:
//
//	func TestContract(t *testing.T) {
//		storagetest.Run(t, func(t *testing.T, clock func() time.Time) storage.Store { … })
//	}
package storagetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"regain/storage"
)

// Open opens an empty store that uses clock; the test closes it.
type Open func(t *testing.T, clock func() time.Time) storage.Store

// Clock is a clock that the test sets.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock starts at a fixed time.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Turn advances the clock.
func (c *Clock) Turn(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

const kind = storage.Kind("thing")

// Run checks every rule of storage.Store.
func Run(t *testing.T, open Open) {
	t.Helper()
	rules := map[string]func(*testing.T, storage.Store, *Clock){
		"create and get":                  createAndGet,
		"create twice":                    createTwice,
		"kinds are separate":              kindsAreSeparate,
		"update swaps one version":        updateSwaps,
		"update of nothing":               updateOfNothing,
		"consume once":                    consumeOnce,
		"delete":                          deleteRecord,
		"expired records are not there":   expiry,
		"an update moves the end of life": updateMovesExpiry,
		"list pages through a group":      listPages,
		"list forgets what left":          listForgets,
		"list finds groups only":          listGroups,
		"bytes are copied":                bytesAreCopied,
		"versions of many records":        versions,
		"counters have a window":          counters,
		"a counter outlives a stale end":  staleCounter,
		"a record outlives a stale end":   staleRecord,
		"one creator wins":                raceCreate,
		"one updater wins":                raceUpdate,
		"one consumer wins":               raceConsume,
		"no hit is lost":                  raceIncrement,
		"one of sixty-four wins":          manyCallers,
		"whoever lost updates after":      updateAfterUpdate,
		"everything at once":              everythingAtOnce,
		"ten thousand expired records":    tenThousandExpired,
		"a call that is made again":       calledAgain,
		"a caller who went away":          cancelled,
	}
	maps.Copy(rules, commits())
	for name, check := range rules {
		t.Run(name, func(t *testing.T) {
			clock := NewClock()
			store := open(t, clock.Now)
			t.Cleanup(func() {
				if err := store.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			check(t, store, clock)
		})
	}
}

func record(id, data string) storage.Record {
	return storage.Record{Kind: kind, ID: id, Data: []byte(data)}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Errorf("got error %v, want %v", err, target)
	}
}

func expect(t *testing.T, s storage.Store, id, data string, version int64) storage.Record {
	t.Helper()
	r, err := s.Get(t.Context(), kind, id)
	must(t, err)
	if string(r.Data) != data || r.Version != version || r.ID != id || r.Kind != kind {
		t.Errorf("got %s %s version %d with %q, want version %d with %q", r.Kind, r.ID, r.Version, r.Data, version, data)
	}
	return r
}

func createAndGet(t *testing.T, s storage.Store, clock *Clock) {
	r := record("a", "one")
	r.ExpiresAt, r.Group = clock.Now().Add(time.Hour), "g"
	must(t, s.Create(t.Context(), r))
	got := expect(t, s, "a", "one", 1)
	if !got.ExpiresAt.Equal(r.ExpiresAt) || got.Group != "g" {
		t.Errorf("got end %v and group %q, want %v and g", got.ExpiresAt, got.Group, r.ExpiresAt)
	}
	must(t, s.Create(t.Context(), record("empty", "")))
	expect(t, s, "empty", "", 1)
	_, err := s.Get(t.Context(), kind, "b")
	want(t, err, storage.ErrNotFound)
}

func createTwice(t *testing.T, s storage.Store, _ *Clock) {
	must(t, s.Create(t.Context(), record("a", "one")))
	want(t, s.Create(t.Context(), record("a", "two")), storage.ErrExists)
	expect(t, s, "a", "one", 1)
}

func kindsAreSeparate(t *testing.T, s storage.Store, _ *Clock) {
	must(t, s.Create(t.Context(), record("a", "one")))
	other := record("a", "other")
	other.Kind = "else"
	must(t, s.Create(t.Context(), other))
	must(t, s.Delete(t.Context(), "else", "a"))
	expect(t, s, "a", "one", 1)
	for _, near := range []storage.Record{{Kind: kind + "a", ID: "b"}, {Kind: kind[:4], ID: string(kind[4:]) + "ab"}} { // kind and id together read alike
		_, err := s.Get(t.Context(), near.Kind, near.ID)
		want(t, err, storage.ErrNotFound)
		must(t, s.Create(t.Context(), near))
	}
	must(t, s.Create(t.Context(), record("ab", "one")))
}

func updateSwaps(t *testing.T, s storage.Store, _ *Clock) {
	must(t, s.Create(t.Context(), record("a", "one")))
	r := expect(t, s, "a", "one", 1)
	r.Data = []byte("two")
	must(t, s.Update(t.Context(), r))
	expect(t, s, "a", "two", 2)
	r.Data = []byte("three")
	want(t, s.Update(t.Context(), r), storage.ErrConflict)
	expect(t, s, "a", "two", 2)
}

func updateOfNothing(t *testing.T, s storage.Store, _ *Clock) {
	r := record("a", "one")
	r.Version = 1
	want(t, s.Update(t.Context(), r), storage.ErrNotFound)
	_, err := s.Get(t.Context(), kind, "a")
	want(t, err, storage.ErrNotFound)
}

func consumeOnce(t *testing.T, s storage.Store, _ *Clock) {
	must(t, s.Create(t.Context(), record("a", "one")))
	r, err := s.Consume(t.Context(), kind, "a")
	must(t, err)
	if string(r.Data) != "one" {
		t.Errorf("consumed %q", r.Data)
	}
	_, err = s.Consume(t.Context(), kind, "a")
	want(t, err, storage.ErrNotFound)
	must(t, s.Create(t.Context(), record("a", "again")))
}

func deleteRecord(t *testing.T, s storage.Store, _ *Clock) {
	must(t, s.Create(t.Context(), record("a", "one")))
	must(t, s.Delete(t.Context(), kind, "a"))
	must(t, s.Delete(t.Context(), kind, "a"))
	_, err := s.Get(t.Context(), kind, "a")
	want(t, err, storage.ErrNotFound)
}

func expiry(t *testing.T, s storage.Store, clock *Clock) {
	r := record("a", "one")
	r.Group, r.ExpiresAt = "g", clock.Now().Add(time.Minute)
	must(t, s.Create(t.Context(), r))
	clock.Turn(time.Minute)
	_, err := s.Get(t.Context(), kind, "a")
	want(t, err, storage.ErrNotFound)
	_, err = s.Consume(t.Context(), kind, "a")
	want(t, err, storage.ErrNotFound)
	r.Version = 1
	want(t, s.Update(t.Context(), r), storage.ErrNotFound)
	list, err := s.List(t.Context(), kind, "g", "", 9)
	must(t, err)
	if len(list) != 0 {
		t.Errorf("list has %d expired records", len(list))
	}
	must(t, s.Create(t.Context(), record("a", "two")))
	expect(t, s, "a", "two", 1)
}

func updateMovesExpiry(t *testing.T, s storage.Store, clock *Clock) {
	r := record("a", "one")
	r.ExpiresAt = clock.Now().Add(time.Minute)
	must(t, s.Create(t.Context(), r))
	r.Version, r.ExpiresAt = 1, clock.Now().Add(time.Hour)
	must(t, s.Update(t.Context(), r))
	clock.Turn(2 * time.Minute)
	for i := range 40 { // lets a backend sweep by the old expiry
		must(t, s.Create(t.Context(), record(fmt.Sprint("other", i), "")))
	}
	expect(t, s, "a", "one", 2)
}

func listPages(t *testing.T, s storage.Store, _ *Clock) {
	for _, id := range []string{"c", "a", "d", "b"} {
		r := record(id, id)
		r.Group = "g"
		must(t, s.Create(t.Context(), r))
	}
	stranger := record("x", "x")
	stranger.Group = "gg" // a group whose name has the other's as a prefix
	must(t, s.Create(t.Context(), stranger))
	must(t, s.Create(t.Context(), record("gx", "gx"))) // without a group: its id is the rest of both
	var ids string
	after := ""
	for {
		list, err := s.List(t.Context(), kind, "g", after, 3)
		must(t, err)
		if len(list) > 3 {
			t.Errorf("a page of 3 has %d records", len(list))
		}
		for _, r := range list {
			ids += r.ID
			after = r.ID
		}
		if len(list) < 3 {
			break
		}
	}
	if ids != "abcd" {
		t.Errorf("listed %q, want abcd", ids)
	}
}

func listForgets(t *testing.T, s storage.Store, _ *Clock) {
	r := record("a", "one")
	r.Group = "g"
	must(t, s.Create(t.Context(), r))
	r.Group, r.Version = "h", 1
	must(t, s.Update(t.Context(), r))
	for group, n := range map[string]int{"g": 0, "h": 1} {
		list, err := s.List(t.Context(), kind, group, "", 9)
		must(t, err)
		if len(list) != n {
			t.Errorf("group %s has %d records, want %d", group, len(list), n)
		}
	}
}

// A record without a group is in none, and one that goes leaves the others of its group.
func listGroups(t *testing.T, s storage.Store, _ *Clock) {
	must(t, s.Create(t.Context(), record("alone", "")))
	for _, id := range []string{"a", "b"} {
		r := record(id, id)
		r.Group = "g"
		must(t, s.Create(t.Context(), r))
	}
	must(t, s.Delete(t.Context(), kind, "a"))
	must(t, s.Delete(t.Context(), kind, "not there"))
	for group, want := range map[string]string{"": "[]", "g": "[b]", "h": "[]"} {
		list, err := s.List(t.Context(), kind, group, "", 9)
		must(t, err)
		ids := []string{}
		for _, r := range list {
			ids = append(ids, r.ID)
		}
		if got := fmt.Sprint(ids); got != want {
			t.Errorf("group %q has %s, want %s", group, got, want)
		}
	}
}

func bytesAreCopied(t *testing.T, s storage.Store, _ *Clock) {
	r := record("a", "one")
	must(t, s.Create(t.Context(), r))
	r.Data[0] = 'X'
	got := expect(t, s, "a", "one", 1)
	got.Data[0] = 'X'
	expect(t, s, "a", "one", 1)
}

func counters(t *testing.T, s storage.Store, clock *Clock) {
	hit := func(id string, wanted int64) {
		t.Helper()
		n, err := s.Increment(t.Context(), kind, id, time.Minute)
		must(t, err)
		if n != wanted {
			t.Errorf("%s counts %d, want %d", id, n, wanted)
		}
	}
	hit("a", 1)
	clock.Turn(59 * time.Second)
	hit("a", 2)
	hit("b", 1)
	clock.Turn(time.Second)
	hit("a", 1) // the window of the first hit is over, and later hits did not lengthen it
	hit("b", 2)
}

// backlog leaves more expired records, older than what the caller stores next, than a backend sweeps in a few operations;
// sweepAll has it sweep them all. In between, an end of life that no longer counts waits to be swept.
func backlog(t *testing.T, s storage.Store, clock *Clock) (sweepAll func()) {
	t.Helper()
	const expired = 200
	create := func(name string, end time.Time) {
		failed := make(chan error, expired)
		for i := range expired {
			go func() { // together, since a backend may take its time for each change
				r := record(fmt.Sprint(name, i), "")
				r.ExpiresAt = end
				failed <- s.Create(t.Context(), r)
			}()
		}
		for range expired {
			must(t, <-failed)
		}
	}
	create("expired", clock.Now().Add(time.Second))
	return func() { create("other", time.Time{}) }
}

// A counter that began anew has an end of life of before, too: sweeping that one must not end the count, or a flood resets
// the limits of attempts.
func staleCounter(t *testing.T, s storage.Store, clock *Clock) {
	sweepAll := backlog(t, s, clock)
	hit := func(wanted int64) {
		t.Helper()
		n, err := s.Increment(t.Context(), kind, "a", time.Minute)
		must(t, err)
		if n != wanted {
			t.Errorf("counts %d, want %d", n, wanted)
		}
	}
	hit(1)
	clock.Turn(time.Minute)
	hit(1)
	hit(2)
	sweepAll()
	hit(3)
	clock.Turn(59 * time.Second)
	hit(4)
	clock.Turn(time.Second)
	hit(1)
}

// The same of a record that took the place of an expired one, and of one whose life was made longer.
func staleRecord(t *testing.T, s storage.Store, clock *Clock) {
	sweepAll := backlog(t, s, clock)
	for _, id := range []string{"replaced", "extended"} {
		r := record(id, "old")
		r.Group, r.ExpiresAt = "g", clock.Now().Add(time.Minute)
		must(t, s.Create(t.Context(), r))
	}
	longer := record("extended", "new")
	longer.Group, longer.Version, longer.ExpiresAt = "g", 1, clock.Now().Add(time.Hour)
	must(t, s.Update(t.Context(), longer))
	clock.Turn(time.Minute)
	fresh := record("replaced", "new")
	fresh.Group, fresh.ExpiresAt = "g", clock.Now().Add(time.Hour)
	must(t, s.Create(t.Context(), fresh))
	sweepAll()
	expect(t, s, "replaced", "new", 1)
	expect(t, s, "extended", "new", 2)
	list, err := s.List(t.Context(), kind, "g", "", 9)
	must(t, err)
	if len(list) != 2 {
		t.Errorf("the group has %d records, want 2", len(list))
	}
}

// race runs work in several goroutines at once and returns how many had no error.
func race(t *testing.T, work func(ctx context.Context) error, loses error) int {
	t.Helper()
	const racers = 16
	errs := make(chan error, racers)
	start := make(chan struct{})
	for range racers {
		go func() {
			<-start
			errs <- work(t.Context())
		}()
	}
	close(start)
	won := 0
	for range racers {
		switch err := <-errs; {
		case err == nil:
			won++
		case !errors.Is(err, loses):
			t.Errorf("got error %v, want %v", err, loses)
		}
	}
	return won
}

func raceCreate(t *testing.T, s storage.Store, _ *Clock) {
	if won := race(t, func(ctx context.Context) error { return s.Create(ctx, record("a", "one")) }, storage.ErrExists); won != 1 {
		t.Errorf("%d creators won", won)
	}
}

func raceUpdate(t *testing.T, s storage.Store, _ *Clock) {
	must(t, s.Create(t.Context(), record("a", "one")))
	r := expect(t, s, "a", "one", 1)
	if won := race(t, func(ctx context.Context) error { return s.Update(ctx, r) }, storage.ErrConflict); won != 1 {
		t.Errorf("%d updaters won", won)
	}
}

func raceConsume(t *testing.T, s storage.Store, _ *Clock) {
	must(t, s.Create(t.Context(), record("a", "one")))
	won := race(t, func(ctx context.Context) error {
		_, err := s.Consume(ctx, kind, "a")
		return err
	}, storage.ErrNotFound)
	if won != 1 {
		t.Errorf("%d consumers won", won)
	}
}

func raceIncrement(t *testing.T, s storage.Store, _ *Clock) {
	won := race(t, func(ctx context.Context) error {
		_, err := s.Increment(ctx, kind, "a", time.Hour)
		return err
	}, nil)
	n, err := s.Increment(t.Context(), kind, "a", time.Hour)
	must(t, err)
	if n != int64(won)+1 {
		t.Errorf("counted %d, want %d", n, won+1)
	}
}
