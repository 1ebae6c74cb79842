// Package cache caches documents that third parties publish, each for its own lifetime, and merges concurrent loads of
// the same document into one.
//
// Strangers choose many of the cache keys, so the number of entries is bounded and the least recently used entry is
// evicted: a flood of chosen keys evicts itself, not the status list of an issuer whose credentials are in use.
//
// It is the plain LRU of hashicorp/golang-lru with an expiry beside each value. The expirable LRU of that library has
// one lifetime for all entries, reads the system's clock and starts a goroutine that cannot be stopped; here each
// document has its own lifetime, and tests set the clock.
package cache

import (
	"context"
	"errors"
	"fmt"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"
)

// Load fetches the document for a key and returns its lifetime, counted from the start of the load.
type Load[T any] func(ctx context.Context) (T, time.Duration, error)

// Config configures a Cache; all fields are required.
type Config struct {
	Size       int           // entries
	RetryAfter time.Duration // the least time between two loads of a key that failed or is renewed
	Clock      func() time.Time
}

// Cache caches values of one type. It is safe for concurrent use.
type Cache[T any] struct {
	cfg    Config
	kept   *lru.Cache[string, entry[T]]
	flight singleflight.Group
}

// entry is a cached value or a cached error. Entries are replaced, never changed. The zero entry, of a key that is not
// cached, is over at every time.
type entry[T any] struct {
	value  T
	err    error
	loaded time.Time // start of the last load
	until  time.Time
}

// New returns an empty cache, or an error if a field is missing.
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

// Get returns the cached value of a key, or loads it. A failure is cached too, for RetryAfter. A load continues when
// the caller that started it is cancelled, since others may wait for it; a cancelled caller returns at once.
func (c *Cache[T]) Get(ctx context.Context, key string, load Load[T]) (T, error) {
	return c.get(ctx, key, load, func(e entry[T]) bool { return c.cfg.Clock().Before(e.until) })
}

// Renew is Get for a caller that found the cached value incomplete: it loads again, but not sooner than RetryAfter
// after the last load. If the load fails, a value that has not expired stays.
func (c *Cache[T]) Renew(ctx context.Context, key string, load Load[T]) (T, error) {
	return c.get(ctx, key, load, func(e entry[T]) bool { return c.cfg.Clock().Before(e.loaded.Add(c.cfg.RetryAfter)) })
}

// Shorten makes a value that the caller rejected expire after RetryAfter.
func (c *Cache[T]) Shorten(key string) {
	soon := c.cfg.Clock().Add(c.cfg.RetryAfter)
	if e, _ := c.kept.Peek(key); e.until.After(soon) {
		e.until = soon
		c.kept.Add(key, e)
	}
}

func (c *Cache[T]) get(ctx context.Context, key string, load Load[T], good func(entry[T]) bool) (T, error) {
	if e, _ := c.kept.Get(key); good(e) {
		return e.value, e.err
	}
	flight := c.flight.DoChan(key, func() (any, error) {
		if e, _ := c.kept.Get(key); good(e) { // the previous load ended meanwhile
			return e, nil
		}
		// Not under ctx, even without its end: the load may outlive its caller's request, whose context a router reuses.
		return c.load(context.Background(), key, load), nil
	})
	select {
	case result := <-flight:
		e := result.Val.(entry[T]) //nolint:forcetypeassert // the function above returns only entries
		return e.value, e.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

func (c *Cache[T]) load(ctx context.Context, key string, load Load[T]) entry[T] {
	asked := c.cfg.Clock()
	value, life, err := recovered(ctx, load)
	e := entry[T]{value: value, err: err, loaded: asked, until: asked.Add(life)}
	if err != nil {
		now := c.cfg.Clock() // a failure counts from its end
		e.loaded, e.until = now, now.Add(c.cfg.RetryAfter)
		if old, _ := c.kept.Peek(key); old.err == nil && now.Before(old.until) {
			e.value, e.err, e.until = old.value, nil, old.until
		}
	}
	c.kept.Add(key, e)
	return e
}

// recovered turns a panic of a load into an error: it runs in a goroutine that nobody else recovers, and parses what
// strangers serve.
func recovered[T any](ctx context.Context, load Load[T]) (value T, life time.Duration, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic in a load: %v", cause)
		}
	}()
	return load(ctx)
}
