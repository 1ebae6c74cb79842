// Package shelf keeps what was fetched for as long as it may be believed, and has it fetched once for all who ask for it
// at the same time.
package shelf

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	maxKept    = 256
	retryAfter = 3 * time.Second // what failed is not asked for again before
)

// Load fetches what a key names, and says how long it may be believed.
type Load[T any] func(ctx context.Context) (T, time.Duration, error)

// Shelf is a cache. It is safe for concurrent use.
type Shelf[T any] struct {
	clock  func() time.Time
	flight singleflight.Group

	mu   sync.Mutex
	kept map[string]entry[T]
}

// entry is a value, or the reason why there is none.
type entry[T any] struct {
	value T
	until time.Time
	err   error
}

// New makes an empty shelf.
func New[T any](clock func() time.Time) *Shelf[T] {
	return &Shelf[T]{clock: clock, kept: make(map[string]entry[T])}
}

// Get returns what is kept for a key, or loads it. The load does not end because the first who asked went away, and
// whoever goes away does not wait for it.
func (s *Shelf[T]) Get(ctx context.Context, key string, load Load[T]) (T, error) {
	if e, ok := s.cached(key); ok {
		return e.value, e.err
	}
	flight := s.flight.DoChan(key, func() (any, error) {
		if e, ok := s.cached(key); ok {
			return e, nil
		}
		value, life, err := load(context.WithoutCancel(ctx))
		if err != nil {
			life = retryAfter
		}
		e := entry[T]{value: value, err: err, until: s.clock().Add(life)}
		s.keep(key, e)
		return e, nil
	})
	select {
	case result := <-flight:
		e := result.Val.(entry[T]) //nolint:forcetypeassert // what the function above returns
		return e.value, e.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

func (s *Shelf[T]) cached(key string) (entry[T], bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.kept[key]
	return e, ok && s.clock().Before(e.until)
}

// keep makes room among what is old first. Strangers choose some of the keys, so there is an end to it.
func (s *Shelf[T]) keep(key string, e entry[T]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.kept) >= maxKept {
		now := s.clock()
		for k, old := range s.kept {
			if !now.Before(old.until) {
				delete(s.kept, k)
			}
		}
		if len(s.kept) >= maxKept {
			clear(s.kept)
		}
	}
	s.kept[key] = e
}
