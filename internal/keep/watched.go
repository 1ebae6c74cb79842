package keep

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"regain/storage"
)

// watched remembers whether the last change of the store failed, or an answer to a question did not come.
type watched struct {
	storage.Around
	reach  func() error // whether the backend is there, as far as it knows; nil where it always is
	logger *slog.Logger
	clock  func() time.Time

	mu      sync.Mutex
	failing error
	probed  time.Time
}

func watching(store storage.Store, deps Deps) *watched {
	w := &watched{logger: deps.Logger, clock: deps.Clock}
	w.Around = storage.Around{Store: store, Pass: func(_ context.Context, _ []storage.Change, do func() ([]storage.Result, error)) ([]storage.Result, error) {
		results, err := do()
		return results, w.note(err)
	}}
	return w
}

const kindProbe = storage.Kind("probe")

// ready returns why the store cannot be written, or nil. While something failed it tries a change, once a second at most.
func (s *watched) ready(ctx context.Context) error {
	const often, window = time.Second, time.Minute
	s.mu.Lock()
	failing, now := s.failing, s.clock()
	try := failing != nil && now.Sub(s.probed) >= often
	if try {
		s.probed = now
	}
	s.mu.Unlock()
	switch {
	case try: // and see
	case failing == nil && s.reach != nil: // nobody may have asked it for anything since it went away
		if err := s.reach(); err != nil {
			return s.note(err)
		}
		return nil
	default:
		return failing
	}
	_, err := s.Increment(ctx, kindProbe, "readiness", window)
	return err
}

// read takes the outcome of a question. That it was answered says nothing of changes, and that one record is damaged nothing of
// the others.
func (s *watched) read(err error) error {
	if !errors.Is(err, storage.ErrUnavailable) {
		return err
	}
	return s.note(err)
}

// note takes the outcome of a change. An answer of the store's, such as a conflict, and a caller that went away are not
// failures of it.
func (s *watched) note(err error) error {
	for _, answer := range []error{storage.ErrNotFound, storage.ErrExists, storage.ErrConflict, storage.ErrOver, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, answer) {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil && s.failing == nil:
		s.logger.Error("the store does not work", "cause", err)
	case err == nil && s.failing != nil:
		s.logger.Info("the store works again")
	}
	s.failing = err
	return err
}

// Get implements storage.Store.
func (s *watched) Get(ctx context.Context, kind storage.Kind, id string) (storage.Record, error) {
	r, err := s.Store.Get(ctx, kind, id)
	return r, s.read(err)
}
