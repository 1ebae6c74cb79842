package memory

import (
	"crypto/sha256"
	"time"

	"regain/storage"
)

// counterKey is what a counter is found by: half of the SHA-256 of its kind and id, in place of these, which are four times as
// long. To meet the counter of somebody else takes 2^128 tries; two of one's own that meet, after 2^64, only end sooner.
type counterKey [sha256.Size / 2]byte

func keyOf(r storage.Record) counterKey {
	sum := sha256.Sum256([]byte(string(r.Kind) + "\x00" + r.ID))
	return counterKey(sum[:sha256.Size/2])
}

type counter struct {
	key  counterKey
	hits int64
	ends int64 // nanoseconds since 1970
}

// full reports whether a counter has as many hits as it may have in the window that is open now.
func (c *counter) full(now time.Time, most int64) bool {
	return c != nil && most != 0 && now.UnixNano() < c.ends && c.hits >= most
}

// hit counts, in a new window if none is open.
func (s *Store) hit(k counterKey, now time.Time, window time.Duration) int64 {
	c := s.counters[k]
	if c == nil {
		c = &counter{key: k}
		s.counters[k] = c
	}
	if c.ends <= now.UnixNano() {
		c.hits, c.ends = 0, now.Add(window).UnixNano()
		s.countersEnd.add(c.ends, c)
	}
	c.hits++
	return c.hits
}
