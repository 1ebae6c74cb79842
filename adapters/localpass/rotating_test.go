package localpass_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"regain/adapters/localpass"
	"regain/recovery"
)

// node is one of several that share a store, with keys in its own order.
func (b *bench) node(t *testing.T, keys ...byte) *localpass.Rotating {
	t.Helper()
	var all [][]byte
	for _, fill := range keys {
		all = append(all, bytes.Repeat([]byte{fill}, 32))
	}
	cfg := localpass.Config{Key: all[0], Store: b.store, Clock: func() time.Time { return b.now }, Random: rand.Reader}
	r, err := localpass.NewRotating(cfg, all[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func order(b *bench, once bool) recovery.PassOrder {
	return recovery.PassOrder{Client: "idp", Transaction: "txn", Account: recovery.Account{ID: "ada@example.org"}, Now: b.now, Policy: recovery.PassPolicy{Lifetime: time.Hour, Length: 12, UsableOnce: once}}
}

// The key is announced, used and retired at one node after the other. In each step, a pass of either node is good at both,
// once.
func TestThePassKeyRotates(t *testing.T) {
	for name, nodes := range map[string][2][]byte{
		"before": {{1}, {1}}, "announced at one": {{1, 2}, {1}}, "announced": {{1, 2}, {1, 2}}, "used at one": {{2, 1}, {1, 2}},
		"used": {{2, 1}, {2, 1}}, "retired at one": {{2}, {2, 1}}, "retired": {{2}, {2}},
	} {
		b := setUp(t)
		a, z := b.node(t, nodes[0]...), b.node(t, nodes[1]...)
		for _, pair := range [][2]*localpass.Rotating{{a, z}, {z, a}} {
			pass, err := pair[0].Issue(t.Context(), order(b, true))
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range []bool{true, false} {
				if _, ok, err := pair[1].Verify(t.Context(), "idp", "ada@example.org", pass.Value.Reveal()); ok != want || err != nil {
					t.Errorf("%s: use %d at the other node: %t, %v", name, i+1, ok, err)
				}
			}
		}
	}
}

// An account has one pass, whichever keys the nodes use: a new one voids that of before, and a revocation finds it.
func TestOnePassOfAllKeys(t *testing.T) {
	b := setUp(t)
	first, second := b.node(t, 1, 2), b.node(t, 2, 1)
	old, err := first.Issue(t.Context(), order(b, false))
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := second.Issue(t.Context(), order(b, false))
	if err != nil {
		t.Fatal(err)
	}
	good := func(pass recovery.Pass) bool {
		t.Helper()
		_, ok, err := first.Verify(t.Context(), "idp", "ada@example.org", pass.Value.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if good(old) || !good(fresh) {
		t.Errorf("the pass of before is good: %t, the new one: %t", good(old), good(fresh))
	}
	if err := first.Revoke(t.Context(), "ada@example.org", fresh.ID); err != nil || good(fresh) {
		t.Errorf("a revoked pass is good: %t, %v", good(fresh), err)
	}
}

// Wrong guesses lock the passes of every key, and the lock is told the same for whichever.
func TestGuessesCountForEveryKey(t *testing.T) {
	for name, issuer := range map[string][]byte{"of the key that is used": {1}, "of the other": {2}, "of nobody": nil} {
		b := setUp(t)
		pass := "WRONG"
		if issuer != nil {
			issued, err := b.node(t, issuer...).Issue(t.Context(), order(b, true))
			if err != nil {
				t.Fatal(err)
			}
			pass = issued.Value.Reveal()
		}
		r := b.node(t, 1, 2)
		for range localpass.MaxGuesses {
			if v, ok, err := r.Verify(t.Context(), "idp", "ada@example.org", "WRONG"); ok || err != nil || v.RetryAfter != 0 {
				t.Fatalf("%s: a wrong pass: %t, %v, wait %s", name, ok, err, v.RetryAfter)
			}
		}
		if v, ok, err := r.Verify(t.Context(), "idp", "ada@example.org", pass); ok || err != nil || v.RetryAfter <= 0 {
			t.Errorf("%s: after too many guesses: %t, %v, wait %s", name, ok, err, v.RetryAfter)
		}
		b.now = b.now.Add(localpass.GuessWindow)
		if _, ok, err := r.Verify(t.Context(), "idp", "ada@example.org", pass); ok != (issuer != nil) || err != nil {
			t.Errorf("%s: after the lock: %t, %v", name, ok, err)
		}
	}
}

func TestRotatingFailsClosed(t *testing.T) {
	b := setUp(t)
	cfg := localpass.Config{Key: make([]byte, 32), Store: b.store, Clock: time.Now, Random: rand.Reader}
	if _, err := localpass.NewRotating(cfg, make([]byte, 31)); err == nil || !strings.Contains(err.Error(), "key 2 has 31 bytes") {
		t.Errorf("a short key: %v", err)
	}
	cfg.Store = nil
	if _, err := localpass.NewRotating(cfg); err == nil || !strings.Contains(err.Error(), "are required") {
		t.Errorf("no store: %v", err)
	}
	r := b.node(t, 2, 1)
	if _, err := b.node(t, 1).Issue(t.Context(), order(b, true)); err != nil {
		t.Fatal(err)
	}
	b.store.broken = errors.New("away")
	if _, err := r.Issue(t.Context(), order(b, true)); err == nil || !strings.Contains(err.Error(), "void the pass of another key: look for the pass: away") {
		t.Errorf("the old pass cannot be voided: %v", err)
	}
	if err := r.Revoke(t.Context(), "ada@example.org", "id"); err == nil || !strings.Contains(err.Error(), "revoke the pass") {
		t.Errorf("it cannot be revoked: %v", err)
	}
	if _, ok, err := r.Verify(t.Context(), "idp", "ada@example.org", "X"); ok || err == nil || !strings.Contains(err.Error(), "away") {
		t.Errorf("neither can be looked at: %t, %v", ok, err)
	}
}
