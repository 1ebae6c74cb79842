package storage_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"regain/storage"
)

// lists is a store that notes each commit, and can fail it before or after it is made.
type lists struct {
	storage.Store
	mu     sync.Mutex
	noted  []string
	fail   error
	prefix int // with fail: so many changes are made all the same; -1 for all of them
}

func (l *lists) note(changes ...storage.Change) {
	var words []string
	for _, c := range changes {
		words = append(words, fmt.Sprintf("%s %s", c.Operation, c.Record.ID))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.noted = append(l.noted, strings.Join(words, ", "))
}

func (l *lists) Create(ctx context.Context, r storage.Record) error {
	l.note(storage.Creating(r))
	if l.fail != nil {
		return l.fail
	}
	return l.Store.Create(ctx, r)
}

func (l *lists) Update(ctx context.Context, r storage.Record) error {
	l.note(storage.Updating(r))
	if l.fail != nil {
		return l.fail
	}
	return l.Store.Update(ctx, r)
}

func (l *lists) Commit(ctx context.Context, changes []storage.Change) ([]storage.Result, error) {
	l.note(changes...)
	if l.fail == nil {
		return l.Store.Commit(ctx, changes)
	}
	if l.prefix < 0 {
		_, err := l.Store.Commit(ctx, changes)
		return nil, errors.Join(err, l.fail)
	}
	made := map[int]storage.Result{}
	for i, c := range changes[:l.prefix] {
		r, err := storage.MakeOne(ctx, l.Store, c)
		if err != nil {
			return nil, &storage.CommitError{At: i, Err: err, Made: made}
		}
		made[i] = r
	}
	return nil, &storage.CommitError{At: l.prefix, Err: l.fail, Made: made}
}

func (l *lists) taken() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	noted := l.noted
	l.noted = nil
	return noted
}

var errReplayed = errors.New("replayed")

// once is a postponed change as that of an assertion's id.
func once(id string) storage.Postponed {
	return storage.Postponed{Change: storage.Creating(storage.Record{Kind: "jti", ID: id}), Again: func(_ context.Context, failed error) (storage.Change, error) {
		if errors.Is(failed, storage.ErrExists) {
			return storage.Change{}, errReplayed
		}
		return storage.Change{}, fmt.Errorf("record jti: %w", failed)
	}}
}

func requests(t *testing.T) (*lists, storage.Guarded) {
	t.Helper()
	below := &lists{Store: backend(t, time.Now)}
	return below, storage.Guard(below)
}

func wanted(t *testing.T, below *lists, want ...string) {
	t.Helper()
	if got := below.taken(); !slices.Equal(got, want) {
		t.Errorf("committed %q, want %q", got, want)
	}
}

func is(t *testing.T, s storage.Store, kind storage.Kind, id string, there bool) {
	t.Helper()
	if _, err := s.Get(t.Context(), kind, id); (err == nil) != there {
		t.Errorf("%s %s: %v, want it there: %t", kind, id, err, there)
	}
}

// What is postponed goes with the next change, with a list, before what is read of it, and at the latest at the end.
func TestPostponedChangesGoAlong(t *testing.T) {
	below, s := requests(t)
	for name, row := range map[string]struct {
		do   func(ctx context.Context) error
		want []string
	}{
		"a change": {func(ctx context.Context) error { return s.Create(ctx, storage.Record{Kind: "t", ID: "a"}) }, []string{"create ID, create a"}},
		"two changes": {func(ctx context.Context) error {
			return errors.Join(s.Create(ctx, storage.Record{Kind: "t", ID: "b"}), s.Create(ctx, storage.Record{Kind: "t", ID: "c"}))
		}, []string{"create ID, create b", "create c"}},
		"a list": {func(ctx context.Context) error {
			results, err := s.Commit(ctx, []storage.Change{storage.Counting("t", "n", time.Hour, 0), storage.Creating(storage.Record{Kind: "t", ID: "d"})})
			if err == nil && (len(results) != 2 || results[0].Count != 1) {
				err = fmt.Errorf("results %v", results)
			}
			return err
		}, []string{"create ID, increment n, create d"}},
		"a count": {func(ctx context.Context) error {
			n, err := s.Increment(ctx, "t", "counter", time.Hour)
			if err == nil && n != 1 {
				err = fmt.Errorf("count %d", n)
			}
			return err
		}, []string{"create ID, increment counter"}},
		"nothing":     {func(context.Context) error { return nil }, []string{"create ID"}},
		"reading it":  {func(ctx context.Context) error { return second(s.Get(ctx, "jti", "reading it")) }, []string{"create ID"}},
		"changing it": {func(ctx context.Context) error { return s.Delete(ctx, "jti", "changing it") }, []string{"create ID"}}, // by a method that is not noted
		"postponing another change of it": {func(ctx context.Context) error {
			return storage.Postpone(ctx, s, storage.Postponed{Change: storage.Deleting("jti", "postponing another change of it")})
		}, []string{"create ID"}},
		"reading another": {func(ctx context.Context) error {
			err := second(s.Get(ctx, "jti", "another"))
			if noted := below.taken(); !errors.Is(err, storage.ErrNotFound) || len(noted) > 0 {
				return fmt.Errorf("%w, and committed %v", err, noted)
			}
			return nil
		}, []string{"create ID"}},
	} {
		ctx, unit := storage.Begin(t.Context())
		if err := storage.Postpone(ctx, s, once(name)); err != nil {
			t.Fatal(err)
		}
		is(t, below, "jti", name, false)
		if err := row.do(ctx); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := unit.Finish(ctx); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i := range row.want {
			row.want[i] = strings.Replace(row.want[i], "ID", name, 1)
		}
		wanted(t, below, row.want...)
	}
}

// Without a unit, or after its end, a change is made at once; and so it is on a store that is not the one of requests.
func TestNothingToPostponeTo(t *testing.T) {
	below, s := requests(t)
	ctx, unit := storage.Begin(t.Context())
	if again, same := storage.Begin(ctx); again != ctx || same != unit { //nolint:fatcontext // the same one
		t.Error("a second unit of one request knows nothing of the first")
	}
	if err := errors.Join(unit.Finish(ctx), storage.Postpone(ctx, s, once("a")), storage.Postpone(t.Context(), s, once("b"))); err != nil {
		t.Fatal(err)
	}
	open, _ := storage.Begin(t.Context())
	if err := storage.Postpone(open, below, once("c")); err != nil {
		t.Fatal(err)
	}
	wanted(t, below, "create a", "create b", "create c")
	for id, of := range map[string]storage.Store{"a": s, "b": below} {
		if err := storage.Postpone(t.Context(), of, once(id)); !errors.Is(err, errReplayed) {
			t.Errorf("%s again: %v", id, err)
		}
	}
}

// What fails of what was postponed fails the request, whatever it was doing: nothing is made with it, and nothing after it.
func TestAPostponedChangeThatFails(t *testing.T) {
	below, s := requests(t)
	if err := s.Create(t.Context(), storage.Record{Kind: "jti", ID: "used"}); err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func(ctx context.Context) error{
		"create":    func(ctx context.Context) error { return s.Create(ctx, storage.Record{Kind: "t", ID: "a"}) },
		"increment": func(ctx context.Context) error { return second(s.Increment(ctx, "t", "n", time.Hour)) },
		"commit": func(ctx context.Context) error {
			return second(s.Commit(ctx, []storage.Change{storage.Creating(storage.Record{Kind: "t", ID: "a"})}))
		},
		"postpone": func(ctx context.Context) error {
			_ = s.Create(ctx, storage.Record{Kind: "t", ID: "a"})
			return storage.Postpone(ctx, s, once("never"))
		},
		"a change after it": func(ctx context.Context) error {
			_ = s.Create(ctx, storage.Record{Kind: "t", ID: "a"})
			return s.Create(ctx, storage.Record{Kind: "t", ID: "b"})
		},
		"reading it": func(ctx context.Context) error { return second(s.Get(ctx, "jti", "used")) },
		"its group":  func(ctx context.Context) error { return second(s.List(ctx, "jti", "g", "", 9)) },
	} {
		ctx, unit := storage.Begin(t.Context())
		for _, id := range []string{"fresh", "used"} {
			if err := storage.Postpone(ctx, s, once(id)); err != nil {
				t.Fatal(err)
			}
		}
		if err := do(ctx); !errors.Is(err, errReplayed) || errors.Is(err, storage.ErrExists) {
			t.Errorf("%s: %v", name, err)
		}
		if err := unit.Finish(ctx); !errors.Is(err, errReplayed) {
			t.Errorf("%s: at the end %v", name, err)
		}
		is(t, below, "jti", "fresh", false)
		is(t, below, "t", "a", false)
		is(t, below, "t", "b", false)
	}
	if n, err := below.Increment(t.Context(), "t", "n", time.Hour); n != 1 || err != nil {
		t.Errorf("it was counted: %d, %v", n, err)
	}
}

// What fails of the request's own leaves what was postponed to be made: an assertion was shown all the same. A backend that
// made a part of the list is not asked for it again.
func TestTheRequestsOwnChangeFails(t *testing.T) {
	for _, made := range []int{0, 1} {
		below, s := requests(t)
		if err := s.Create(t.Context(), storage.Record{Kind: "t", ID: "taken"}); err != nil {
			t.Fatal(err)
		}
		ctx, unit := storage.Begin(t.Context())
		if err := storage.Postpone(ctx, s, once("id")); err != nil {
			t.Fatal(err)
		}
		below.taken()
		if made == 1 {
			below.fail, below.prefix = storage.ErrExists, 1
		}
		if err := s.Create(ctx, storage.Record{Kind: "t", ID: "taken"}); !errors.Is(err, storage.ErrExists) {
			t.Errorf("got %v", err)
		}
		below.fail = nil
		is(t, below, "jti", "id", made == 1)
		if err := unit.Finish(ctx); err != nil {
			t.Errorf("at the end: %v", err)
		}
		is(t, below, "jti", "id", true)
		if want := 2 - made; len(below.taken()) != want {
			t.Errorf("made %d of it: not %d commits", made, want)
		}
	}
}

// An outage of the whole list, made or not, ends the request: nobody knows what is there, so nothing is built on it.
func TestAnOutageOfTheList(t *testing.T) {
	for _, prefix := range []int{0, -1} {
		below, s := requests(t)
		ctx, unit := storage.Begin(t.Context())
		if err := storage.Postpone(ctx, s, once("id")); err != nil {
			t.Fatal(err)
		}
		below.fail, below.prefix = errDisk, prefix
		first := s.Create(ctx, storage.Record{Kind: "t", ID: "a"})
		below.fail = nil
		for what, err := range map[string]error{"the change": first, "the next": s.Create(ctx, storage.Record{Kind: "t", ID: "b"}), "the end": unit.Finish(ctx)} {
			if !errors.Is(err, errDisk) || !strings.Contains(err.Error(), "record jti") {
				t.Errorf("%s: %v", what, err)
			}
		}
		is(t, below, "t", "b", false)
	}
}

// A caller who went away before the list was begun has shown the assertion all the same.
func TestFinishOutlivesTheCaller(t *testing.T) {
	below, s := requests(t)
	ctx, leave := context.WithCancel(t.Context())
	ctx, unit := storage.Begin(ctx)
	if err := storage.Postpone(ctx, s, once("id")); err != nil {
		t.Fatal(err)
	}
	leave()
	below.fail = context.Canceled
	if err := s.Create(ctx, storage.Record{Kind: "t", ID: "a"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	below.fail = nil
	if err := unit.Finish(ctx); err != nil {
		t.Error(err)
	}
	is(t, below, "jti", "id", true)
	is(t, below, "t", "a", false)
}

// A swap that loses is made anew, and the list with it, so often and no more.
func TestAPostponedSwapIsMadeAnew(t *testing.T) {
	for losses, wins := range map[int]bool{0: true, 1: true, 3: true, 4: false} {
		below, s := requests(t)
		if err := s.Create(t.Context(), storage.Record{Kind: "pass", ID: "a"}); err != nil {
			t.Fatal(err)
		}
		version, asked := int64(1), 0
		if losses > 0 {
			version = 9
		}
		ctx, unit := storage.Begin(t.Context())
		err := storage.Postpone(ctx, s, storage.Postponed{Change: storage.Updating(storage.Record{Kind: "pass", ID: "a", Version: version}), Again: func(ctx context.Context, failed error) (storage.Change, error) {
			r, err := s.Get(ctx, "pass", "a") // the unit is held: this must not wait for it
			if !errors.Is(failed, storage.ErrConflict) || err != nil {
				return storage.Change{}, errors.Join(failed, err)
			}
			if asked++; asked < losses {
				r.Version = 9
			}
			return storage.Updating(r), nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		below.taken()
		err = s.Create(ctx, storage.Record{Kind: "t", ID: "b"})
		if (err == nil) != wins || errors.Is(err, storage.ErrConflict) || len(below.taken()) != min(losses+1, 4) {
			t.Errorf("%d losses: %v", losses, err)
		}
		if err := unit.Finish(ctx); (err == nil) != wins {
			t.Errorf("%d losses: at the end %v", losses, err)
		}
		is(t, below, "t", "b", wins)
	}
}

// Of requests that show the same at once, one does what it came for; of changes of one request at once, each is behind what
// was postponed.
func TestPostponedAtOnce(t *testing.T) {
	_, s := requests(t)
	const callers = 64
	errs := make([]error, callers)
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			ctx, unit := storage.Begin(t.Context())
			errs[i] = storage.Postpone(ctx, s, once("shared"))
			var own sync.WaitGroup
			for n := range 3 {
				own.Go(func() { _ = s.Create(ctx, storage.Record{Kind: "t", ID: fmt.Sprint(i, ".", n)}) })
			}
			own.Wait()
			errs[i] = errors.Join(errs[i], unit.Finish(ctx))
		})
	}
	all.Wait()
	won := 0
	for i, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, errReplayed) {
			t.Error(err)
		}
		for n := range 3 {
			is(t, s, "t", fmt.Sprint(i, ".", n), err == nil)
		}
	}
	if won != 1 {
		t.Errorf("%d callers won", won)
	}
}
