package recovery_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"regain/recovery"
)

// meeting is a counter that notes how many hits come together.
type meeting struct {
	*outside
	first, then []int
	single      int
	fail        bool // the count of the last one fails
}

var errCounter = errors.New("the counter is away")

func (m *meeting) Increment(ctx context.Context, key string, window time.Duration) (int64, error) {
	m.single++
	return m.outside.Increment(ctx, key, window)
}

func (m *meeting) Count(ctx context.Context, first, then []recovery.Hit) ([]int64, error) {
	m.first, m.then = append(m.first, len(first)), append(m.then, len(then))
	left := len(first) + len(then)
	return countEach(ctx, func(ctx context.Context, key string, window time.Duration) (int64, error) {
		if left--; left == 0 && m.fail {
			return 0, errCounter
		}
		return m.outside.Increment(ctx, key, window)
	}, first, then)
}

// A store that waits for its disk waits once for all counters of an attempt: those that do not depend on the account, and
// then the others. One that fails ends the attempt.
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
			if len(m.first) != 1 || m.first[0] != row.general || m.then[0] != row.account || m.single != 0 {
				t.Errorf("counted %v and then %v together, and %d alone; want %d and %d", m.first, m.then, m.single, row.general, row.account)
			}
			if len(b.hits) != counted {
				t.Errorf("%d counters were incremented, want %d", len(b.hits), counted)
			}
		})
	}
}

// Beyond a limit that does not depend on the account, no counter of an account is made: whoever goes on with a new name each
// time would fill the store with them.
func TestBeyondAGeneralLimitNoAccountIsCounted(t *testing.T) {
	b := setUp(t, limited(
		recovery.Limit{Name: "account", Per: recovery.PerAccount, Max: 9, Window: time.Hour}, recovery.Limit{Name: "network", Per: recovery.PerNetwork, Max: 2, Window: time.Hour},
		recovery.Limit{Name: "client", Per: recovery.PerClient, Max: 9, Window: time.Hour},
	))
	for range 2 {
		b.attempt(t, "ada@example.org", "192.0.2.1")
	}
	before := len(b.hits)
	for _, account := range []recovery.RequestedAccount{"a@example.org", "b@example.org", "c@example.org"} {
		if tx := b.attempt(t, account, "192.0.2.1"); tx.State != recovery.StateDenied {
			t.Errorf("%s: %s", account, tx.State)
		}
	}
	if barred := 2; len(b.hits) != before+barred { // what is barred of the network and of the client
		t.Errorf("%d counters are new, want %d", len(b.hits)-before, barred)
	}
}
