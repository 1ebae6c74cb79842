package bolt

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"go.etcd.io/bbolt"

	"regain/storage"
)

// call is a list of changes, and who waits for it.
type call struct {
	changes []storage.Change
	found   []found
	results []storage.Result
	refused error         // by what is there; nothing of the list was made then
	woken   chan struct{} // when it is done, or is the first of those that are to be committed next
	done    bool
	err     error
}

// batch commits changes that come at the same time together, since each commit waits for the disk: those that come while
// one is under way are the next. bbolt's own Batch waits 10 ms for more of them, and commits in a goroutine in which a
// damaged page ends the process. Here one of the callers commits for all: a goroutine for each commit would grow its
// stack each time.
type batch struct {
	damaged atomic.Pointer[error] // why nothing more is written

	mu      sync.Mutex
	pending []*call
	running bool
	sum     *sum // of the file, known to whoever commits; nil where it has to be read
}

// update makes a list of changes durably, or none of it.
func (s *Store) update(changes []storage.Change) ([]storage.Result, error) {
	c := &call{changes: changes, found: make([]found, len(changes)), results: make([]storage.Result, len(changes)), woken: make(chan struct{}, 1)}
	b := &s.batch
	b.mu.Lock()
	b.pending = append(b.pending, c)
	first := !b.running
	b.running = true
	b.mu.Unlock()
	if !first {
		<-c.woken
	}
	if !c.done {
		s.lead()
	}
	if c.err != nil {
		return nil, c.err
	}
	return c.results, nil
}

// lead commits what is pending, and leaves what has come meanwhile to the first of those who wait for it.
func (s *Store) lead() {
	b := &s.batch
	b.mu.Lock()
	calls := b.pending
	b.pending = nil
	b.mu.Unlock()
	s.commit(calls)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running = len(b.pending) > 0; b.running {
		b.pending[0].woken <- struct{}{}
	}
}

// finish tells a caller what became of its change.
func (c *call) finish(err error) {
	c.done, c.err = true, err
	c.woken <- struct{}{}
}

// commit commits lists in one transaction, without those that fail.
func (s *Store) commit(calls []*call) {
	for len(calls) > 0 {
		failed, err := s.attempt(calls)
		if failed >= 0 {
			calls[failed].finish(err)
			calls = slices.Delete(calls, failed, failed+1)
			continue
		}
		if err != nil {
			err = fmt.Errorf("write to store: %w", err)
		}
		for _, c := range calls {
			if c.refused != nil {
				c.finish(c.refused)
			} else {
				c.finish(err)
			}
		}
		return
	}
}

// errNothing ends a transaction in which every list was refused: there is nothing to wait for the disk for.
var errNothing = errors.New("nothing was changed")

// attempt commits lists in one transaction. A list that is refused by what is there has changed nothing, and is left out.
// Where one fails in the middle, failed is its place: it rolls back all of them, and the others run again.
func (s *Store) attempt(calls []*call) (failed int, err error) {
	failed = -1
	var changed *sum
	err = s.write(func(tx *bbolt.Tx) error {
		now, steady := s.clock(), s.steady.Now()
		if changed, err = s.batch.known(tx, s.seal); err != nil {
			return err
		}
		t, made := table{tx, changed}, false
		for i, c := range calls {
			if c.refused = t.refuses(c, now, steady); c.refused != nil {
				continue
			}
			made = true
			if err := t.apply(c, steady); err != nil {
				failed = i
				return err
			}
		}
		if !made {
			return errNothing
		}
		if err := t.sweep(steady); err != nil {
			return err
		}
		return changed.store(tx, s.seal)
	})
	switch {
	case errors.Is(err, errNothing):
		return -1, nil
	case err == nil:
		s.batch.sum = changed
	case failed < 0:
		s.batch.sum = nil // whether the file has the old sum or the new one, only the file knows
	}
	return failed, err
}

// known returns a copy of the file's sum. It is read once, since nobody else writes to the file: its lock is held.
func (b *batch) known(tx *bbolt.Tx, seal Seal) (*sum, error) {
	if b.sum == nil {
		return load(tx, seal)
	}
	s := *b.sum
	return &s, nil
}

// write runs one transaction. After a panic nothing is written any more: nobody knows what the pages are worth, and
// whether bbolt gave its locks back.
func (s *Store) write(do func(tx *bbolt.Tx) error) error {
	if why := s.batch.damaged.Load(); why != nil {
		return *why
	}
	panicked := true
	err := guarded(s.path, func() error {
		err := s.db.Update(do)
		panicked = false
		return err
	})
	if panicked {
		s.batch.damaged.Store(&err)
	}
	return err
}
