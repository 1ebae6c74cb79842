package memory

import (
	"container/heap"
	"time"
)

// ending is when a record or counter can go. A record that was updated meanwhile has a later ending of its own, and
// the old one finds nothing to remove.
type ending struct {
	at      time.Time
	key     key
	counter bool
}

// endings is a heap of what expires, soonest first.
type endings []ending

func (e endings) Len() int           { return len(e) }
func (e endings) Less(i, j int) bool { return e[i].at.Before(e[j].at) }
func (e endings) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }

// Push implements heap.Interface.
func (e *endings) Push(x any) { *e = append(*e, x.(ending)) } //nolint:forcetypeassert // heap hands back what we gave it

// Pop implements heap.Interface.
func (e *endings) Pop() any {
	old := *e
	last := old[len(old)-1]
	old[len(old)-1] = ending{}
	*e = old[:len(old)-1]
	return last
}

// sweepAtMost bounds what one operation clears away.
const sweepAtMost = 16

// sweep removes a few expired entries and returns the time.
func (s *Store) sweep() time.Time {
	now := s.clock()
	for range sweepAtMost {
		if len(s.ends) == 0 || now.Before(s.ends[0].at) {
			break
		}
		end := heap.Pop(&s.ends).(ending) //nolint:forcetypeassert // see Push
		if end.counter {
			if c, ok := s.counters[end.key]; ok && !now.Before(c.ends) {
				delete(s.counters, end.key)
			}
			continue
		}
		if r, ok := s.records[end.key]; ok && r.Expired(now) {
			s.remove(end.key)
		}
	}
	return now
}
