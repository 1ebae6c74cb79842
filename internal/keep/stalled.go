package keep

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"regain/storage"
)

// stallAfter is how long a change of the file store may wait for the disk before the node says that it does not answer.
const stallAfter = 5 * time.Second

// stalled is a store whose changes wait for a disk, and cannot be called back. While one of them waits for long, no more are
// sent after it: whoever comes is told at once to try again, instead of waiting behind those who are there already.
type stalled struct {
	storage.Store
	logger *slog.Logger
	after  time.Duration
	stuck  atomic.Int64 // changes that have waited for longer than after
}

// Reachable reports whether the disk answers.
func (s *stalled) Reachable() error {
	if s.stuck.Load() <= 0 {
		return nil
	}
	return fmt.Errorf("%w: the disk has not answered for %s", storage.ErrUnavailable, s.after)
}

func (s *stalled) change(do func() error) error {
	if err := s.Reachable(); err != nil {
		return err
	}
	timer := time.AfterFunc(s.after, func() {
		if s.stuck.Add(1) == 1 {
			s.logger.Error("the disk of the store does not answer; changes are refused until it does", "after", s.after)
		}
	})
	err := do()
	if !timer.Stop() && s.stuck.Add(-1) == 0 {
		s.logger.Info("the disk of the store answers again")
	}
	return err
}

func (s *stalled) Create(ctx context.Context, r storage.Record) error {
	return s.change(func() error { return s.Store.Create(ctx, r) })
}

func (s *stalled) Update(ctx context.Context, r storage.Record) error {
	return s.change(func() error { return s.Store.Update(ctx, r) })
}

func (s *stalled) Delete(ctx context.Context, kind storage.Kind, id string) error {
	return s.change(func() error { return s.Store.Delete(ctx, kind, id) })
}

func (s *stalled) Consume(ctx context.Context, kind storage.Kind, id string) (r storage.Record, err error) {
	err = s.change(func() error { r, err = s.Store.Consume(ctx, kind, id); return err })
	return r, err
}

func (s *stalled) Increment(ctx context.Context, kind storage.Kind, id string, window time.Duration) (n int64, err error) {
	err = s.change(func() error { n, err = s.Store.Increment(ctx, kind, id, window); return err })
	return n, err
}

func (s *stalled) Commit(ctx context.Context, changes []storage.Change) (results []storage.Result, err error) {
	err = s.change(func() error { results, err = s.Store.Commit(ctx, changes); return err })
	return results, err
}
