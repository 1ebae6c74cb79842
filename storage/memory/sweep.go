package memory

import (
	"container/heap"
	"math"
	"time"
)

// ending is the time, in nanoseconds since 1970, at which a record or counter can be removed. One that was extended meanwhile
// has another, later ending; sweep ignores the earlier one.
type ending[T any] struct {
	at int64
	of *T
}

// endings is a heap ordered by time, soonest first.
type endings[T any] []ending[T]

func (e endings[T]) Len() int           { return len(e) }
func (e endings[T]) Less(i, j int) bool { return e[i].at < e[j].at }
func (e endings[T]) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }

// Push implements heap.Interface.
func (e *endings[T]) Push(x any) { *e = append(*e, x.(ending[T])) } //nolint:forcetypeassert // container/heap passes back what it was given

// Pop implements heap.Interface.
func (e *endings[T]) Pop() any {
	old := *e
	last := old[len(old)-1]
	old[len(old)-1] = ending[T]{}
	*e = old[:len(old)-1]
	return last
}

func (e *endings[T]) add(at int64, of *T) { heap.Push(e, ending[T]{at, of}) }

// soonest returns the time of the first ending.
func (e endings[T]) soonest() int64 {
	if len(e) == 0 {
		return math.MaxInt64
	}
	return e[0].at
}

func (e *endings[T]) take() *T {
	return heap.Pop(e).(ending[T]).of //nolint:forcetypeassert // see Push
}

// sweepAtMost bounds how many expired entries one operation removes.
const sweepAtMost = 16

// sweep removes a few expired entries and returns the current time.
func (s *Store) sweep() time.Time {
	now := s.steady.Now()
	for range sweepAtMost {
		records, counters := s.recordsEnd.soonest(), s.countersEnd.soonest()
		switch {
		case now.UnixNano() < min(records, counters):
			return now
		case records <= counters:
			if e := s.recordsEnd.take(); e.table != nil && e.over(now) {
				e.remove()
			}
		default:
			if c := s.countersEnd.take(); c.ends <= now.UnixNano() {
				delete(s.counters, c.key)
			}
		}
	}
	return now
}
