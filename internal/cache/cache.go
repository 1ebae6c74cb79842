// Package cache keeps documents that strangers serve, for as long as each may be believed, and has each fetched once for
// all who ask for it at the same time.
//
// Strangers choose many of the keys, so there is an end to how many are kept, and what makes room is the one that nobody
// has asked for the longest: a flood of strangers' keys pushes itself out, and not the list of the issuer whose
// credentials everybody presents.
//
// It is the plain LRU of hashicorp/golang-lru with the end of each life beside its value. The expirable one of the same
// library has one life for all, a clock of its own and a goroutine that nobody stops; here every document says itself how
// long it is good, and tests turn the clock.
package cache

import (
	"context"
	"errors"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"
)

// Load fetches what a key names, and says how long it may be believed, from when it was asked for.
type Load[T any] func(ctx context.Context) (T, time.Duration, error)

// Config is how a Cache keeps; all of it is required.
type Config struct {
	Size       int           // entries
	RetryAfter time.Duration // what failed is not asked for again before, nor is what was just renewed
	Clock      func() time.Time
}

// Cache keeps values of one kind. It is safe for concurrent use.
type Cache[T any] struct {
	cfg    Config
	kept   *lru.Cache[string, entry[T]]
	flight singleflight.Group
}

// entry is a value, or the reason why there is none. It is replaced, and never changed.
type entry[T any] struct {
	value  T
	err    error
	loaded time.Time // when it was last tried
	until  time.Time
}

// New makes an empty cache, and refuses missing parts.
func New[T any](cfg Config) (*Cache[T], error) {
	if cfg.RetryAfter <= 0 || cfg.Clock == nil {
		return nil, errors.New("cache: RetryAfter and Clock are required")
	}
	kept, err := lru.New[string, entry[T]](cfg.Size)
	if err != nil {
		return nil, err
	}
	return &Cache[T]{cfg: cfg, kept: kept}, nil
}

// Get returns what is kept for a key, or loads it. A failure is kept too, for RetryAfter. The load does not end because
// the first who asked went away, and whoever goes away does not wait for it.
func (c *Cache[T]) Get(ctx context.Context, key string, load Load[T]) (T, error) {
	return c.get(ctx, key, load, func(e entry[T]) bool { return c.cfg.Clock().Before(e.until) })
}

// Renew is Get for who knows that what is kept lacks something: it is loaded again, though not sooner than RetryAfter
// after the last time. A value that is still good outlives a load that fails.
func (c *Cache[T]) Renew(ctx context.Context, key string, load Load[T]) (T, error) {
	return c.get(ctx, key, load, func(e entry[T]) bool { return c.cfg.Clock().Before(e.loaded.Add(c.cfg.RetryAfter)) })
}

// Shorten lets a value that somebody did not believe be asked for again after RetryAfter.
func (c *Cache[T]) Shorten(key string) {
	soon := c.cfg.Clock().Add(c.cfg.RetryAfter)
	if e, ok := c.kept.Peek(key); ok && e.until.After(soon) {
		e.until = soon
		c.kept.Add(key, e)
	}
}

func (c *Cache[T]) get(ctx context.Context, key string, load Load[T], good func(entry[T]) bool) (T, error) {
	if e, ok := c.kept.Get(key); ok && good(e) {
		return e.value, e.err
	}
	flight := c.flight.DoChan(key, func() (any, error) {
		if e, ok := c.kept.Get(key); ok && good(e) { // the flight before this one brought it
			return e, nil
		}
		return c.load(context.WithoutCancel(ctx), key, load), nil
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

func (c *Cache[T]) load(ctx context.Context, key string, load Load[T]) entry[T] {
	asked := c.cfg.Clock()
	value, life, err := load(ctx)
	e := entry[T]{value: value, err: err, loaded: asked, until: asked.Add(life)}
	if err != nil {
		now := c.cfg.Clock() // it stands from when it failed
		e.loaded, e.until = now, now.Add(c.cfg.RetryAfter)
		if old, ok := c.kept.Peek(key); ok && old.err == nil && now.Before(old.until) {
			e.value, e.err, e.until = old.value, nil, old.until
		}
	}
	c.kept.Add(key, e)
	return e
}
