package storage

import (
	"context"
	"errors"
	"time"
)

// Singles has the methods that make one change, for a store that makes them as it makes lists. Make makes one; its error is
// that of the change, and no CommitError.
type Singles struct {
	Make func(ctx context.Context, c Change) (Result, error)
}

// Only returns what a list of one came to, with the error of its change.
func Only(results []Result, err error) (Result, error) {
	var failed *CommitError
	switch {
	case errors.As(err, &failed):
		return Result{}, failed.Err
	case err != nil:
		return Result{}, err
	}
	return results[0], nil
}

// Create implements Store.
func (s Singles) Create(ctx context.Context, r Record) error {
	_, err := s.Make(ctx, Creating(r))
	return err
}

// Update implements Store.
func (s Singles) Update(ctx context.Context, r Record) error {
	_, err := s.Make(ctx, Updating(r))
	return err
}

// Consume implements Store.
func (s Singles) Consume(ctx context.Context, kind Kind, id string) (Record, error) {
	made, err := s.Make(ctx, Consuming(kind, id))
	return made.Record, err
}

// Delete implements Store.
func (s Singles) Delete(ctx context.Context, kind Kind, id string) error {
	_, err := s.Make(ctx, Deleting(kind, id))
	return err
}

// Increment implements Store.
func (s Singles) Increment(ctx context.Context, kind Kind, id string, window time.Duration) (int64, error) {
	made, err := s.Make(ctx, Counting(kind, id, window, 0))
	return made.Count, err
}
