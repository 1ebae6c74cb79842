package memory

import (
	"container/heap"
	"time"
)

// ending is the time at which a record or counter can be removed. A record that was extended meanwhile has another,
// later ending; sweep ignores the earlier one.
type ending struct {
	at      time.Time
	key     key
	counter bool
}

// endings is a heap ordered by time, soonest first.
type endings []ending

func (e endings) Len() int           { return len(e) }
func (e endings) Less(i, j int) bool { return e[i].at.Before(e[j].at) }
func (e endings) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }

// Push implements heap.Interface.
func (e *endings) Push(x any) { *e = append(*e, x.(ending)) } //nolint:forcetypeassert // container/heap passes back what it was given

// Pop implements heap.Interface.
func (e *endings) Pop() any {
	old := *e
	last := old[len(old)-1]
	old[len(old)-1] = ending{}
	*e = old[:len(old)-1]
	return last
}

// sweepAtMost bounds how many expired entries one operation removes.
const sweepAtMost = 16

// sweep removes a few expired entries and returns the current time.
func (s *Store) sweep() time.Time {
	now := s.steady.Now()
	for range sweepAtMost {
		if len(s.ends) == 0 || now.Before(s.ends[0].at) {
			break
		}
		end := heap.Pop(&s.ends).(ending) //nolint:forcetypeassert // see Push
		if end.counter {
			if !now.Before(s.counters[end.key].ends) {
				delete(s.counters, end.key)
			}
			continue
		}
		if s.records[end.key].Expired(now) {
			s.remove(end.key)
		}
	}
	return now
}
