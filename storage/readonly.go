package storage

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// ErrReadOnly means that a change was refused because whoever asked for it may only look.
var ErrReadOnly = errors.New("refused a change that a safe method would have made (RFC 9110 §9.2.1)")

type readOnlyKey struct{}

// ReadOnly returns a context under which every [Guarded] store refuses changes with ErrReadOnly, and a function that
// reports whether one was refused.
func ReadOnly(ctx context.Context) (_ context.Context, refused func() bool) {
	noted := new(atomic.Bool)
	return context.WithValue(ctx, readOnlyKey{}, noted), noted.Load
}

// MayChange reports whether a context may make changes: what a node remembers beside its store is not to change either.
func MayChange(ctx context.Context) bool { return ctx.Value(readOnlyKey{}) == nil }

// Guarded is the store that requests are served from. It refuses the changes of a [ReadOnly] context: a handler need not know
// by which method it was called, and one that is written tomorrow cannot forget it. And with each change it makes those that
// were postponed for the same request (see [Postpone]).
type Guarded struct{ Store }

// change makes a change, unless the context may make none.
func change(ctx context.Context, do func() error) error {
	if noted, ok := ctx.Value(readOnlyKey{}).(*atomic.Bool); ok {
		noted.Store(true)
		return ErrReadOnly
	}
	return do()
}

// one makes a change, with those that were postponed.
func (g Guarded) one(ctx context.Context, c Change) (made Result, err error) {
	err = change(ctx, func() error {
		u := unitOf(ctx)
		if u == nil || u.idle() {
			made, err = MakeOne(ctx, g.Store, c)
			return err
		}
		results, err := u.make(ctx, g.Store, []Change{c})
		var failed *CommitError
		switch {
		case errors.As(err, &failed): // there is one change that the caller knows of
			return failed.Err
		case err != nil:
			return err
		}
		made = results[0]
		return nil
	})
	return made, err
}

// Create implements Store.
func (g Guarded) Create(ctx context.Context, r Record) error {
	_, err := g.one(ctx, Creating(r))
	return err
}

// Update implements Store.
func (g Guarded) Update(ctx context.Context, r Record) error {
	_, err := g.one(ctx, Updating(r))
	return err
}

// Consume implements Store.
func (g Guarded) Consume(ctx context.Context, kind Kind, id string) (Record, error) {
	made, err := g.one(ctx, Consuming(kind, id))
	return made.Record, err
}

// Delete implements Store.
func (g Guarded) Delete(ctx context.Context, kind Kind, id string) error {
	_, err := g.one(ctx, Deleting(kind, id))
	return err
}

// Increment implements Store.
func (g Guarded) Increment(ctx context.Context, kind Kind, id string, window time.Duration) (int64, error) {
	made, err := g.one(ctx, Counting(kind, id, window, 0))
	return made.Count, err
}

// Commit implements Store.
func (g Guarded) Commit(ctx context.Context, changes []Change) (results []Result, err error) {
	err = change(ctx, func() error {
		if u := unitOf(ctx); u != nil && !u.idle() {
			results, err = u.make(ctx, g.Store, changes)
		} else {
			results, err = g.Store.Commit(ctx, changes)
		}
		return err
	})
	return results, err
}

// Get implements Store.
func (g Guarded) Get(ctx context.Context, kind Kind, id string) (Record, error) {
	if err := unitOf(ctx).before(ctx, func(r Record) bool { return r.Kind == kind && r.ID == id }); err != nil {
		return Record{}, err
	}
	return g.Store.Get(ctx, kind, id)
}

// List implements Store.
func (g Guarded) List(ctx context.Context, kind Kind, group, after string, limit int) ([]Record, error) {
	if err := unitOf(ctx).before(ctx, func(r Record) bool { return r.Kind == kind && (r.Group == group || r.Group == "") }); err != nil {
		return nil, err
	}
	return g.Store.List(ctx, kind, group, after, limit)
}
