package mongo_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"regain/storage"
	"regain/storage/mongo/mongotest"
)

// aList is one change of each kind, in the order of the commands that make them: insert, insert, update, update.
func aList(t *testing.T, f faulty) []storage.Change {
	t.Helper()
	for _, id := range []string{"updated", "consumed"} {
		must(t, f.other.Create(t.Context(), storage.Record{Kind: kind, ID: id, Data: []byte("one")}))
	}
	return []storage.Change{
		storage.Creating(storage.Record{Kind: kind, ID: "created"}), storage.Counting(kind, "count", time.Minute, 5),
		storage.Updating(storage.Record{Kind: kind, ID: "updated", Version: 1}), storage.Consuming(kind, "consumed"),
	}
}

// made says which changes of aList another node sees, "1" for each in their order; it counts once more.
func made(t *testing.T, s storage.Store) (seen string) {
	t.Helper()
	there := func(id string) int64 {
		r, err := s.Get(t.Context(), kind, id)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			t.Fatal(err)
		}
		return r.Version
	}
	n, err := s.Increment(t.Context(), kind, "count", time.Minute)
	must(t, err)
	return fmt.Sprint(there("created"), n-1, there("updated")-1, 1-there("consumed"))
}

// places are where a list can break: at each of its commands.
func places() map[int]mongotest.Fault {
	return map[int]mongotest.Fault{0: {Command: "insert"}, 1: {Command: "insert", Passed: 1}, 2: {Command: "update"}, 3: {Command: "update", Passed: 1}}
}

// A lost answer within a list doubles nothing and loses nothing: the list goes on behind it.
func TestLostAnswersOfAList(t *testing.T) {
	for at, fault := range places() {
		for _, deed := range []mongotest.Deed{mongotest.Lost, mongotest.Cut, mongotest.Late} {
			t.Run(fmt.Sprint(at, deed), func(t *testing.T) {
				t.Parallel()
				f := breakable(t, patient)
				list := aList(t, f)
				fault.Do = deed
				f.proxy.Inject(fault)
				results, err := f.Commit(t.Context(), list)
				must(t, err)
				if string(results[3].Record.Data) != "one" || results[1].Count != 1 {
					t.Errorf("got %+v", results)
				}
				_, err = f.proxy.Release()
				must(t, err)
				if seen := made(t, f.other); seen != "1 1 1 1" {
					t.Errorf("made %s", seen)
				}
			})
		}
	}
}

// The database goes away in the middle of a list, for good: the caller is told that nobody knows, and where; what stands
// before was made, and what stands behind was not.
func TestTheDatabaseLeavesInAList(t *testing.T) {
	for at, fault := range places() {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			t.Parallel()
			f := breakable(t, time.Second)
			list := aList(t, f)
			fault.Do, fault.Then, fault.Times = mongotest.Lost, func() { go f.proxy.Away(true) }, 9
			f.proxy.Inject(fault)
			_, err := f.Commit(t.Context(), list)
			var failed *storage.CommitError
			if !errors.Is(err, storage.ErrUncertain) || !errors.As(err, &failed) || failed.At != at || len(failed.Made) != at {
				t.Errorf("got %v", err)
			}
			want := []string{"1 0 0 0", "1 1 0 0", "1 1 1 0", "1 1 1 1"}[at] // with the one whose answer was lost
			if seen := made(t, f.other); seen != want {
				t.Errorf("made %s, want %s", seen, want)
			}
		})
	}
}

// Counters beyond their limit are refused and count nothing, whatever happens to the answers.
func TestLostAnswersAtALimit(t *testing.T) {
	for _, deed := range []mongotest.Deed{mongotest.Lost, mongotest.Cut, mongotest.Late} {
		f := breakable(t, patient)
		list := []storage.Change{storage.Counting(kind, "a", time.Minute, 2), storage.Creating(thing("one"))}
		counts(1)(t, f.other)
		f.proxy.Inject(mongotest.Fault{Command: "findAndModify", Do: deed})
		_, err := f.Commit(t.Context(), list)
		must(t, err)
		_, err = f.proxy.Release()
		must(t, err)
		must(t, f.other.Delete(t.Context(), kind, "a"))
		f.proxy.Inject(mongotest.Fault{Command: "findAndModify", Do: deed})
		if _, err := f.Commit(t.Context(), list); !errors.Is(err, storage.ErrOver) {
			t.Errorf("beyond the limit: %v", err)
		}
		_, err = f.proxy.Release()
		must(t, err)
		gone(t, f.other)
		counts(3)(t, f.other)
	}
}
