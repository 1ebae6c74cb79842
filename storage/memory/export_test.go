package memory

import (
	"time"

	"regain/internal/clock"
)

// Elapsed sets what the time that passes is measured by.
func (s *Store) Elapsed(elapsed func() time.Duration) { s.steady = clock.NewSteady(s.clock, elapsed) }

// Held is how much a store holds: records, groups, counters, and ends of life that wait to be swept.
type Held struct{ Records, Groups, Counters, Ends int }

// Held returns it.
func (s *Store) Held() Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Held{len(s.records), len(s.groups), len(s.counters), len(s.ends)}
}
