package localpass_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"regain/adapters/localpass"
	"regain/recovery"
)

// memory is a map with a lock: the contract of Store and nothing else.
type memory struct {
	mu      sync.Mutex
	entries map[string]localpass.Entry
	counts  map[string]int64
	broken  error
}

func (s *memory) Put(_ context.Context, e localpass.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Version = s.entries[e.Key].Version + 1
	s.entries[e.Key] = e
	return s.broken
}

func (s *memory) Get(_ context.Context, key string) (localpass.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.entries[key]
	if !ok {
		return e, errors.Join(recovery.ErrNotFound, s.broken)
	}
	return e, s.broken
}

func (s *memory) Update(_ context.Context, e localpass.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries[e.Key].Version != e.Version {
		return recovery.ErrConflict
	}
	e.Version++
	s.entries[e.Key] = e
	return s.broken
}

// Increment counts for ever: the issuer's keys name their window.
func (s *memory) Increment(_ context.Context, key string, _ time.Duration) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[key]++
	return s.counts[key], s.broken
}

// version is that of the one entry.
func (s *memory) version() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.entries {
		return e.Version
	}
	return 0
}

type bench struct {
	*localpass.Issuer
	store *memory
	now   time.Time
}

func setUp(t *testing.T) *bench {
	t.Helper()
	b := &bench{store: &memory{entries: map[string]localpass.Entry{}, counts: map[string]int64{}}, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	issuer, err := localpass.New(localpass.Config{
		Key: bytes.Repeat([]byte{7}, 32), Store: b.store, Clock: func() time.Time { return b.now }, Random: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Issuer = issuer
	return b
}

func (b *bench) issue(t *testing.T, once bool) recovery.Pass {
	t.Helper()
	pass, err := b.Issue(t.Context(), recovery.PassOrder{
		Client:      "idp",
		Transaction: "txn", Account: recovery.Account{ID: "ada@example.org", Name: "Ada"}, Now: b.now,
		Policy: recovery.PassPolicy{Lifetime: time.Hour, Length: 12, UsableOnce: once},
	})
	if err != nil {
		t.Fatal(err)
	}
	return pass
}

func (b *bench) verify(t *testing.T, account recovery.AccountID, pass string) bool {
	t.Helper()
	_, ok, err := b.Verify(t.Context(), "idp", account, pass)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func TestOncePass(t *testing.T) {
	b := setUp(t)
	pass := b.issue(t, true)
	if pass.Issuer != "local" || len(pass.Value.Reveal()) != 12 || !pass.ExpiresAt.Equal(b.now.Add(time.Hour)) {
		t.Errorf("pass from %s of %d characters until %v", pass.Issuer, len(pass.Value.Reveal()), pass.ExpiresAt)
	}
	verdict, ok, err := b.Verify(t.Context(), "idp", "ada@example.org", pass.Value.Reveal())
	if err != nil || !ok || verdict.Transaction != "txn" || !verdict.UsableOnce {
		t.Fatalf("verify: %+v %t %v", verdict, ok, err)
	}
	if b.verify(t, "ada@example.org", pass.Value.Reveal()) {
		t.Error("a pass that is usable once was used twice")
	}
}

func TestPassForManyUses(t *testing.T) {
	b := setUp(t)
	pass := b.issue(t, false)
	for range 3 {
		if !b.verify(t, "ada@example.org", pass.Value.Reveal()) {
			t.Fatal("a pass for many uses was refused")
		}
	}
}

func TestEveryKindOfNo(t *testing.T) {
	for name, try := range map[string]func(b *bench, pass string) (recovery.AccountID, string){
		"another account":     func(_ *bench, pass string) (recovery.AccountID, string) { return "bob@example.org", pass },
		"another letter case": func(_ *bench, pass string) (recovery.AccountID, string) { return "ADA@example.org", pass },
		"the account's name":  func(_ *bench, pass string) (recovery.AccountID, string) { return "Ada", pass },
		"a full-width letter": func(_ *bench, pass string) (recovery.AccountID, string) { return "ａda@example.org", pass },
		"a space before":      func(_ *bench, pass string) (recovery.AccountID, string) { return " ada@example.org", pass },
		"no account":          func(_ *bench, pass string) (recovery.AccountID, string) { return "", pass },
		"empty pass":          func(*bench, string) (recovery.AccountID, string) { return "ada@example.org", "" },
		"one letter off": func(_ *bench, pass string) (recovery.AccountID, string) {
			return "ada@example.org", pass[1:] + "?"
		},
		"a prefix": func(_ *bench, pass string) (recovery.AccountID, string) { return "ada@example.org", pass[:11] },
		"endless": func(*bench, string) (recovery.AccountID, string) {
			return "ada@example.org", strings.Repeat("A", 1e6)
		},
		"expired": func(b *bench, pass string) (recovery.AccountID, string) {
			b.now = b.now.Add(time.Hour)
			return "ada@example.org", pass
		},
		"before it starts": func(b *bench, pass string) (recovery.AccountID, string) {
			b.now = b.now.Add(-time.Second)
			return "ada@example.org", pass
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := setUp(t)
			account, pass := try(b, b.issue(t, true).Value.Reveal())
			if b.verify(t, account, pass) {
				t.Error("accepted")
			}
		})
	}
}

func TestWhatPeopleDoToAPassIsForgiven(t *testing.T) {
	b := setUp(t)
	pass := b.issue(t, false).Value.Reveal()
	for _, typed := range []string{strings.ToLower(pass), pass[:4] + " " + pass[4:8] + "-" + pass[8:], " " + pass + " "} {
		if !b.verify(t, "ada@example.org", typed) {
			t.Error("refused a pass that was copied with a space, a hyphen or in lower case")
		}
	}
}

func TestANewPassVoidsTheOld(t *testing.T) {
	b := setUp(t)
	old, fresh := b.issue(t, true), b.issue(t, true)
	if b.verify(t, "ada@example.org", old.Value.Reveal()) || !b.verify(t, "ada@example.org", fresh.Value.Reveal()) {
		t.Error("the old pass is good, or the new one is not")
	}
}

func TestRevoke(t *testing.T) {
	b := setUp(t)
	pass := b.issue(t, true)
	if err := b.Revoke(t.Context(), "ada@example.org", "another id"); err != nil || len(b.store.entries) != 1 {
		t.Errorf("revoking another pass: %v", err)
	}
	if err := b.Revoke(t.Context(), "bob@example.org", pass.ID); err != nil {
		t.Errorf("revoking where there is none: %v", err)
	}
	if version := b.store.version(); version != 1 {
		t.Errorf("revoking others changed the pass: version %d", version)
	}
	if err := b.Revoke(t.Context(), "ada@example.org", pass.ID); err != nil {
		t.Fatal(err)
	}
	if version := b.store.version(); version != 2 {
		t.Errorf("version %d after revoking", version)
	}
	if b.verify(t, "ada@example.org", pass.Value.Reveal()) {
		t.Error("a revoked pass is good")
	}
	if err := b.Revoke(t.Context(), "ada@example.org", pass.ID); err != nil {
		t.Errorf("revoking twice: %v", err)
	}
	if version := b.store.version(); version != 2 {
		t.Errorf("version %d after revoking twice", version)
	}
}

func TestOneOfManyUsesThePass(t *testing.T) {
	b := setUp(t)
	pass := b.issue(t, true).Value.Reveal()
	var won, wg = make(chan struct{}, 64), sync.WaitGroup{}
	for range 64 {
		wg.Go(func() {
			if _, ok, _ := b.Verify(t.Context(), "idp", "ada@example.org", pass); ok {
				won <- struct{}{}
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Errorf("%d of 64 used a pass that is usable once", len(won))
	}
}

func TestTheStoreLearnsNothing(t *testing.T) {
	b := setUp(t)
	pass := b.issue(t, true)
	for key, e := range b.store.entries {
		if strings.Contains(key, "ada") || bytes.Contains(e.Data, []byte("ada")) || bytes.Contains(e.Data, []byte(pass.Value.Reveal())) {
			t.Error("the stored entry names the account or holds the pass")
		}
	}
}

func TestAnOutageIsAnErrorAndNoPass(t *testing.T) {
	b := setUp(t)
	pass := b.issue(t, true)
	b.store.broken = errors.New("disk on fire")
	if _, ok, err := b.Verify(t.Context(), "idp", "ada@example.org", pass.Value.Reveal()); ok || err == nil {
		t.Errorf("verify without a store: %t, %v", ok, err)
	}
	if _, err := b.Issue(t.Context(), recovery.PassOrder{Policy: recovery.PassPolicy{Length: 12}}); err == nil {
		t.Error("issued a pass that is kept nowhere")
	}
}

// A pass is for the client that got it: another one, with a key of its own, cannot use it, nor use up its guesses.
func TestAnotherClientHasNoPass(t *testing.T) {
	b := setUp(t)
	pass := b.issue(t, true)
	for range 10 {
		if _, ok, err := b.Verify(t.Context(), "another", "ada@example.org", pass.Value.Reveal()); ok || err != nil {
			t.Fatalf("verified for another client: %t, %v", ok, err)
		}
		if _, ok, err := b.Verify(t.Context(), "another", "ada@example.org", "WRONG"); ok || err != nil {
			t.Fatalf("verified for another client: %t, %v", ok, err)
		}
	}
	if _, ok, err := b.Verify(t.Context(), "idp", "ada@example.org", pass.Value.Reveal()); !ok || err != nil {
		t.Errorf("its own client: %t, %v", ok, err)
	}
}
