package clock

import (
	"sync"
	"time"
)

const (
	// step is how far the wall clock may be ahead of the time that has passed before it counts as put forward.
	step = time.Minute
	// rejoin is how long it must stay there to be believed: longer than anything lives that is swept.
	rejoin = 24 * time.Hour
)

// Steady is a time that no clock that is put forward takes along: what was used up must not be forgotten early. If the
// wall clock is put two hours forward, the records of used tokens and the counters of attempts seem over; swept then, they
// are missing when the clock is put back, and a used client assertion is good again.
//
// It follows the wall clock back at once, and forward as fast as time passes. A wall clock that stays ahead for a day is
// believed. It knows nothing of the time before the process started.
type Steady struct {
	wall    func() time.Time
	elapsed func() time.Duration

	mu    sync.Mutex
	base  time.Time // the time at which elapsed was 0
	ahead bool
	since time.Duration // since when the wall clock is ahead
}

// NewSteady returns a steady time. elapsed is the time that has passed since some moment, by a clock that nobody sets;
// nil takes it from the readings of wall, which for time.Now are of the monotonic clock.
func NewSteady(wall func() time.Time, elapsed func() time.Duration) *Steady {
	if elapsed == nil {
		start := wall()
		elapsed = func() time.Duration { return wall().Sub(start) }
	}
	return &Steady{wall: wall, elapsed: elapsed, base: wall().Round(0).Add(-elapsed())}
}

// Now returns the time, which is never later than that of the wall clock, by more than it takes to read both.
func (s *Steady) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	passed := s.elapsed()
	now := s.wall().Round(0) // without the monotonic reading, which Sub and Before would compare instead
	switch ahead := now.Sub(s.base.Add(passed)) > step; {
	case ahead && !s.ahead:
		s.ahead, s.since = true, passed
		return s.base.Add(passed)
	case ahead && passed-s.since < rejoin:
		return s.base.Add(passed)
	}
	s.ahead, s.base = false, now.Add(-passed)
	return now
}
