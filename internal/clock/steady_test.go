package clock_test

import (
	"testing"
	"time"

	"regain/internal/clock"
)

// Each row puts the wall clock somewhere and lets time pass; want is how far the steady time is behind the wall clock.
func TestSteady(t *testing.T) {
	const hour = time.Hour
	type move struct {
		put, passes, behind time.Duration
	}
	for name, moves := range map[string][]move{
		"nobody sets it":                    {{0, hour, 0}, {0, 100 * hour, 0}},
		"two hours forward and back":        {{2 * hour, 0, 2 * hour}, {0, hour, 2 * hour}, {-2 * hour, 0, 0}, {0, hour, 0}},
		"back, and forward to where it was": {{-2 * hour, 0, 0}, {0, hour, 0}, {2 * hour, 0, 2 * hour}},
		"forward for a day":                 {{2 * hour, 23 * hour, 2 * hour}, {0, 59 * time.Minute, 2 * hour}, {0, 2 * time.Minute, 0}, {hour, 0, hour}},
		"forward, back, and again forward":  {{2 * hour, 20 * hour, 2 * hour}, {-2 * hour, 0, 0}, {2 * hour, 20 * hour, 2 * hour}, {0, 5 * hour, 0}},
		"a leap second":                     {{time.Second, hour, 0}, {-time.Second, hour, 0}},
		"further and further":               {{2 * hour, hour, 2 * hour}, {2 * hour, hour, 4 * hour}, {-time.Hour, 0, 3 * hour}, {-3 * time.Hour, 0, 0}},
	} {
		wall, passed := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC), time.Duration(0)
		steady := clock.NewSteady(func() time.Time { return wall }, func() time.Duration { return passed })
		for i, m := range moves {
			wall = wall.Add(m.put)
			steady.Now() // somebody looks at the time now and then
			wall, passed = wall.Add(m.passes), passed+m.passes
			if behind := wall.Sub(steady.Now()); behind != m.behind {
				t.Errorf("%s, move %d: %s behind, want %s", name, i, behind, m.behind)
			}
		}
	}
}

// With time.Now it is the time, and a clock of a test, which has no monotonic reading, takes it along.
func TestSteadyOfOneClock(t *testing.T) {
	if off := time.Since(clock.NewSteady(time.Now, nil).Now()); off < 0 || off > time.Minute {
		t.Errorf("%s off", off)
	}
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	steady := clock.NewSteady(func() time.Time { return now }, nil)
	for _, d := range []time.Duration{0, time.Hour, -2 * time.Hour, 1000 * time.Hour} {
		now = now.Add(d)
		if !steady.Now().Equal(now) {
			t.Errorf("after %s: %s, want %s", d, steady.Now(), now)
		}
	}
}
