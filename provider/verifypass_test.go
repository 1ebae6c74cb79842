package provider_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"regain/conformance/testenv"
	"regain/internal/config"
	"regain/internal/node"
	"regain/storage"
)

// tally writes down the operations of a store, by what they do and to which kind of record.
type tally struct {
	storage.Store
	mu  sync.Mutex
	ops []string
}

func (s *tally) note(op string, kind storage.Kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ops = append(s.ops, fmt.Sprintf("%s %s", op, kind))
}

// since returns the operations since it was called last.
func (s *tally) since() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ops := s.ops
	s.ops = nil
	return ops
}

func (s *tally) Create(ctx context.Context, r storage.Record) error {
	s.note("create", r.Kind)
	return s.Store.Create(ctx, r)
}

func (s *tally) Update(ctx context.Context, r storage.Record) error {
	s.note("update", r.Kind)
	return s.Store.Update(ctx, r)
}

func (s *tally) Delete(ctx context.Context, kind storage.Kind, id string) error {
	s.note("delete", kind)
	return s.Store.Delete(ctx, kind, id)
}

func (s *tally) Get(ctx context.Context, kind storage.Kind, id string) (storage.Record, error) {
	s.note("get", kind)
	return s.Store.Get(ctx, kind, id)
}

func (s *tally) Consume(ctx context.Context, kind storage.Kind, id string) (storage.Record, error) {
	s.note("consume", kind)
	return s.Store.Consume(ctx, kind, id)
}

func (s *tally) List(ctx context.Context, kind storage.Kind, group, after string, limit int) ([]storage.Record, error) {
	s.note("list", kind)
	return s.Store.List(ctx, kind, group, after, limit)
}

func (s *tally) Increment(ctx context.Context, kind storage.Kind, id string, window time.Duration) (int64, error) {
	s.note("increment", kind)
	return s.Store.Increment(ctx, kind, id, window)
}

func (s *tally) Commit(ctx context.Context, changes []storage.Change) ([]storage.Result, error) {
	for _, c := range changes {
		s.note(string(c.Operation), c.Record.Kind)
	}
	s.note("commit", "")
	return s.Store.Commit(ctx, changes)
}

// One request at the pass endpoint says nothing of who has a pass: every kind of no has the same answer, after the same
// reads and the same durable changes.
func TestEveryNoOfAPassCostsTheSame(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(brokerSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	store, clock := &tally{}, &movingClock{}
	b := &broker{t: t, fixture: setUpEnv(t, testenv.Options{
		Clock: clock.now, Namesakes: 8,
		Deps:   func(d *node.Deps) { d.Wrap = func(s storage.Store) storage.Store { store.Store = s; return store } },
		Change: func(cfg *config.Config) { cfg.Clients = append(cfg.Clients, screenClient(secret)) },
	})}
	// Windows of guesses are aligned to the clock: begin just after the start of one.
	clock.advance(time.Minute - time.Duration(time.Now().UnixNano()%int64(time.Minute)) + time.Second)
	verify := func(account, pass string) (string, []string) {
		store.since()
		resp, body := b.send(t, http.MethodPost, b.Regain+"/pass/verify", formType, url.Values{
			"client_id": {"broker"}, "client_secret": {brokerSecret}, "account": {account}, "pass": {pass},
		}.Encode())
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", account, resp.StatusCode, body)
		}
		return strings.TrimSpace(body), store.since()
	}
	pass := func(n int) string {
		value, ok := b.press(t, b.approved(testenv.Namesake(n)), "show-pass").ByID("pass")
		if !ok {
			t.Fatal("no pass")
		}
		return value
	}
	// Another client's: the program's recovery ends with a pass for the program.
	page := b.press(t, b.start(t, testenv.Namesake(4)), "have-verified-id")
	next, err := b.browser.Open(t.Context(), b.share(t, b.review(t, page)))
	code, err := b.RP.Code(b.attempt, b.press(t, b.must(t, next, err), "finish").URL.String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.RP.Redeem(t.Context(), b.attempt, code); err != nil {
		t.Fatal(err)
	}
	expired := pass(3)
	clock.advance(2 * time.Hour)
	waiting, used := pass(1), pass(2)
	if answer, _ := verify(testenv.Namesake(2), used); !strings.Contains(answer, `"active":true`) {
		t.Fatal(answer)
	}
	want := []string{"increment pass-guesses", "get pass"}
	for name, row := range map[string]struct{ account, pass string }{
		"unknown account":             {"nobody@example.org", "WRONG"},
		"known, without a pass":       {testenv.Namesake(0), "WRONG"},
		"known, with a pass, a guess": {testenv.Namesake(1), "WRONG"},
		"an expired pass":             {testenv.Namesake(3), expired},
		"a used pass":                 {testenv.Namesake(2), used},
		"another client's pass":       {testenv.Namesake(4), "WRONG"},
		"another account's pass":      {testenv.Namesake(0), waiting},
	} {
		if answer, ops := verify(row.account, row.pass); answer != `{"active":false}` || !slices.Equal(ops, want) {
			t.Errorf("%s: %s after %q, want %q", name, answer, ops, want)
		}
	}
	var locked []string
	for _, account := range []string{"nobody@example.org", testenv.Namesake(0), testenv.Namesake(1)} {
		clock.advance(time.Minute)
		for range 10 {
			verify(account, "WRONG")
		}
		answer, ops := verify(account, "WRONG")
		if !strings.Contains(answer, `"retry_after":`) || !slices.Equal(ops, want) {
			t.Fatalf("%s, locked: %s after %q", account, answer, ops)
		}
		locked = append(locked, answer[:len(`{"active":false,"retry_after":`)])
		// Nobody else is locked with it, known or not: neither who has another name nor who has one that folds to this one.
		for _, other := range []string{"noone@example.org", testenv.Namesake(5), strings.Replace(account, "n", "\uff4e", 1), " " + account} {
			if answer, _ := verify(other, "WRONG"); answer != `{"active":false}` {
				t.Errorf("%s, while %s is locked: %s", other, account, answer)
			}
		}
		if answer, _ := verify(strings.ToUpper(account), "WRONG"); !strings.Contains(answer, `"retry_after":`) {
			t.Errorf("%s in capitals: %s", account, answer)
		}
	}
	if slices.Sort(locked); len(slices.Compact(locked)) != 1 {
		t.Errorf("locks differ: %q", locked)
	}
	clock.advance(time.Minute)
	if answer, _ := verify(testenv.Namesake(1), waiting); !strings.Contains(answer, `"active":true`) {
		t.Errorf("the right pass after the locks: %s", answer)
	}
}
