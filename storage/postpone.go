package storage

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"sync"
)

// Postponed is a change that may wait for the next one that is made for the same request, and is then committed with it, in
// front of it: the request costs one commit less, and neither is made without the other.
type Postponed struct {
	Change Change
	// Again is asked when the change failed, and says why that is refused, or returns another change to try. Its error is what
	// the request ends with, whatever was being done, so it is none of the errors that callers branch on.
	Again func(ctx context.Context, failed error) (Change, error)
}

// tries is how often a list with postponed changes is tried, each time with one of them made anew.
const tries = 4

// Unit holds the changes that were postponed for one request. What fails of them fails the request: every later change that
// is made for it is refused with the same error, and so is its end.
type Unit struct {
	mu         sync.Mutex
	store      Store
	pending    []Postponed
	committing []Postponed // what stands in front of the list that is being committed
	failed     error
	over       bool
}

type unitKey struct{}

// unitOf returns the unit of a context, or nil.
func unitOf(ctx context.Context) *Unit {
	u, _ := ctx.Value(unitKey{}).(*Unit)
	return u
}

// Begin returns a context under which changes can be postponed. Whoever calls it calls Finish before anything of the outcome
// is told. A unit that the context has already is used on: two would know nothing of each other.
func Begin(ctx context.Context) (context.Context, *Unit) {
	if u := unitOf(ctx); u != nil {
		return ctx, u
	}
	u := new(Unit)
	return context.WithValue(ctx, unitKey{}, u), u
}

// Finish commits what is still postponed, and returns what the request has to end with if a postponed change failed. It
// does so though the caller went away: an assertion that was shown is used up. What is postponed later is made at once.
func (u *Unit) Finish(ctx context.Context) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.over = true
	if u.failed == nil && len(u.pending) > 0 {
		_, u.failed = u.commit(context.WithoutCancel(ctx), u.store, nil)
	}
	return u.failed
}

// Postpone has a change made with the next one of the same request, if the context has a unit and s is the store that
// requests are served from; otherwise it makes it at once. A record that is postponed is written before it is read.
func Postpone(ctx context.Context, s Store, p Postponed) error {
	g, ok := s.(Guarded)
	if !ok {
		g = Guard(s)
	}
	return change(ctx, func() error {
		u := unitOf(ctx)
		if u == nil || !ok {
			u = &Unit{over: true}
		}
		u.mu.Lock()
		defer u.mu.Unlock()
		if u.failed != nil {
			return u.failed
		}
		if err := u.settle(ctx, same(p.Change.Record)); err != nil {
			return err
		}
		u.store = g.Store
		u.pending = append(u.pending, p)
		if !u.over {
			return nil
		}
		_, err := u.commit(ctx, g.Store, nil)
		return err
	})
}

// idle reports whether there is nothing that has to be made before another change.
func (u *Unit) idle() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.failed == nil && len(u.pending) == 0
}

// make makes changes with what was postponed in front of them. A second change of a record is made after the first.
func (u *Unit) make(ctx context.Context, s Store, changes []Change) ([]Result, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, c := range changes {
		if err := u.settle(ctx, same(c.Record)); err != nil {
			return nil, err
		}
	}
	return u.commit(ctx, s, changes)
}

// same is the question whether a record has the kind and the id of another one.
func same(as Record) func(Record) bool {
	return func(r Record) bool { return r.Kind == as.Kind && r.ID == as.ID }
}

// before makes what was postponed of a record that is about to be read.
func (u *Unit) before(ctx context.Context, touches func(Record) bool) error {
	if u == nil {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.settle(ctx, touches)
}

func (u *Unit) settle(ctx context.Context, touches func(Record) bool) error {
	if !slices.ContainsFunc(u.pending, func(p Postponed) bool { return touches(p.Change.Record) }) {
		return nil
	}
	_, err := u.commit(ctx, u.store, nil)
	return err
}

// commit commits the postponed changes and those in changes, and returns the results of these.
func (u *Unit) commit(ctx context.Context, s Store, changes []Change) ([]Result, error) {
	defer func() { u.committing = nil }()
	for n := 1; u.failed == nil; n++ {
		before := len(u.pending)
		u.committing = u.pending
		results, err := commit(ctx, s, u.list(changes))
		if err == nil {
			u.pending = nil
			return results[before:], nil
		}
		var failed *CommitError
		switch attributed := errors.As(err, &failed); {
		case before == 0:
			return nil, err
		case attributed && failed.At >= before:
			u.drop(failed.Made)
			return nil, behind(failed, before)
		case ctx.Err() != nil && errors.Is(err, ctx.Err()): // nothing was begun, and Finish goes on
			return nil, err
		case !attributed: // an outage, and whether the list was made is not known
			failed = &CommitError{Err: err}
		}
		u.again(ctx, failed, n)
	}
	return nil, u.failed
}

func (u *Unit) list(changes []Change) []Change {
	list := make([]Change, 0, len(u.pending)+len(changes))
	for _, p := range u.pending {
		list = append(list, p.Change)
	}
	return append(list, changes...)
}

// again makes the postponed change that failed anew, or ends the unit.
func (u *Unit) again(ctx context.Context, failed *CommitError, n int) {
	alone := context.WithValue(ctx, unitKey{}, (*Unit)(nil)) // it may read, and the unit is held
	next, err := u.pending[failed.At].Again(alone, failed.Err)
	if err == nil && (n >= tries || !refused(failed.Err)) {
		err = fmt.Errorf("postponed change: %v", failed.Err) //nolint:errorlint // nobody is to take it for the answer to a change of their own
	}
	if err != nil {
		u.failed = err
		return
	}
	u.pending[failed.At].Change = next
	u.drop(failed.Made)
}

// refused reports whether an error is an answer: nothing has changed.
func refused(err error) bool {
	return !errors.Is(err, ErrUncertain) && (errors.Is(err, ErrConflict) || errors.Is(err, ErrExists) || errors.Is(err, ErrNotFound))
}

// drop forgets the postponed changes that were made.
func (u *Unit) drop(made map[int]Result) {
	var left []Postponed
	for i, p := range u.pending {
		if _, is := made[i]; !is {
			left = append(left, p)
		}
	}
	u.pending = left
}

// behind is an error as it is without the first changes of the list.
func behind(e *CommitError, n int) error {
	var made map[int]Result
	for i, result := range e.Made {
		if i >= n {
			if made == nil {
				made = make(map[int]Result)
			}
			made[i-n] = result
		}
	}
	return &CommitError{At: e.At - n, Err: e.Err, Made: made}
}

// commit makes a list of changes, and a single one by its method.
func commit(ctx context.Context, s Store, changes []Change) ([]Result, error) {
	if len(changes) != 1 || changes[0].Max != 0 {
		return s.Commit(ctx, changes)
	}
	r, err := MakeOne(ctx, s, changes[0])
	if err != nil {
		return nil, &CommitError{Err: err}
	}
	return []Result{r}, nil
}

// PostponedBy returns the functions that postponed the first changes of the list that is being committed with ctx. It is for
// a store that measures, and is called from within its Commit.
func PostponedBy(ctx context.Context) (names []string) {
	if u := unitOf(ctx); u != nil {
		for _, p := range u.committing {
			names = append(names, runtime.FuncForPC(reflect.ValueOf(p.Again).Pointer()).Name())
		}
	}
	return names
}
