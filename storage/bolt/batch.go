package bolt

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
)

// call is one change, and who waits for it.
type call struct {
	change func(tx table, now time.Time) error
	done   chan error
}

// batch commits changes that come at the same time together, since each commit waits for the disk: those that come while
// one is under way are the next. bbolt's own Batch waits 10 ms for more of them, and commits in a goroutine in which a
// damaged page ends the process.
type batch struct {
	damaged atomic.Pointer[error] // why nothing more is written

	mu      sync.Mutex
	pending []*call
	running bool
}

// update runs one durable change. It may run more than once, and its last run counts.
func (s *Store) update(change func(tx table, now time.Time) error) error {
	c := &call{change: change, done: make(chan error, 1)}
	b := &s.batch
	b.mu.Lock()
	b.pending = append(b.pending, c)
	first := !b.running
	b.running = true
	b.mu.Unlock()
	if first {
		go s.commitAll()
	}
	return <-c.done
}

// commitAll commits until nothing is pending.
func (s *Store) commitAll() {
	b := &s.batch
	for {
		b.mu.Lock()
		calls := b.pending
		b.pending = nil
		b.running = len(calls) > 0
		b.mu.Unlock()
		if len(calls) == 0 {
			return
		}
		s.commit(calls)
	}
}

// commit commits changes in one transaction, without those that fail.
func (s *Store) commit(calls []*call) {
	for len(calls) > 0 {
		failed := -1
		err := s.write(func(tx *bbolt.Tx) error {
			now := s.clock()
			sum, err := load(tx, s.seal)
			if err != nil {
				return err
			}
			t := table{tx, sum}
			for i, c := range calls {
				if err := c.change(t, now); err != nil {
					failed = i
					return err // it rolls back all of them, and the others run again
				}
			}
			if err := t.sweep(s.steady.Now()); err != nil {
				return err
			}
			return sum.store(tx, s.seal)
		})
		if failed >= 0 {
			calls[failed].done <- err
			calls = slices.Delete(calls, failed, failed+1)
			continue
		}
		if err != nil {
			err = fmt.Errorf("write to store: %w", err)
		}
		for _, c := range calls {
			c.done <- err
		}
		return
	}
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
