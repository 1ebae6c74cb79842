package keep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"regain/adapters/localpass"
	"regain/storage"
	"regain/storage/generation"
)

const (
	kindPass        = storage.Kind("pass")
	kindPassGuesses = storage.Kind("pass-guesses")
)

// passStore stores the passes of adapters/localpass in the node's store. It is here because adapters and storage do
// not import each other.
type passStore struct {
	store storage.Store
	guard *generation.Guard // nil for none
}

var _ localpass.Store = passStore{}

// Passes returns where passes are kept.
func (k *Kept) Passes() localpass.Store { return passStore{k.Store, k.guard} }

// Put keeps the version counting where there is an entry, so that a verification that read the old pass cannot use up
// the new one. It is made with the next change of the request, which records that the pass was issued.
func (s passStore) Put(ctx context.Context, e localpass.Entry) error {
	change, err := s.put(ctx, e)
	if err != nil {
		return err
	}
	return storage.Postpone(ctx, s.store, storage.Postponed{Change: change, Again: func(ctx context.Context, failed error) (storage.Change, error) {
		for _, between := range []error{storage.ErrConflict, storage.ErrExists, storage.ErrNotFound} { // another Put, or its end of life
			if errors.Is(failed, between) {
				return s.put(ctx, e)
			}
		}
		return storage.Change{}, fmt.Errorf("keep the pass: %w", failed)
	}})
}

// put is the change that puts an entry in the place of what is there.
func (s passStore) put(ctx context.Context, e localpass.Entry) (storage.Change, error) {
	old, err := s.store.Get(ctx, kindPass, s.id(e.Key))
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return storage.Creating(s.record(e)), nil
	case err != nil:
		return storage.Change{}, err
	}
	e.Version = old.Version
	return storage.Updating(s.record(e)), nil
}

func (s passStore) Get(ctx context.Context, key string) (localpass.Entry, error) {
	r, err := s.store.Get(ctx, kindPass, s.id(key))
	return localpass.Entry{Key: key, Version: r.Version, Data: r.Data, ExpiresAt: r.ExpiresAt}, err
}

func (s passStore) Update(ctx context.Context, e localpass.Entry) error {
	return s.store.Update(ctx, s.record(e))
}

func (s passStore) Increment(ctx context.Context, key string, window time.Duration) (int64, error) {
	return s.store.Increment(ctx, kindPassGuesses, key, window)
}

// id is that of the record of an account's pass. A pass of another epoch is void, and must not be in the way of the next one.
func (s passStore) id(key string) string {
	if s.guard == nil {
		return key
	}
	return fmt.Sprintf("%s.%x", key, s.guard.Epoch())
}

func (s passStore) record(e localpass.Entry) storage.Record {
	return storage.Record{Kind: kindPass, ID: s.id(e.Key), Version: e.Version, Data: e.Data, ExpiresAt: e.ExpiresAt}
}
