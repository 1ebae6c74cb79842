// Package cache caches documents that third parties publish, each for its own lifetime, and merges concurrent loads of
// the same document into one.
//
// Strangers choose many of the cache keys, and how large the documents are, so both the number of entries and the memory
// that they take are bounded, and the least recently used entries are evicted: a flood of chosen keys evicts itself, not
// the status list of an issuer whose credentials are in use.
//
// It is the plain LRU of hashicorp/golang-lru with an expiry beside each value. The expirable LRU of that library has
// one lifetime for all entries, reads the system's clock and starts a goroutine that cannot be stopped; here each
// document has its own lifetime, and tests set the clock.
package cache

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"regain/internal/admission"
)

// Load fetches the document for a key and returns its lifetime, counted from the start of the load.
type Load[T any] func(ctx context.Context) (T, time.Duration, error)

// Config configures a Cache; all fields are required.
type Config[T any] struct {
	Size       int // entries
	MaxBytes   int // of all values together; a value that is larger than that is not kept
	Bytes      func(value T) int
	RetryAfter time.Duration // the least time between two loads of a key that failed or is renewed
	Clock      func() time.Time
}

// Cache caches values of one type. It is safe for concurrent use.
type Cache[T any] struct {
	cfg    Config[T]
	flight singleflight.Group

	mu    sync.Mutex // held for a change, which is a read and a write of kept, and bytes
	kept  *lru.Cache[string, entry[T]]
	bytes int
}

// entry is a cached value or a cached error. Entries are replaced, never changed. The zero entry, of a key that is not
// cached, is over at every time.
type entry[T any] struct {
	value  T
	err    error
	failed error // of the last load; nil err and this one: value is from a load before it, and has not expired
	bytes  int
	loaded time.Time // start of the last load
	until  time.Time
}

// New returns an empty cache, or an error if a field is missing.
func New[T any](cfg Config[T]) (*Cache[T], error) {
	if cfg.RetryAfter <= 0 || cfg.Clock == nil || cfg.MaxBytes <= 0 || cfg.Bytes == nil {
		return nil, errors.New("cache: RetryAfter, Clock, MaxBytes and Bytes are required")
	}
	c := &Cache[T]{cfg: cfg}
	var err error
	c.kept, err = lru.NewWithEvict(cfg.Size, func(_ string, e entry[T]) { c.bytes -= e.bytes })
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Bytes returns the memory that the values take.
func (c *Cache[T]) Bytes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

// Get returns the cached value of a key, or loads it. A failure is cached too, for RetryAfter. A load continues when
// the caller that started it is cancelled, since others may wait for it; a cancelled caller returns at once. A caller
// waits outside of its place, where it has one (admission.Outside).
func (c *Cache[T]) Get(ctx context.Context, key string, load Load[T]) (T, error) {
	e := c.get(ctx, key, load, func(e entry[T]) bool { return c.cfg.Clock().Before(e.until) })
	return e.value, e.err
}

// Renew is Get for a caller that found the cached value incomplete: it loads again, but not sooner than RetryAfter
// after the last load. If the load fails, a value that has not expired stays, and is returned with the error: whoever
// misses something in it must not take it to be missing at its source.
func (c *Cache[T]) Renew(ctx context.Context, key string, load Load[T]) (T, error) {
	e := c.get(ctx, key, load, func(e entry[T]) bool { return c.cfg.Clock().Before(e.loaded.Add(c.cfg.RetryAfter)) })
	return e.value, cmp.Or(e.err, e.failed)
}

// Shorten makes a value that the caller rejected expire after RetryAfter.
func (c *Cache[T]) Shorten(key string) {
	soon := c.cfg.Clock().Add(c.cfg.RetryAfter)
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, _ := c.kept.Peek(key); e.until.After(soon) {
		e.until = soon
		c.put(key, e)
	}
}

// Change replaces the cached value of a key, if there is one, by what change makes of it, for as long as it had to live.
func (c *Cache[T]) Change(key string, change func(T) T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.kept.Peek(key); ok && e.err == nil {
		e.value = change(e.value)
		c.put(key, e)
	}
}

// put stores an entry and makes room for it. It is called with mu.
func (c *Cache[T]) put(key string, e entry[T]) {
	c.kept.Remove(key) // the library tells of an eviction, and not of a replacement
	if e.err == nil {
		e.bytes = c.cfg.Bytes(e.value)
	}
	if e.bytes > c.cfg.MaxBytes { // it would push everything out, and not stay either
		return
	}
	c.kept.Add(key, e)
	for c.bytes += e.bytes; c.bytes > c.cfg.MaxBytes; {
		c.kept.RemoveOldest()
	}
}

func (c *Cache[T]) get(ctx context.Context, key string, load Load[T], good func(entry[T]) bool) entry[T] {
	if e, _ := c.kept.Get(key); good(e) {
		return e
	}
	flight := c.flight.DoChan(key, func() (any, error) {
		if e, _ := c.kept.Get(key); good(e) { // the previous load ended meanwhile
			return e, nil
		}
		// Not under ctx, even without its end: the load may outlive its caller's request, whose context a router reuses.
		return c.load(context.Background(), key, load), nil
	})
	var loaded entry[T]
	admission.Outside(ctx, func() {
		select {
		case result := <-flight:
			loaded = result.Val.(entry[T]) //nolint:forcetypeassert // the function above returns only entries
		case <-ctx.Done():
			loaded.err = ctx.Err()
		}
	})
	return loaded
}

func (c *Cache[T]) load(ctx context.Context, key string, load Load[T]) entry[T] {
	asked := c.cfg.Clock()
	value, life, err := recovered(ctx, load)
	e := entry[T]{value: value, err: err, failed: err, loaded: asked, until: asked.Add(life)}
	if err != nil {
		now := c.cfg.Clock() // a failure counts from its end
		e.loaded, e.until = now, now.Add(c.cfg.RetryAfter)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, _ := c.kept.Peek(key); err != nil && old.err == nil && e.loaded.Before(old.until) {
		e.value, e.err, e.until = old.value, nil, old.until
	}
	c.put(key, e)
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
