package node

import (
	"context"
	"errors"

	"regain/adapters/localpass"
	"regain/storage"
)

const kindPass = storage.Kind("pass")

// passStore stores the passes of adapters/localpass in the node's store. It is here because adapters and storage do
// not import each other.
type passStore struct{ store storage.Store }

var _ localpass.Store = passStore{}

func (s passStore) Put(ctx context.Context, e localpass.Entry) error {
	const tries = 4 // a concurrent Put may win in between
	var err error
	for range tries {
		if err = s.store.Create(ctx, record(e)); !errors.Is(err, storage.ErrExists) { // most accounts have none: one write
			return err
		}
		if err := s.store.Delete(ctx, kindPass, e.Key); err != nil {
			return err
		}
	}
	return err
}

func (s passStore) Get(ctx context.Context, key string) (localpass.Entry, error) {
	r, err := s.store.Get(ctx, kindPass, key)
	return entry(r), err
}

func (s passStore) Update(ctx context.Context, e localpass.Entry) error {
	return s.store.Update(ctx, record(e))
}

func (s passStore) Take(ctx context.Context, key string) (localpass.Entry, error) {
	r, err := s.store.Consume(ctx, kindPass, key)
	return entry(r), err
}

func record(e localpass.Entry) storage.Record {
	return storage.Record{Kind: kindPass, ID: e.Key, Version: e.Version, Data: e.Data, ExpiresAt: e.ExpiresAt}
}

func entry(r storage.Record) localpass.Entry {
	return localpass.Entry{Key: r.ID, Version: r.Version, Data: r.Data, ExpiresAt: r.ExpiresAt}
}
