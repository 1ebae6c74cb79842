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
	held := Held{Counters: len(s.counters), Ends: len(s.recordsEnd) + len(s.countersEnd)}
	for _, t := range s.tables {
		held.Records += len(t.entries)
		held.Groups += len(t.groups)
	}
	return held
}
