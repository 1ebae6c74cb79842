package recovery_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"regain/recovery"
)

// noCounter is a counter that does not answer.
type noCounter struct{}

func (noCounter) Increment(context.Context, string, time.Duration) (int64, error) { return 0, errDisk }
func (noCounter) Count(context.Context, []recovery.Hit, []recovery.Hit) ([]int64, error) {
	return nil, errDisk
}

// Pages that ask for the account are counted by network and by site, as often as attempts may be made, and are no attempts.
func TestPagesThatAskAreCounted(t *testing.T) {
	for name, row := range map[string]struct {
		limits  recovery.Limits
		network func(i int) string
		allowed int
	}{
		"an address":            {nil, func(int) string { return "192.0.2.1" }, 100},
		"a subscriber":          {nil, func(int) string { return "2001:db8:1:1::/64" }, 100},
		"a site":                {nil, func(i int) string { return fmt.Sprintf("2001:db8:2:%x::/64", i) }, 400},
		"no network":            {nil, func(int) string { return recovery.UnknownNetwork }, 100},
		"many addresses":        {nil, func(i int) string { return fmt.Sprintf("198.51.%d.%d", i/200, i%200) }, 1000},
		"a limit of one's own":  {recovery.Limits{{Name: "n", Per: recovery.PerNetwork, Max: 7, Window: time.Hour}}, func(int) string { return "192.0.2.1" }, 7},
		"the narrowest of two":  {recovery.Limits{{Name: "n", Per: recovery.PerNetwork, Max: 9, Window: time.Hour}, {Name: "m", Per: recovery.PerNetwork, Max: 5, Window: time.Minute}}, func(int) string { return "192.0.2.1" }, 5},
		"limits of other kinds": {recovery.Limits{{Name: "c", Per: recovery.PerClient, Max: 1, Window: time.Hour}, {Name: "a", Per: recovery.PerAccountNetwork, Max: 1, Window: time.Hour}}, func(int) string { return "192.0.2.1" }, 100},
	} {
		b := setUp(t, func(p *recovery.Policy) { p.Limits = row.limits })
		refused := 0
		for i := range 1000 {
			switch err := b.CountAsked(t.Context(), row.network(i)); {
			case errors.Is(err, recovery.ErrTooManyAttempts):
				refused++
			case err != nil:
				t.Fatal(err)
			}
		}
		if refused != 1000-row.allowed {
			t.Errorf("%s: %d of 1000 are refused, want %d", name, refused, 1000-row.allowed)
		}
		if tx := b.attempt(t, "ada@example.org", row.network(0)); tx.State != recovery.StateStarted {
			t.Errorf("%s: an attempt after that is %s", name, tx.State)
		}
	}
}

// While the counter does not answer, nobody is told of too many; when it does, the page counts for as long as the limit says.
func TestPagesThatAskInAnOutage(t *testing.T) {
	b := setUp(t, nil)
	counter := windows{b.outside, map[time.Duration]int{}}
	for _, row := range []struct {
		attempts recovery.Counter
		want     error
	}{{noCounter{}, errDisk}, {counter, nil}} {
		service, err := recovery.NewService(recovery.Ports{
			Transactions: b.outside, Directory: b.outside, Passes: b.outside, Audit: b.outside, Issuings: b.outside, Attempts: row.attempts, Clock: b.clock, Random: rand.Reader,
		}, b.policy)
		if err != nil {
			t.Fatal(err)
		}
		if err := service.CountAsked(t.Context(), "203.0.113.1"); !errors.Is(err, row.want) || errors.Is(err, recovery.ErrTooManyAttempts) {
			t.Errorf("%T: %v", row.attempts, err)
		}
	}
	if counter.seen[time.Hour] != 1 || len(counter.seen) != 1 {
		t.Errorf("counted for %v, want once for the hour of the limit", counter.seen)
	}
}
