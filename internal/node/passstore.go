package node

import (
	"context"
	"errors"
	"time"

	"regain/adapters/localpass"
	"regain/recovery"
	"regain/storage"
)

const (
	kindPass        = storage.Kind("pass")
	kindPassGuesses = storage.Kind("pass-guesses")
)

// passStore stores the passes of adapters/localpass in the node's store. It is here because adapters and storage do
// not import each other.
type passStore struct{ store storage.Store }

var _ localpass.Store = passStore{}

// Put keeps the version counting where there is an entry, so that a verification that read the old pass cannot use up
// the new one.
func (s passStore) Put(ctx context.Context, e localpass.Entry) error {
	_, err := recovery.RetryOnConflict(func() (struct{}, error) {
		old, err := s.store.Get(ctx, kindPass, e.Key)
		switch {
		case err == nil:
			e.Version = old.Version
			err = s.store.Update(ctx, record(e))
		case errors.Is(err, storage.ErrNotFound):
			err = s.store.Create(ctx, record(e))
		}
		if errors.Is(err, storage.ErrExists) || errors.Is(err, storage.ErrNotFound) { // another Put, or its end of life, came in between
			return struct{}{}, errors.Join(storage.ErrConflict, err)
		}
		return struct{}{}, err
	})
	return err
}

func (s passStore) Get(ctx context.Context, key string) (localpass.Entry, error) {
	r, err := s.store.Get(ctx, kindPass, key)
	return localpass.Entry{Key: r.ID, Version: r.Version, Data: r.Data, ExpiresAt: r.ExpiresAt}, err
}

func (s passStore) Update(ctx context.Context, e localpass.Entry) error {
	return s.store.Update(ctx, record(e))
}

func (s passStore) Increment(ctx context.Context, key string, window time.Duration) (int64, error) {
	return s.store.Increment(ctx, kindPassGuesses, key, window)
}

func record(e localpass.Entry) storage.Record {
	return storage.Record{Kind: kindPass, ID: e.Key, Version: e.Version, Data: e.Data, ExpiresAt: e.ExpiresAt}
}
