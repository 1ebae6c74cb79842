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

// Pages that ask for the account are counted by network and by site, and what is counted here is no attempt.
func TestPagesThatAskAreCounted(t *testing.T) {
	b := setUp(t, nil)
	many := func(n int, network func(i int) string) (refused int) {
		for i := range n {
			switch err := b.CountAsked(t.Context(), network(i)); {
			case errors.Is(err, recovery.ErrTooManyAttempts):
				refused++
			case err != nil:
				t.Fatal(err)
			}
		}
		return refused
	}
	for name, row := range map[string]struct {
		network func(i int) string
		allowed int
	}{
		"an address":     {func(int) string { return "192.0.2.1" }, 100},
		"a subscriber":   {func(int) string { return "2001:db8:1:1::/64" }, 100},
		"a site":         {func(i int) string { return fmt.Sprintf("2001:db8:2:%x::/64", i) }, 400},
		"no network":     {func(int) string { return recovery.UnknownNetwork }, 100},
		"many addresses": {func(i int) string { return fmt.Sprintf("198.51.%d.%d", i/200, i%200) }, 1000},
	} {
		if refused := many(1000, row.network); refused != 1000-row.allowed {
			t.Errorf("%s: %d of 1000 are refused, want %d", name, refused, 1000-row.allowed)
		}
	}
	if tx := b.attempt(t, "ada@example.org", "192.0.2.1"); tx.State != recovery.StateStarted {
		t.Errorf("an attempt from a network of which many were asked is %s", tx.State)
	}
	service, err := recovery.NewService(recovery.Ports{
		Transactions: b.outside, Directory: b.outside, Passes: b.outside, Audit: b.outside, Issuings: b.outside, Attempts: noCounter{}, Clock: b.clock, Random: rand.Reader,
	}, b.policy)
	if err != nil {
		t.Fatal(err)
	}
	if err := service.CountAsked(t.Context(), "203.0.113.1"); !errors.Is(err, errDisk) || errors.Is(err, recovery.ErrTooManyAttempts) {
		t.Errorf("an outage: %v", err)
	}
}
