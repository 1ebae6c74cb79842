package recovery_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/recovery"
)

func mustSay(t *testing.T, what string, err error, says string) {
	t.Helper()
	if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
		t.Errorf("%s: %v, want %q", what, err, says)
	}
}

// The limits of a deployment that configures none.
func TestDefaultLimits(t *testing.T) {
	want := recovery.Limits{
		{Name: "account-network", Per: recovery.PerAccountNetwork, Max: 5, Window: time.Hour},
		{Name: "network", Per: recovery.PerNetwork, Max: 100, Window: time.Hour},
		{Name: "client", Per: recovery.PerClient, Max: 10_000, Window: time.Hour},
	}
	if got := recovery.DefaultLimits(); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	for window, ok := range map[time.Duration]bool{time.Minute - 1: false, time.Minute: true, 24 * time.Hour: true, 24*time.Hour + 1: false} {
		err := recovery.Limits{{Name: "l", Per: recovery.PerClient, Max: 1, Window: window}}.Validate()
		if (err == nil) != ok {
			t.Errorf("%s: %v", window, err)
		}
	}
}

// A limit counts by what it is for, and by nothing else: an attacker who changes the rest is counted on.
func TestLimitsCountByTheirSubject(t *testing.T) {
	networks := []string{"2001:db8:1:1::/64", "2001:db8:1:2::/64", "192.0.2.1"}
	for _, per := range []recovery.LimitPer{recovery.PerAccount, recovery.PerClient} {
		b := setUp(t, limited(recovery.Limit{Name: "l", Per: per, Max: 2, Window: time.Hour}))
		for i, network := range networks {
			if tx := b.attempt(t, "ada@example.org", network); (tx.State == recovery.StateDenied) != (i == 2) {
				t.Errorf("%s: attempt %d is %s", per, i+1, tx.State)
			}
		}
	}
	// Nobody's accounts are counted apart: one name's attempts are not another's.
	b := setUp(t, limited(recovery.Limit{Name: "l", Per: recovery.PerAccount, Max: 2, Window: time.Hour}))
	b.attempt(t, "nobody@example.org", "192.0.2.1")
	b.attempt(t, "noone@example.org", "192.0.2.1")
	if len(b.hits) != 4 {
		t.Errorf("%d counters for two names that nobody has", len(b.hits))
	}
}

// windows notes for how long counters live.
type windows struct {
	*outside
	seen map[time.Duration]int
}

func (w windows) Increment(ctx context.Context, key string, window time.Duration) (int64, error) {
	w.seen[window]++
	return w.outside.Increment(ctx, key, window)
}

func (w windows) Count(ctx context.Context, first, then []recovery.Hit) ([]int64, error) {
	return countEach(ctx, w.Increment, first, then)
}

// Beyond a limit four openings from a network are stored and recorded in an hour, with their reason, and the fifth is not
// opened at all.
func TestWhatIsBarredHasAnEnd(t *testing.T) {
	b := setUp(t, limited(recovery.Limit{Name: "l", Per: recovery.PerNetwork, Max: 1, Window: 7 * time.Minute}))
	counter := windows{b.outside, map[time.Duration]int{}}
	s, err := recovery.NewService(recovery.Ports{
		Transactions: b.outside, Directory: b.outside, Passes: b.outside, Audit: b.outside, Issuings: b.outside, Attempts: counter, Clock: b.clock, Random: ones{},
	}, b.policy)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		clear(b.transactions) // the randomness repeats itself
		tx, _, err := s.Start(t.Context(), recovery.StartParams{Client: "main-idp", Account: "ada@example.org", Network: "192.0.2.1"})
		switch {
		case i == 0:
			if err != nil || tx.State != recovery.StateStarted || tx.Decision != nil || b.last().Type != recovery.EventRecoveryStarted || !b.last().Success || b.last().Reason != recovery.ReasonNone {
				t.Errorf("the first: %s, recorded as %+v, %v", tx.State, b.last(), err)
			}
		case i <= 4:
			if err != nil || tx.State != recovery.StateDenied || tx.Decision == nil || tx.Decision.Outcome != recovery.OutcomeDenied || tx.Decision.Reason != recovery.ReasonTooManyAttempts ||
				b.last().Type != recovery.EventRecoveryDenied || b.last().Success || b.last().Reason != recovery.ReasonTooManyAttempts {
				t.Errorf("%d: %s, recorded as %+v, %v", i, tx.State, b.last(), err)
			}
		default:
			wantErr(t, err, recovery.ErrTooManyAttempts)
		}
	}
	if len(b.events) != 5 || len(counter.seen) != 2 || counter.seen[7*time.Minute] != 8 || counter.seen[time.Hour] == 0 {
		t.Errorf("%d records, counted for %v", len(b.events), counter.seen)
	}
}

// ones is no randomness.
type ones struct{}

func (ones) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 1
	}
	return len(p), nil
}
