package node

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"regain/storage"
)

// unready returns the parts that cannot be written, for readiness probes.
func (n *Node) unready(ctx context.Context) (parts []string) {
	if n.audit.Ready() != nil {
		parts = append(parts, "audit_log")
	}
	if n.store.ready(ctx) != nil {
		parts = append(parts, "store")
	}
	return parts
}

// watchedStore remembers whether the last change of the store failed.
type watchedStore struct {
	storage.Store
	logger *slog.Logger
	clock  func() time.Time

	mu      sync.Mutex
	failing error
	probed  time.Time
}

const kindProbe = storage.Kind("probe")

// ready returns why the store cannot be written, or nil. While a change failed it tries one, once a second at most.
func (s *watchedStore) ready(ctx context.Context) error {
	const often, window = time.Second, time.Minute
	s.mu.Lock()
	failing, now := s.failing, s.clock()
	try := failing != nil && now.Sub(s.probed) >= often
	if try {
		s.probed = now
	}
	s.mu.Unlock()
	if !try {
		return failing
	}
	_, err := s.Increment(ctx, kindProbe, "readiness", window)
	return err
}

// note takes the outcome of a change. An answer of the store's, such as a conflict, and a caller that went away are not
// failures of it.
func (s *watchedStore) note(err error) error {
	for _, answer := range []error{storage.ErrNotFound, storage.ErrExists, storage.ErrConflict, storage.ErrOver, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, answer) {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil && s.failing == nil:
		s.logger.Error("the store cannot be written", "cause", err)
	case err == nil && s.failing != nil:
		s.logger.Info("the store can be written again")
	}
	s.failing = err
	return err
}

func (s *watchedStore) Create(ctx context.Context, r storage.Record) error {
	return s.note(s.Store.Create(ctx, r))
}

func (s *watchedStore) Update(ctx context.Context, r storage.Record) error {
	return s.note(s.Store.Update(ctx, r))
}

func (s *watchedStore) Consume(ctx context.Context, kind storage.Kind, id string) (storage.Record, error) {
	r, err := s.Store.Consume(ctx, kind, id)
	return r, s.note(err)
}

func (s *watchedStore) Delete(ctx context.Context, kind storage.Kind, id string) error {
	return s.note(s.Store.Delete(ctx, kind, id))
}

func (s *watchedStore) Increment(ctx context.Context, kind storage.Kind, id string, window time.Duration) (int64, error) {
	n, err := s.Store.Increment(ctx, kind, id, window)
	return n, s.note(err)
}

func (s *watchedStore) Commit(ctx context.Context, changes []storage.Change) ([]storage.Result, error) {
	results, err := s.Store.Commit(ctx, changes)
	return results, s.note(err)
}
