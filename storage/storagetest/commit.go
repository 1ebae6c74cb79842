package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"regain/storage"
)

// commits are the rules of Commit. A backend without transactions may have made what stands before the change that failed,
// and says so; AllOrNone is for the others.
func commits() map[string]func(*testing.T, storage.Store, *Clock) {
	return map[string]func(*testing.T, storage.Store, *Clock){
		"a list makes all":                       listMakesAll,
		"an empty list":                          emptyList,
		"a list fails at each place":             func(t *testing.T, s storage.Store, c *Clock) { listFails(t, s, c, false) },
		"a record is in a list once":             listNamesOnce,
		"a list copies bytes":                    listCopies,
		"one list of sixteen wins":               func(t *testing.T, s storage.Store, _ *Clock) { listsRace(t, s, few) },
		"one list of sixty-four wins":            func(t *testing.T, s storage.Store, _ *Clock) { listsRace(t, s, many) },
		"as many lists as a limit allows win":    listsWithinLimit,
		"a limit ends with its window":           limitEnds,
		"lists and single changes at once":       listsAmongOthers,
		"a caller of lists who went away":        listCancelled,
		"a list whose caller makes it once more": listAgain,
	}
}

// AllOrNone checks that a list that fails has changed nothing.
func AllOrNone(t *testing.T, s storage.Store, clock *Clock) {
	t.Helper()
	listFails(t, s, clock, true)
}

// prepared is a list of one change of each kind, under names of its own, and what it needs to be there before.
func prepared(t *testing.T, s storage.Store, name string) []storage.Change {
	t.Helper()
	for _, id := range []string{"updated", "consumed", "deleted"} {
		must(t, s.Create(t.Context(), record(id+name, "old")))
	}
	swapped := record("updated"+name, "new")
	swapped.Version = 1
	created := record("created"+name, "new")
	created.Group = "g" + name
	return []storage.Change{
		storage.Creating(created), storage.Counting(kind, "count"+name, time.Hour, 3), storage.Updating(swapped), storage.Consuming(kind, "consumed"+name),
		storage.Counting(kind, "count without limit"+name, time.Hour, 0), storage.Deleting(kind, "deleted"+name),
	}
}

// madeOf looks at what a prepared change left: whether it was made. Counters are counted once more.
func madeOf(t *testing.T, s storage.Store, c storage.Change) bool {
	t.Helper()
	if c.Operation == storage.OpIncrement {
		n, err := s.Increment(t.Context(), kind, c.Record.ID, time.Hour)
		must(t, err)
		return n > 1
	}
	r, err := s.Get(t.Context(), kind, c.Record.ID)
	if err != nil {
		want(t, err, storage.ErrNotFound)
	}
	switch c.Operation {
	case storage.OpCreate, storage.OpUpdate:
		return string(r.Data) == "new"
	default:
		return err != nil
	}
}

func listMakesAll(t *testing.T, s storage.Store, _ *Clock) {
	list := prepared(t, s, "")
	results, err := s.Commit(t.Context(), list)
	must(t, err)
	for i, c := range list {
		if !madeOf(t, s, c) {
			t.Errorf("%s was not made", c.Operation)
		}
		switch got := results[i]; c.Operation {
		case storage.OpConsume:
			if string(got.Record.Data) != "old" || got.Record.ID != "consumed" || got.Record.Version != 1 {
				t.Errorf("consumed %+v", got.Record)
			}
		case storage.OpIncrement:
			if got.Count != 1 {
				t.Errorf("%s counts %d", c.Record.ID, got.Count)
			}
		default:
		}
	}
	expect(t, s, "created", "new", 1)
	expect(t, s, "updated", "new", 2)
	in, err := s.List(t.Context(), kind, "g", "", 9)
	must(t, err)
	if len(in) != 1 || in[0].ID != "created" {
		t.Errorf("the group has %v", in)
	}
}

func emptyList(t *testing.T, s storage.Store, _ *Clock) {
	results, err := s.Commit(t.Context(), nil)
	must(t, err)
	if len(results) != 0 {
		t.Errorf("results of nothing: %v", results)
	}
}

// listFails puts each change that cannot be made at each place of a list that can.
func listFails(t *testing.T, s storage.Store, clock *Clock, allOrNone bool) {
	t.Helper()
	must(t, s.Create(t.Context(), record("taken", "other")))
	ends := record("expired", "other")
	ends.ExpiresAt = clock.Now().Add(time.Minute)
	must(t, s.Create(t.Context(), ends))
	clock.Turn(time.Minute)
	for range 3 {
		_, err := s.Increment(t.Context(), kind, "full", 100*time.Hour)
		must(t, err)
	}
	newer, none, late := record("taken", "new"), record("nothing", "new"), record("expired", "new")
	newer.Version, none.Version, late.Version = 2, 1, 1
	for name, row := range map[string]struct {
		change storage.Change
		cause  error
	}{
		"create what is there":   {storage.Creating(record("taken", "new")), storage.ErrExists},
		"update another version": {storage.Updating(newer), storage.ErrConflict},
		"update nothing":         {storage.Updating(none), storage.ErrNotFound},
		"update what expired":    {storage.Updating(late), storage.ErrNotFound},
		"consume nothing":        {storage.Consuming(kind, "nothing"), storage.ErrNotFound},
		"consume what expired":   {storage.Consuming(kind, "expired"), storage.ErrNotFound},
		"count beyond a limit":   {storage.Counting(kind, "full", 100*time.Hour, 3), storage.ErrOver},
	} {
		for at := range 7 {
			good := prepared(t, s, fmt.Sprint(name, at))
			_, err := s.Commit(t.Context(), slices.Insert(slices.Clone(good), at, row.change))
			made := failedAt(t, err, at, row.cause)
			if allOrNone && len(made) > 0 {
				t.Errorf("%s at %d: %d changes were made", name, at, len(made))
			}
			for i, c := range good {
				place := i
				if i >= at {
					place++
				}
				_, told := made[place]
				if there := madeOf(t, s, c); there != told {
					t.Errorf("%s at %d: %s at %d was made: %t, and the error says %t", name, at, c.Operation, place, there, told)
				}
			}
		}
	}
	expect(t, s, "taken", "other", 1)
	if n, err := s.Increment(t.Context(), kind, "full", 100*time.Hour); n != 4 || err != nil {
		t.Errorf("the full counter has %d, %v, want 4", n, err)
	}
}

// failedAt checks the error of a list, and returns what was made all the same.
func failedAt(t *testing.T, err error, at int, cause error) map[int]storage.Result {
	t.Helper()
	var failed *storage.CommitError
	if !errors.As(err, &failed) || !errors.Is(err, cause) || failed.At != at {
		t.Errorf("got %v, want %v at %d", err, cause, at)
		return nil
	}
	for i := range at {
		if _, made := failed.Made[i]; made != (len(failed.Made) > 0) {
			t.Errorf("made %v: neither none nor all before %d", failed.Made, at)
		}
	}
	return failed.Made
}

func listNamesOnce(t *testing.T, s storage.Store, _ *Clock) {
	must(t, s.Create(t.Context(), record("a", "one")))
	changed := record("a", "two")
	changed.Version = 1
	for name, list := range map[string][]storage.Change{
		"a record":              {storage.Creating(record("b", "")), storage.Updating(changed), storage.Consuming(kind, "a")},
		"a new record":          {storage.Creating(record("b", "")), storage.Creating(record("b", ""))},
		"a counter":             {storage.Creating(record("b", "")), storage.Counting(kind, "c", time.Hour, 0), storage.Counting(kind, "c", time.Hour, 9)},
		"an unknown operation":  {storage.Creating(record("b", "")), {Operation: "rename", Record: record("a", "")}},
		"no operation":          {storage.Creating(record("b", "")), {Record: record("a", "")}},
		"deleted after created": {storage.Creating(record("b", "")), storage.Deleting(kind, "b")},
	} {
		if _, err := s.Commit(t.Context(), list); err == nil {
			t.Errorf("%s: no error", name)
		}
		hasRecord(t, s, "b", false)
	}
	expect(t, s, "a", "one", 1)
	_, err := s.Commit(t.Context(), []storage.Change{storage.Updating(changed), storage.Counting(kind, "a", time.Hour, 0)}) // a counter is no record
	must(t, err)
}

func listCopies(t *testing.T, s storage.Store, _ *Clock) {
	r := record("a", "one")
	_, err := s.Commit(t.Context(), []storage.Change{storage.Creating(r)})
	must(t, err)
	r.Data[0] = 'X'
	expect(t, s, "a", "one", 1)
}

// listsRace has each caller make a record of its own, and swap one that all want, which is the decisive one and last.
func listsRace(t *testing.T, s storage.Store, callers int) {
	t.Helper()
	must(t, s.Create(t.Context(), record("shared", "one")))
	made := make([]bool, callers)
	errs := crowd(callers, func(caller int) error {
		r := record("shared", fmt.Sprint("of ", caller))
		r.Version = 1
		_, err := s.Commit(t.Context(), []storage.Change{
			storage.Counting(kind, "tried", time.Hour, 0), storage.Creating(record(fmt.Sprint(caller), "own")), storage.Updating(r),
		})
		var failed *storage.CommitError
		if errors.As(err, &failed) {
			_, made[caller] = failed.Made[1]
		}
		return err
	})
	if won := winners(t, errs, storage.ErrConflict); won != 1 {
		t.Errorf("%d lists won", won)
	}
	winner := slices.IndexFunc(errs, func(err error) bool { return err == nil })
	expect(t, s, "shared", fmt.Sprint("of ", winner), 2)
	for caller := range callers {
		hasRecord(t, s, fmt.Sprint(caller), caller == winner || made[caller])
	}
}

func listsWithinLimit(t *testing.T, s storage.Store, _ *Clock) {
	const limit = 10
	errs := crowd(many, func(caller int) error {
		_, err := s.Commit(t.Context(), []storage.Change{storage.Counting(kind, "limit", time.Hour, limit), storage.Creating(record(fmt.Sprint(caller), "own"))})
		return err
	})
	if won := winners(t, errs, storage.ErrOver); won != limit {
		t.Errorf("%d lists won, want %d", won, limit)
	}
	for caller, err := range errs {
		hasRecord(t, s, fmt.Sprint(caller), err == nil)
	}
	if n, err := s.Increment(t.Context(), kind, "limit", time.Hour); n != limit+1 || err != nil {
		t.Errorf("the counter has %d, %v: those beyond the limit are not counted", n, err)
	}
}

func limitEnds(t *testing.T, s storage.Store, clock *Clock) {
	hit := func(cause error) {
		t.Helper()
		if _, err := s.Commit(t.Context(), []storage.Change{storage.Counting(kind, "a", time.Minute, 1)}); !errors.Is(err, cause) {
			t.Errorf("got %v, want %v", err, cause)
		}
	}
	hit(nil)
	hit(storage.ErrOver)
	clock.Turn(time.Minute)
	hit(nil)
	hit(storage.ErrOver)
}

// listsAmongOthers has lists and single changes swap the same record: no swap is lost.
func listsAmongOthers(t *testing.T, s storage.Store, _ *Clock) {
	must(t, s.Create(t.Context(), record("a", "")))
	for _, err := range crowd(few, func(caller int) error {
		for {
			r, err := s.Get(t.Context(), kind, "a")
			if err != nil {
				return err
			}
			r.Data = append(r.Data, 'x')
			if caller%2 == 0 {
				err = s.Update(t.Context(), r)
			} else {
				_, err = s.Commit(t.Context(), []storage.Change{storage.Updating(r), storage.Creating(record(fmt.Sprint(caller), ""))})
			}
			if !errors.Is(err, storage.ErrConflict) {
				return err
			}
		}
	}) {
		must(t, err)
	}
	expect(t, s, "a", "xxxxxxxxxxxxxxxx", few+1)
}

func listCancelled(t *testing.T, s storage.Store, _ *Clock) {
	for i := range many {
		ctx, cancel := context.WithCancel(t.Context())
		if i%4 == 0 {
			cancel() // before it begins
		} else {
			time.AfterFunc(time.Duration(i)*20*time.Microsecond, cancel)
		}
		a, b := fmt.Sprint("a", i), fmt.Sprint("b", i)
		_, err := s.Commit(ctx, []storage.Change{storage.Creating(record(a, "")), storage.Creating(record(b, ""))})
		there := outcome(t, err, true, false)
		hasRecord(t, s, a, there)
		hasRecord(t, s, b, there)
		cancel()
	}
}

// listAgain is what a caller meets who was told storage.ErrUncertain, and makes the list again that was made.
func listAgain(t *testing.T, s storage.Store, _ *Clock) {
	list := prepared(t, s, "")
	_, err := s.Commit(t.Context(), list)
	must(t, err)
	_, err = s.Commit(t.Context(), list)
	failedAt(t, err, 0, storage.ErrExists)
	if n, err := s.Increment(t.Context(), kind, "count", time.Hour); n != 2 || err != nil {
		t.Errorf("the counter has %d, %v", n, err)
	}
}
