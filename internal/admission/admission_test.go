package admission_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"regain/internal/admission"
)

func queue(t *testing.T, running, waiting int) *admission.Queue {
	t.Helper()
	q, err := admission.New(admission.Config{Running: running, Waiting: waiting, Patience: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// visitor is one of its own task and network.
func visitor(i int) admission.Visitor {
	return admission.Visitor{Task: fmt.Sprint("task ", i), Network: fmt.Sprint("network ", i)}
}

// enter has a visitor wait in the background for a place, which they keep.
func enter(t *testing.T, q *admission.Queue, who admission.Visitor) (ended <-chan error) {
	t.Helper()
	result := make(chan error, 1)
	go func() {
		_, _, err := q.Enter(t.Context(), who)
		result <- err
	}()
	synctest.Wait()
	return result
}

func TestPlaces(t *testing.T) {
	for name, row := range map[string]struct {
		who     func(i int) admission.Visitor
		waiting int // of a hundred who come while every processor is busy
	}{
		"people":                    {visitor, 80},
		"one network":               {func(i int) admission.Visitor { return admission.Visitor{Task: fmt.Sprint(i), Network: "one"} }, 20},
		"networks that are unknown": {func(i int) admission.Visitor { return admission.Visitor{Task: fmt.Sprint(i)} }, 20},
		"one subscriber of IPv6": {func(i int) admission.Visitor {
			return admission.Visitor{Task: fmt.Sprint(i), Network: "2001:db8:1:2::/64"}
		}, 20},
		"the networks of one site": {func(i int) admission.Visitor {
			return admission.Visitor{Task: fmt.Sprint(i), Network: fmt.Sprintf("2001:db8:1:%x::/64", i)}
		}, 40},
		"sites": {func(i int) admission.Visitor {
			return admission.Visitor{Task: fmt.Sprint(i), Network: fmt.Sprintf("2001:db8:%x::/64", i)}
		}, 80},
		"one recovery": {func(i int) admission.Visitor { return admission.Visitor{Task: "one", Network: fmt.Sprint(i)} }, 16},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := queue(t, 2, 80)
				for i := range 2 {
					if err := <-enter(t, q, visitor(1000+i)); err != nil {
						t.Fatal(err)
					}
				}
				for range 2 { // those who gave up are gone
					var waits []<-chan error
					for i := range 100 {
						ended := enter(t, q, row.who(i))
						select {
						case err := <-ended:
							if !errors.Is(err, admission.ErrBusy) {
								t.Errorf("%d: %v", i, err)
							}
						default:
							waits = append(waits, ended)
						}
					}
					if len(waits) != row.waiting {
						t.Errorf("%d wait, want %d", len(waits), row.waiting)
					}
					began := time.Now()
					for _, ended := range waits {
						if err := <-ended; !errors.Is(err, admission.ErrBusy) {
							t.Errorf("after its patience: %v", err)
						}
					}
					if waited := time.Since(began); waited != 5*time.Second {
						t.Errorf("they wait for %s", waited)
					}
				}
				if err := <-enter(t, q, visitor(1)); !errors.Is(err, admission.ErrBusy) { // after five seconds: those who gave up are gone
					t.Errorf("while the places are taken: %v", err)
				}
			})
		})
	}
}

// Who waits is admitted in order, but not beside another of the same task.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue(t, 2, 16)
		_, leaveOne, err := q.Enter(t.Context(), admission.Visitor{Task: "one"})
		if err != nil {
			t.Fatal(err)
		}
		again := enter(t, q, admission.Visitor{Task: "one"})
		other := enter(t, q, admission.Visitor{Task: "other"})
		select {
		case err := <-other: // the second place is theirs: the first in the queue may not have it
			if err != nil {
				t.Fatal(err)
			}
		default:
			t.Fatal("a busy task holds up the others")
		}
		select {
		case err := <-again:
			t.Fatalf("one task is done twice at a time: %v", err)
		default:
		}
		leaveOne()
		leaveOne() // once is enough
		if err := <-again; err != nil {
			t.Error(err)
		}
		if err := <-enter(t, q, admission.Visitor{Task: "third"}); !errors.Is(err, admission.ErrBusy) {
			t.Errorf("a place that was given back twice: %v", err)
		}
	})
}

func TestCancelledVisitorsLeaveTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue(t, 1, 4)
		_, leave, err := q.Enter(t.Context(), visitor(0))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() {
			_, _, err := q.Enter(ctx, visitor(1))
			gone <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-gone; !errors.Is(err, context.Canceled) || errors.Is(err, admission.ErrBusy) {
			t.Errorf("got %v", err)
		}
		next := enter(t, q, visitor(2))
		leave()
		if err := <-next; err != nil {
			t.Errorf("the place went to somebody who is not there: %v", err)
		}
	})
}

// Who waits for another server has no place meanwhile, and comes back before those who have not begun.
func TestOutside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue(t, 1, 4)
		inside, leave, err := q.Enter(t.Context(), visitor(0))
		if err != nil {
			t.Fatal(err)
		}
		var second func()
		admission.Outside(inside, func() {
			if _, second, err = q.Enter(t.Context(), visitor(1)); err != nil {
				t.Errorf("the place is not free: %v", err)
			}
			third := enter(t, q, visitor(2))
			same := enter(t, q, visitor(0))
			time.AfterFunc(time.Second, second)
			go func() {
				if err := <-same; !errors.Is(err, admission.ErrBusy) {
					t.Errorf("another of the task of one who is outside: %v", err)
				}
				if err := <-third; !errors.Is(err, admission.ErrBusy) {
					t.Errorf("the place went to one who had not begun: %v", err)
				}
			}()
		})
		time.Sleep(10 * time.Second)
		leave()
		if err := <-enter(t, q, visitor(3)); err != nil {
			t.Errorf("after all left: %v", err)
		}
	})
	ran := false
	admission.Outside(t.Context(), func() { ran = true })
	if !ran {
		t.Error("without a place it does not run")
	}
}

// One whose request ends while they are outside has no place to give back.
func TestLostOutside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := queue(t, 1, 4)
		ctx, cancel := context.WithCancel(t.Context())
		inside, leave, err := q.Enter(ctx, visitor(0))
		if err != nil {
			t.Fatal(err)
		}
		admission.Outside(inside, func() {
			if err := <-enter(t, q, visitor(1)); err != nil {
				t.Error(err)
			}
			cancel()
		})
		leave()
		if err := <-enter(t, q, visitor(2)); !errors.Is(err, admission.ErrBusy) {
			t.Errorf("a place that nobody gave back: %v", err)
		}
	})
}

// Whatever visitors do, no more than there are places work at a time, no task twice, and all places come back.
func TestEverythingAtOnce(t *testing.T) {
	const running = 3
	q, err := admission.New(admission.Config{Running: running, Waiting: 64, Patience: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	var working, admitted atomic.Int64
	var tasks [8]atomic.Int64
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			for range 50 {
				n := rand.IntN(len(tasks))
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(2000))*time.Microsecond)
				inside, leave, err := q.Enter(ctx, admission.Visitor{Task: fmt.Sprint(n), Network: fmt.Sprint(rand.IntN(20))})
				if err != nil {
					cancel()
					continue
				}
				admitted.Add(1)
				if tasks[n].Add(1) != 1 {
					t.Error("one task is done twice at a time")
				}
				work := func() {
					if working.Add(1) > running {
						t.Error("more than there are places")
					}
					time.Sleep(time.Duration(rand.IntN(50)) * time.Microsecond)
					working.Add(-1)
				}
				work()
				admission.Outside(inside, func() { time.Sleep(time.Duration(rand.IntN(200)) * time.Microsecond) })
				if ctx.Err() == nil {
					work()
				}
				tasks[n].Add(-1)
				leave()
				cancel()
			}
		})
	}
	all.Wait()
	if admitted.Load() == 0 {
		t.Fatal("nobody was admitted")
	}
	for i := range running { // every place is free
		if _, _, err := q.Enter(t.Context(), visitor(i)); err != nil {
			t.Errorf("place %d is lost: %v", i, err)
		}
	}
}

func TestNewRefusesMissingBounds(t *testing.T) {
	for _, cfg := range []admission.Config{
		{Waiting: 4, Patience: 1}, {Running: 1, Patience: 1}, {Running: 1, Waiting: 3, Patience: 1}, {Running: 1, Waiting: 4},
	} {
		if _, err := admission.New(cfg); err == nil {
			t.Errorf("made with %+v", cfg)
		}
	}
}
