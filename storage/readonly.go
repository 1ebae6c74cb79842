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

// Guarded is the store that requests are served from. It passes everything on but the changes of a [ReadOnly] context: a
// handler need not know by which method it was called, and one that is written tomorrow cannot forget it.
type Guarded struct{ Store }

// change makes a change, unless the context may make none.
func change(ctx context.Context, do func() error) error {
	if noted, ok := ctx.Value(readOnlyKey{}).(*atomic.Bool); ok {
		noted.Store(true)
		return ErrReadOnly
	}
	return do()
}

// Create implements Store.
func (g Guarded) Create(ctx context.Context, r Record) error {
	return change(ctx, func() error { return g.Store.Create(ctx, r) })
}

// Update implements Store.
func (g Guarded) Update(ctx context.Context, r Record) error {
	return change(ctx, func() error { return g.Store.Update(ctx, r) })
}

// Consume implements Store.
func (g Guarded) Consume(ctx context.Context, kind Kind, id string) (r Record, err error) {
	err = change(ctx, func() (err error) {
		r, err = g.Store.Consume(ctx, kind, id)
		return err
	})
	return r, err
}

// Delete implements Store.
func (g Guarded) Delete(ctx context.Context, kind Kind, id string) error {
	return change(ctx, func() error { return g.Store.Delete(ctx, kind, id) })
}

// Increment implements Store.
func (g Guarded) Increment(ctx context.Context, kind Kind, id string, window time.Duration) (n int64, err error) {
	err = change(ctx, func() (err error) {
		n, err = g.Store.Increment(ctx, kind, id, window)
		return err
	})
	return n, err
}
