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

// meeting is a counter that lets nobody of a group go before all of it have come, or one has waited too long.
type meeting struct {
	*outside
	groups []*group
	fail   bool // the count of the last one fails
	mu     sync.Mutex
	come   int
}

type group struct {
	size    int
	missing sync.WaitGroup
}

// meet returns the group of who comes now, and whether they are the last of all.
func (m *meeting) meet() (g *group, last bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.come++
	before := 0
	for i, g := range m.groups {
		if before += g.size; m.come <= before {
			g.missing.Done()
			return g, i == len(m.groups)-1 && m.come == before
		}
	}
	panic("one counter more than there are")
}

var errCounter = errors.New("the counter is away")

func (m *meeting) Increment(ctx context.Context, key string, window time.Duration) (int64, error) {
	g, last := m.meet()
	all := make(chan struct{})
	go func() { g.missing.Wait(); close(all) }()
	select {
	case <-all:
	case <-time.After(5 * time.Second):
		return 0, errors.New("the other counters were not asked meanwhile")
	}
	if last && m.fail {
		return 0, errCounter
	}
	return m.outside.Increment(ctx, key, window)
}

// A store that waits for its disk waits twice for all counters of an attempt: for those that do not depend on the account,
// and for the others. One that fails ends the attempt, and the others are counted all the same.
func TestLimitsAreCountedTogether(t *testing.T) {
	for name, row := range map[string]struct {
		network string
		general int
		account int
		fail    bool
	}{
		"an address of IPv4":     {"192.0.2.1", 2, 2, false},
		"one of IPv6, in a site": {"2001:db8:1:2::/64", 3, 4, false},
		"one counter fails":      {"192.0.2.1", 2, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := setUp(t, func(p *recovery.Policy) { p.Limits = recovery.DefaultLimits() })
			m := &meeting{outside: b.outside, fail: row.fail}
			for _, size := range []int{row.general, row.account} {
				g := &group{size: size}
				g.missing.Add(size)
				m.groups = append(m.groups, g)
			}
			s, err := recovery.NewService(recovery.Ports{
				Transactions: b.outside, Directory: b.outside, Passes: b.outside, Audit: b.outside, Issuings: b.outside, Attempts: m, Clock: b.clock, Random: rand.Reader,
			}, b.policy)
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = s.Start(t.Context(), recovery.StartParams{Client: "main-idp", Account: "ada@example.org", Network: row.network})
			counted := row.general + row.account
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
