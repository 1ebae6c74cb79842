package provider_test

import (
	"context"

	"regain/storage"
)

// aroundStore has do carry out each operation of a store: before it, after it, or not at all, as a fault has it.
type aroundStore struct {
	storage.Around
	do func(work func() error) error
}

// around puts do around a store. A list is made with its last change: a fault before another one leaves nothing of it, as in a
// store that makes all or none. See TestEveryPrefixOfACommitIsSafe for one that does not.
func around(store storage.Store, do func(work func() error) error) aroundStore {
	return aroundStore{do: do, Around: storage.Around{Store: store, Pass: func(_ context.Context, changes []storage.Change, make func() ([]storage.Result, error)) (results []storage.Result, err error) {
		for range changes[1:] {
			if err := do(func() error { return nil }); err != nil {
				return nil, err
			}
		}
		err = do(func() error { results, err = make(); return err })
		return results, err
	}}}
}

func (s aroundStore) Get(ctx context.Context, kind storage.Kind, id string) (r storage.Record, err error) {
	err = s.do(func() error { r, err = s.Store.Get(ctx, kind, id); return err })
	return r, err
}
