package mongo

import (
	"context"
	"fmt"
	"sync"

	"regain/storage"
)

// Commit implements storage.Store without a transaction (docs/decisions/0006-commits.md): the changes are made in their
// order, each by its own command and with its own operation id, and the first that fails is the last. Counters that follow
// each other are incremented at once. A list that was begun goes on when its caller's context ends.
func (s *Store) Commit(ctx context.Context, changes []storage.Change) ([]storage.Result, error) {
	if err := storage.Apart(changes); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("mongo store: commit: %w", err)
	}
	ctx = context.WithoutCancel(ctx)
	results, made := make([]storage.Result, len(changes)), make(map[int]storage.Result, len(changes))
	for from := 0; from < len(changes); {
		next, at, err := alike(changes[from:]), -1, error(nil)
		for i, failed := range s.atOnce(ctx, changes[from:from+next], results[from:from+next]) {
			switch {
			case failed == nil:
				made[from+i] = results[from+i]
			case err == nil || settled(err) && !settled(failed): // that the database is away says more than that a limit is reached
				at, err = from+i, failed
			}
		}
		if err != nil {
			return nil, &storage.CommitError{At: at, Err: err, Made: made}
		}
		from += next
	}
	return results, nil
}

// alike is how many of the first changes are made at once: one, or the counters that follow each other, those with a limit
// apart from those without, which are not to be counted where one of the first is over.
func alike(changes []storage.Change) int {
	counter := func(c storage.Change) bool {
		return c.Operation == storage.OpIncrement && (c.Max != 0) == (changes[0].Max != 0)
	}
	n := 0
	for n < len(changes) && counter(changes[n]) {
		n++
	}
	return max(n, 1)
}

// atOnce makes changes at once, and returns the error of each.
func (s *Store) atOnce(ctx context.Context, changes []storage.Change, results []storage.Result) []error {
	problems := make([]error, len(changes))
	if len(changes) == 1 {
		results[0], problems[0] = s.one(ctx, changes[0])
		return problems
	}
	var all sync.WaitGroup
	for i, c := range changes {
		all.Go(func() { results[i], problems[i] = s.one(ctx, c) })
	}
	all.Wait()
	return problems
}

func (s *Store) one(ctx context.Context, c storage.Change) (storage.Result, error) {
	if c.Operation != storage.OpIncrement {
		return storage.MakeOne(ctx, s, c)
	}
	count, err := s.count(ctx, c)
	return storage.Result{Count: count}, err
}
