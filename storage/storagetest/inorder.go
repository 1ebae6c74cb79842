package storagetest

import (
	"context"

	"regain/storage"
)

// InOrder is a model of a backend without transactions, over one that has them: it makes a list one change after the other,
// and stops at the first that fails. It models no lost answers but those of Before.
type InOrder struct {
	storage.Store
	// Before is asked before each change of a list with its place, and after the last one with the length of the list; its
	// error ends the list there. nil has no objection.
	Before func(at int, changes []storage.Change) error
}

// Commit implements storage.Store.
func (s InOrder) Commit(ctx context.Context, changes []storage.Change) ([]storage.Result, error) {
	if err := storage.Apart(changes); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err //nolint:wrapcheck // a model's
	}
	results, made := make([]storage.Result, len(changes)), make(map[int]storage.Result)
	for i := range len(changes) + 1 {
		var err error
		if s.Before != nil {
			err = s.Before(i, changes)
		}
		if err == nil && i < len(changes) {
			results[i], err = storage.MakeOne(ctx, s.Store, changes[i])
		}
		if err != nil {
			return nil, &storage.CommitError{At: min(i, len(changes)-1), Err: err, Made: made}
		}
		if i < len(changes) {
			made[i] = results[i]
		}
	}
	return results, nil
}
