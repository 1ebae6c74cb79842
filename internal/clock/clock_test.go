package clock_test

import (
	"testing"
	"time"

	"regain/internal/clock"
)

func TestInFuture(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for _, row := range []struct {
		tolerance clock.Tolerance
		bound     time.Duration
	}{{0, 0}, {clock.Clients, 10 * time.Second}, {clock.Issuers, time.Minute}, {clock.Proofs, time.Minute}} {
		for ahead, future := range map[time.Duration]bool{-time.Hour: false, row.bound: false, row.bound + 1: true, row.bound + time.Hour: true} {
			if row.tolerance.InFuture(now.Add(ahead), now) != future {
				t.Errorf("%s ahead of %s: in the future is not %t", ahead, time.Duration(row.tolerance), future)
			}
		}
	}
}

func TestOver(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for left, over := range map[time.Duration]bool{-time.Hour: true, 0: true, 1: false, time.Hour: false} {
		if clock.Over(now.Add(left), now) != over {
			t.Errorf("%s before its end: over is not %t", left, over)
		}
	}
}
