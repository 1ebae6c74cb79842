package recovery_test

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"regain/recovery"
)

// meeting is a counter that lets nobody go before all have come, or one has waited too long.
type meeting struct {
	*outside
	missing sync.WaitGroup
	fail    bool // the count of one of them fails
	once    sync.Once
}

var errCounter = errors.New("the counter is away")

func (m *meeting) Increment(ctx context.Context, key string, window time.Duration) (int64, error) {
	m.missing.Done()
	all := make(chan struct{})
	go func() { m.missing.Wait(); close(all) }()
	select {
	case <-all:
	case <-time.After(5 * time.Second):
		return 0, errors.New("the other counters were not asked meanwhile")
	}
	failed := false
	if m.fail {
		m.once.Do(func() { failed = true })
	}
	if failed {
		return 0, errCounter
	}
	return m.outside.Increment(ctx, key, window)
}

// A store that waits for its disk waits for all counters of an attempt together. One that fails ends the attempt, and the
// others are counted all the same.
func TestLimitsAreCountedTogether(t *testing.T) {
	for name, row := range map[string]struct {
		network  string
		counters int
		fail     bool
	}{
		"an address of IPv4":     {"192.0.2.1", 4, false},
		"one of IPv6, in a site": {"2001:db8:1:2::/64", 7, false},
		"one counter fails":      {"192.0.2.1", 4, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := setUp(t, func(p *recovery.Policy) { p.Limits = recovery.DefaultLimits() })
			m := &meeting{outside: b.outside, fail: row.fail}
			m.missing.Add(row.counters)
			s, err := recovery.NewService(recovery.Ports{
				Transactions: b.outside, Directory: b.outside, Passes: b.outside, Audit: b.outside, Issuings: b.outside, Attempts: m, Clock: b.clock, Random: rand.Reader,
			}, b.policy)
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = s.Start(t.Context(), recovery.StartParams{Client: "main-idp", Account: "ada@example.org", Network: row.network})
			counted := row.counters
			if row.fail {
				counted--
				if !errors.Is(err, errCounter) || len(b.transactions) != 0 {
					t.Errorf("%v, %d transactions, want the counter's error and none", err, len(b.transactions))
				}
			} else if err != nil {
				t.Error(err)
			}
			if len(b.hits) != counted {
				t.Errorf("%d counters were incremented, want %d", len(b.hits), counted)
			}
		})
	}
}
