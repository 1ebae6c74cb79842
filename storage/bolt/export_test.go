package bolt

import (
	"time"

	"regain/internal/clock"
)

// NoSync makes changes not wait for the disk: the test's process does not crash, and its file is thrown away.
func (s *Store) NoSync() { s.db.NoSync = true }

// Elapsed sets what the time that passes is measured by.
func (s *Store) Elapsed(elapsed func() time.Duration) { s.steady = clock.NewSteady(s.clock, elapsed) }
