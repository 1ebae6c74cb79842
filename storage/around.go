package storage

import (
	"context"
	"time"
)

// Around is a store whose changes pass through a function, which may watch them, refuse them, or make others with them. What
// is read does not.
type Around struct {
	Store
	// Pass is called with a change, or with a list of them that is committed, and with what makes it in Store. It returns the
	// results, one for each change.
	Pass func(ctx context.Context, changes []Change, do func() ([]Result, error)) ([]Result, error)
}

// one makes a single change. That Pass may have committed it in a list is nothing that the caller knows of.
func (a Around) one(ctx context.Context, c Change) (Result, error) {
	return Only(a.Pass(ctx, []Change{c}, func() ([]Result, error) {
		made, err := MakeOne(ctx, a.Store, c)
		return []Result{made}, err
	}))
}

// Create implements Store.
func (a Around) Create(ctx context.Context, r Record) error {
	_, err := a.one(ctx, Creating(r))
	return err
}

// Update implements Store.
func (a Around) Update(ctx context.Context, r Record) error {
	_, err := a.one(ctx, Updating(r))
	return err
}

// Consume implements Store.
func (a Around) Consume(ctx context.Context, kind Kind, id string) (Record, error) {
	made, err := a.one(ctx, Consuming(kind, id))
	return made.Record, err
}

// Delete implements Store.
func (a Around) Delete(ctx context.Context, kind Kind, id string) error {
	_, err := a.one(ctx, Deleting(kind, id))
	return err
}

// Increment implements Store.
func (a Around) Increment(ctx context.Context, kind Kind, id string, window time.Duration) (int64, error) {
	made, err := a.one(ctx, Counting(kind, id, window, 0))
	return made.Count, err
}

// Commit implements Store.
func (a Around) Commit(ctx context.Context, changes []Change) ([]Result, error) {
	return a.Pass(ctx, changes, func() ([]Result, error) { return a.Store.Commit(ctx, changes) })
}
