package localpass_test

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"regain/adapters/localpass"
	"regain/recovery"
)

// A pass may be padded, by tabs too, up to the length that is still looked at. Beyond it nothing is compared: not even
// the right pass, or whoever sends a megabyte makes us hash it.
func TestThePassIsReadUpToALength(t *testing.T) {
	const longest = 4 * recovery.MaxPassLength
	b := setUp(t)
	pass := b.issue(t, false).Value.Reveal()
	for padding, ok := range map[string]bool{
		"\t":                                     true,
		strings.Repeat(" ", longest-len(pass)):   true,
		strings.Repeat(" ", longest-len(pass)+1): false,
		"_":                                      false, // no padding that people add
	} {
		if got := b.verify(t, "ada@example.org", pass+padding); got != ok {
			t.Errorf("padded by %q: accepted %t", padding, got)
		}
	}
}

// A pass whose end cannot be written down is not handed out: it would be one that nothing ends.
func TestAPassWithoutAnEndIsNone(t *testing.T) {
	b := setUp(t)
	b.now = time.Date(9999, 12, 31, 23, 30, 0, 0, time.UTC) // the last year of RFC 3339
	order := recovery.PassOrder{Client: "idp", Account: recovery.Account{ID: "ada@example.org"}, Now: b.now, Policy: recovery.PassPolicy{Length: 12, Lifetime: time.Minute}}
	if _, err := b.Issue(t.Context(), order); err != nil {
		t.Fatal(err)
	}
	order.Policy.Lifetime = time.Hour
	pass, err := b.Issue(t.Context(), order)
	if err == nil || !strings.Contains(err.Error(), "encode pass record") || pass.Value.Reveal() != "" || b.store.version() != 1 {
		t.Errorf("issued until %s, stored version %d: %v", pass.ExpiresAt, b.store.version(), err)
	}
}

// Where there is no pass there is nothing to void: a revocation that names none, of an account that has none, writes nothing.
func TestRevokingNothingWritesNothing(t *testing.T) {
	b := setUp(t)
	if err := b.Revoke(t.Context(), "ada@example.org", ""); err != nil || len(b.store.entries) > 0 {
		t.Errorf("%d entries, %v", len(b.store.entries), err)
	}
}

// noting is a store that notes for how long counters live.
type noting struct {
	localpass.Store
	window time.Duration
}

func (n *noting) Increment(ctx context.Context, key string, window time.Duration) (int64, error) {
	n.window = window
	return n.Store.Increment(ctx, key, window)
}

// Counters of guesses live as long as their window: whoever guesses for many names fills the store for a minute only.
func TestCountersLiveForOneWindow(t *testing.T) {
	b := setUp(t)
	store := &noting{Store: b.store}
	if _, ok, err := b.over(t, store, rand.Reader).Verify(t.Context(), "idp", "nobody", "WRONG"); ok || err != nil {
		t.Errorf("nobody's pass: %t, %v", ok, err)
	}
	if store.window != localpass.GuessWindow {
		t.Errorf("counted for %s", store.window)
	}
}
