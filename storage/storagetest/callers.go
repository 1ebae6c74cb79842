package storagetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"regain/storage"
)

const (
	few  = 16
	many = 64
)

// crowd runs work of many callers at once, and returns what each got.
func crowd(callers int, work func(caller int) error) []error {
	errs := make([]error, callers)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			<-start
			errs[i] = work(i)
		})
	}
	close(start)
	all.Wait()
	return errs
}

// winners counts who had no error, and reports every error that is not the one of those who lose.
func winners(t *testing.T, errs []error, loses error) int {
	t.Helper()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, loses):
			t.Errorf("got error %v, want %v", err, loses)
		}
	}
	return won
}

// Of sixty-four one wins, and of those who come by different ways as well.
func manyCallers(t *testing.T, s storage.Store, _ *Clock) {
	if won := winners(t, crowd(many, func(int) error { return s.Create(t.Context(), record("a", "one")) }), storage.ErrExists); won != 1 {
		t.Errorf("%d creators won", won)
	}
	r := expect(t, s, "a", "one", 1)
	if won := winners(t, crowd(many, func(int) error { return s.Update(t.Context(), r) }), storage.ErrConflict); won != 1 {
		t.Errorf("%d updaters won", won)
	}
	consumed := crowd(many, func(int) error {
		_, err := s.Consume(t.Context(), kind, "a")
		return err
	})
	if won := winners(t, consumed, storage.ErrNotFound); won != 1 {
		t.Errorf("%d consumers won", won)
	}
	counted := make([]bool, many)
	var mu sync.Mutex
	for _, err := range crowd(many, func(int) error {
		n, err := s.Increment(t.Context(), kind, "a", time.Hour)
		mu.Lock()
		defer mu.Unlock()
		if err != nil || n < 1 || n > many || counted[n-1] {
			return fmt.Errorf("count %d, %w", n, err)
		}
		counted[n-1] = true
		return nil
	}) {
		must(t, err)
	}
}

// Whoever loses reads again and updates: after sixteen have, none is lost.
func updateAfterUpdate(t *testing.T, s storage.Store, _ *Clock) {
	must(t, s.Create(t.Context(), record("a", "")))
	for _, err := range crowd(few, func(int) error {
		for {
			r, err := s.Get(t.Context(), kind, "a")
			if err != nil {
				return err
			}
			r.Data = append(r.Data, 'x')
			if err = s.Update(t.Context(), r); !errors.Is(err, storage.ErrConflict) {
				return err
			}
		}
	}) {
		must(t, err)
	}
	expect(t, s, "a", "xxxxxxxxxxxxxxxx", few+1)
}

// An update, a consumer and a deletion of one record at once: whatever comes first, at most one consumer gets it, and at the
// end it is gone. Those who create it anew meanwhile do not exist together.
func everythingAtOnce(t *testing.T, s storage.Store, _ *Clock) {
	for round := range few {
		id := fmt.Sprint(round)
		must(t, s.Create(t.Context(), record(id, "one")))
		var consumed, created int
		var mu sync.Mutex
		for _, err := range crowd(few, func(caller int) error {
			switch caller % 4 {
			case 0:
				r := record(id, "two")
				r.Version = 1
				if err := s.Update(t.Context(), r); err != nil && !errors.Is(err, storage.ErrConflict) && !errors.Is(err, storage.ErrNotFound) {
					return err
				}
			case 1, 2:
				_, err := s.Consume(t.Context(), kind, id)
				if err != nil && !errors.Is(err, storage.ErrNotFound) {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					consumed++
				}
			default:
				err := s.Create(t.Context(), record(id, "anew"))
				if err != nil && !errors.Is(err, storage.ErrExists) {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					created++
				}
			}
			return nil
		}) {
			must(t, err)
		}
		left := 1
		if _, err := s.Get(t.Context(), kind, id); errors.Is(err, storage.ErrNotFound) {
			left = 0
		} else {
			must(t, err)
		}
		if 1+created != consumed+left {
			t.Errorf("created %d times, consumed %d, and %d is left", 1+created, consumed, left)
		}
	}
}

// tenThousandExpired leaves more than any sweep removes at once: none is shown, none is in the way.
func tenThousandExpired(t *testing.T, s storage.Store, clock *Clock) {
	const expired = 10_000
	ends := clock.Now().Add(time.Minute)
	for _, err := range crowd(many, func(caller int) error {
		for i := caller; i < expired; i += many {
			r := storage.Record{Kind: kind, ID: fmt.Sprintf("a%05d", i), Group: "g", Data: []byte("old"), ExpiresAt: ends}
			if err := s.Create(t.Context(), r); err != nil {
				return err
			}
		}
		return nil
	}) {
		must(t, err)
	}
	clock.Turn(time.Minute)
	for _, id := range []string{"b1", "b2", "b3"} { // behind all of them
		r := record(id, "new")
		r.Group = "g"
		must(t, s.Create(t.Context(), r))
	}
	list, err := s.List(t.Context(), kind, "g", "", 2)
	must(t, err)
	if len(list) != 2 || list[0].ID != "b1" || list[1].ID != "b2" {
		t.Errorf("listed %v, want b1 and b2", list)
	}
	for i := 0; i < expired; i += 1111 {
		id := fmt.Sprintf("a%05d", i)
		_, err := s.Get(t.Context(), kind, id)
		want(t, err, storage.ErrNotFound)
		_, err = s.Consume(t.Context(), kind, id)
		want(t, err, storage.ErrNotFound)
		must(t, s.Create(t.Context(), record(id, "new")))
		expect(t, s, id, "new", 1)
	}
}

// calledAgain is what a caller meets who was told storage.ErrUncertain and makes the call again, where the first one was
// carried out.
func calledAgain(t *testing.T, s storage.Store, _ *Clock) {
	r := record("a", "one")
	for i, answer := range []error{nil, storage.ErrExists} {
		if err := s.Create(t.Context(), r); !errors.Is(err, answer) {
			t.Errorf("create %d: %v, want %v", i, err, answer)
		}
	}
	r.Version = 1
	for i, answer := range []error{nil, storage.ErrConflict} {
		if err := s.Update(t.Context(), r); !errors.Is(err, answer) {
			t.Errorf("update %d: %v, want %v", i, err, answer)
		}
	}
	for i, answer := range []error{nil, storage.ErrNotFound} {
		if _, err := s.Consume(t.Context(), kind, "a"); !errors.Is(err, answer) {
			t.Errorf("consume %d: %v, want %v", i, err, answer)
		}
	}
	r.Version = 2
	want(t, s.Update(t.Context(), r), storage.ErrNotFound)
}

// cancelled holds that a caller who went away leaves nothing half done: without an error it is done, with one nothing has
// changed.
func cancelled(t *testing.T, s storage.Store, _ *Clock) {
	for i := range many {
		id := fmt.Sprint(i)
		ctx, cancel := context.WithCancel(t.Context())
		if i%4 == 0 {
			cancel() // before it begins
		} else {
			time.AfterFunc(time.Duration(i)*20*time.Microsecond, cancel)
		}
		there := outcome(t, s.Create(ctx, record(id, "one")), true, false)
		hasRecord(t, s, id, there)
		if !there {
			must(t, s.Create(t.Context(), record(id, "one")))
		}
		_, err := s.Consume(ctx, kind, id)
		hasRecord(t, s, id, outcome(t, err, false, true))
		n, err := s.Increment(ctx, kind, id, time.Hour)
		next := int64(1)
		if outcome(t, err, true, false) {
			next = n + 1
		}
		got, err := s.Increment(t.Context(), kind, id, time.Hour)
		if must(t, err); got != next {
			t.Errorf("count %d, want %d", got, next)
		}
		cancel()
	}
}

// outcome is done where a call had no error, and else what was before; the only error is that the caller went away.
func outcome(t *testing.T, err error, done, before bool) bool {
	t.Helper()
	if err == nil {
		return done
	}
	want(t, err, context.Canceled)
	return before
}

func hasRecord(t *testing.T, s storage.Store, id string, there bool) {
	t.Helper()
	_, err := s.Get(t.Context(), kind, id)
	if there {
		must(t, err)
	} else {
		want(t, err, storage.ErrNotFound)
	}
}
