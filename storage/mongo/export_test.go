package mongo

import (
	"time"

	"regain/internal/clock"
)

// Elapsed sets what the time that passes is measured by.
func (s *Store) Elapsed(elapsed func() time.Duration) { s.steady = clock.NewSteady(s.clock, elapsed) }

// SweepAfter sets how long what is over is kept.
func (s *Store) SweepAfter(d time.Duration) { s.sweepAfter = d }
