package idp

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"sync"
	"time"
)

// cache keeps values for a while, and at most maxKept of them.
type cache[V any] struct {
	clock func() time.Time
	mu    sync.Mutex
	items map[string]kept[V]
}

type kept[V any] struct {
	value V
	until time.Time
}

func newCache[V any](clock func() time.Time) *cache[V] {
	return &cache[V]{clock: clock, items: make(map[string]kept[V])}
}

// put keeps a value until the time given. It reports false when the cache is full.
func (s *cache[V]) put(key string, value V, until time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.set(key, value, until)
}

// add is put for a key that must be new.
func (s *cache[V]) add(key string, value V, until time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, found := s.items[key]; found && old.until.After(s.clock()) {
		return false
	}
	return s.set(key, value, until)
}

func (s *cache[V]) set(key string, value V, until time.Time) bool {
	if _, found := s.items[key]; !found && len(s.items) >= maxKept {
		now := s.clock()
		for k, item := range s.items {
			if !item.until.After(now) {
				delete(s.items, k)
			}
		}
		if len(s.items) >= maxKept {
			return false
		}
	}
	s.items[key] = kept[V]{value, until}
	return true
}

func (s *cache[V]) get(key string) (V, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	item, found := s.items[key]
	if !found || !item.until.After(s.clock()) {
		var none V
		return none, false
	}
	return item.value, true
}

// take is get for what works once: of many callers one gets the value.
func (s *cache[V]) take(key string) (V, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	item, found := s.items[key]
	delete(s.items, key)
	if !found || !item.until.After(s.clock()) {
		var none V
		return none, false
	}
	return item.value, true
}

// change edits a value in place, and reports whether there is one: a value that was taken meanwhile does not come back.
func (s *cache[V]) change(key string, edit func(*V)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	item, found := s.items[key]
	if !found || !item.until.After(s.clock()) {
		return false
	}
	edit(&item.value)
	s.items[key] = item
	return true
}

// drop forgets every value that unwanted reports.
func (s *cache[V]) drop(unwanted func(V) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, item := range s.items {
		if unwanted(item.value) {
			delete(s.items, key)
		}
	}
}

// dice lets many requests share a source of randomness that need not be safe for concurrent use.
type dice struct {
	mu     sync.Mutex
	source io.Reader
}

func (d *dice) Read(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.source.Read(p)
}

// token draws 256 random bits and writes them as base64url: 43 characters, which also suits a PKCE verifier.
func (d *dice) token() (string, error) {
	var raw [32]byte
	if _, err := io.ReadFull(d, raw[:]); err != nil {
		return "", fmt.Errorf("draw random bytes: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw[:]), nil
}

// digest is SHA-256 as base64url: cookies are kept under it.
func digest(value string) string {
	sum := sha256.Sum256([]byte(value))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
