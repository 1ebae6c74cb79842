package idp

import (
	"time"

	"regain/conformance/idp/recovery"
)

// What the tests of this package look at from outside.

// SecretHolders are the types that hold secrets, each holding the one given.
func SecretHolders(value string) []any {
	s := recovery.NewSecret(value)
	return []any{session{proof: recovery.Recovered{Pass: s}}, view{Pass: s}}
}

// Cache is a cache of strings.
type Cache struct{ *cache[string] }

// NewTestCache makes one.
func NewTestCache(clock func() time.Time) Cache { return Cache{newCache[string](clock)} }

func (s Cache) Put(key, value string, until time.Time) bool { return s.put(key, value, until) }
func (s Cache) Add(key, value string, until time.Time) bool { return s.add(key, value, until) }
func (s Cache) Get(key string) (string, bool)               { return s.get(key) }
func (s Cache) Take(key string) (string, bool)              { return s.take(key) }
func (s Cache) Drop(unwanted func(string) bool)             { s.drop(unwanted) }
func (s Cache) Change(key string, edit func(*string)) bool  { return s.change(key, edit) }

// MaxKept is the bound of a cache.
const MaxKept = maxKept
