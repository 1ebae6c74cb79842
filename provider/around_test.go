package provider_test

import (
	"context"
	"time"

	"regain/storage"
)

// aroundStore has do carry out each operation of a store: before it, after it, or not at all, as a fault has it.
type aroundStore struct {
	storage.Store
	do func(work func() error) error
}

func (s aroundStore) Create(ctx context.Context, r storage.Record) error {
	return s.do(func() error { return s.Store.Create(ctx, r) })
}

func (s aroundStore) Update(ctx context.Context, r storage.Record) error {
	return s.do(func() error { return s.Store.Update(ctx, r) })
}

func (s aroundStore) Delete(ctx context.Context, kind storage.Kind, id string) error {
	return s.do(func() error { return s.Store.Delete(ctx, kind, id) })
}

func (s aroundStore) Get(ctx context.Context, kind storage.Kind, id string) (r storage.Record, err error) {
	err = s.do(func() error { r, err = s.Store.Get(ctx, kind, id); return err })
	return r, err
}

func (s aroundStore) Consume(ctx context.Context, kind storage.Kind, id string) (r storage.Record, err error) {
	err = s.do(func() error { r, err = s.Store.Consume(ctx, kind, id); return err })
	return r, err
}

func (s aroundStore) Increment(ctx context.Context, kind storage.Kind, id string, window time.Duration) (n int64, err error) {
	err = s.do(func() error { n, err = s.Store.Increment(ctx, kind, id, window); return err })
	return n, err
}

// Commit makes a list with its last change: a fault before another one leaves nothing of it, as in a store that makes all or
// none. See TestEveryPrefixOfACommitIsSafe for one that does not.
func (s aroundStore) Commit(ctx context.Context, changes []storage.Change) (results []storage.Result, err error) {
	for range changes[1:] {
		if err := s.do(func() error { return nil }); err != nil {
			return nil, err
		}
	}
	err = s.do(func() error { results, err = s.Store.Commit(ctx, changes); return err })
	return results, err
}
