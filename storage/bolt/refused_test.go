package bolt

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"regain/storage"
)

// written is the number of the file's last transaction.
func written(t *testing.T, s *Store) (last int) {
	t.Helper()
	if err := s.db.View(func(tx *bbolt.Tx) error {
		last = tx.ID()
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return last
}

// A list that is refused by what is there writes nothing and waits for no disk, alone or beside others: whoever shows the same
// again and again costs those nothing who commit at the same time.
func TestARefusedListWritesNothing(t *testing.T) {
	s, _ := begun(t)
	refused := [][]storage.Change{
		{storage.Creating(storage.Record{Kind: "t", ID: "b"}), storage.Creating(storage.Record{Kind: "t", ID: "a"})},
		{storage.Creating(storage.Record{Kind: "t", ID: "b"}), storage.Counting("t", "a", time.Hour, 1)},
		{storage.Updating(storage.Record{Kind: "t", ID: "a", Version: 7})}, {storage.Consuming("t", "c")},
	}
	before := written(t, s)
	for _, list := range refused {
		if _, err := s.Commit(t.Context(), list); err == nil {
			t.Errorf("%v: made", list)
		}
	}
	if after := written(t, s); after != before {
		t.Errorf("%d transactions of lists that were refused", after-before)
	}
	const callers = 64
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			list := append([]storage.Change{storage.Creating(storage.Record{Kind: "own", ID: fmt.Sprint(i)})}, refused[i%4]...)
			if i%8 == 0 {
				list = list[:1]
			}
			_, err := s.Commit(t.Context(), list)
			if (err == nil) != (i%8 == 0) {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	all.Wait()
	for i := range callers {
		if _, err := s.Get(t.Context(), "own", fmt.Sprint(i)); errors.Is(err, storage.ErrNotFound) != (i%8 != 0) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if n := written(t, s) - before; n > callers/8 {
		t.Errorf("%d transactions for %d lists that were made", n, callers/8)
	}
	held, err := s.Held()
	if err != nil || held.Records != 1+callers/8 || held.Counters != 1 {
		t.Errorf("the file has %+v, %v", held, err)
	}
}
