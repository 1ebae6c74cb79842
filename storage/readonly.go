package storage

import (
	"context"
	"errors"
	"sync/atomic"
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
type Guarded struct{ Around }

// Guard returns the store that requests are served from, over the one that has their records.
func Guard(s Store) Guarded {
	return Guarded{Around{Store: s, Pass: func(ctx context.Context, changes []Change, do func() ([]Result, error)) (results []Result, err error) {
		err = change(ctx, func() error {
			if u := unitOf(ctx); u != nil && !u.idle() {
				results, err = u.make(ctx, s, changes)
			} else {
				results, err = do()
			}
			return err
		})
		return results, err
	}}}
}

// change makes a change, unless the context may make none.
func change(ctx context.Context, do func() error) error {
	if noted, ok := ctx.Value(readOnlyKey{}).(*atomic.Bool); ok {
		noted.Store(true)
		return ErrReadOnly
	}
	return do()
}

// Get implements Store.
func (g Guarded) Get(ctx context.Context, kind Kind, id string) (Record, error) {
	if err := unitOf(ctx).before(ctx, same(Record{Kind: kind, ID: id})); err != nil {
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
