package provider_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"regain/conformance/browser"
	"regain/conformance/rp"
	"regain/conformance/testenv"
	"regain/conformance/wallet"
	"regain/internal/config"
	"regain/internal/node"
	"regain/storage"
)

// errInjected must never be seen outside.
var errInjected = errors.New("injected outage")

// faultyStore fails one of its operations: the one after `after` others. It fails before anything was done, or after,
// when only the answer is lost.
type faultyStore struct {
	mu    sync.Mutex
	count int
	at    int // 0: none
	lost  bool
}

// arm has operation number at fail, counted from now; 0 for none. It returns how many there were since the last time.
func (s *faultyStore) arm(at int, lost bool) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := s.count
	s.count, s.at, s.lost = 0, at, lost
	return count
}

// fault says whether the operation that begins now fails, before or after its work.
func (s *faultyStore) fault() (before, after error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	switch {
	case s.count != s.at:
		return nil, nil
	case s.lost:
		return nil, errInjected
	}
	return errInjected, nil
}

func (s *faultyStore) do(work func() error) error {
	before, after := s.fault()
	if before != nil {
		return before
	}
	if err := work(); err != nil {
		return err
	}
	return after
}

// stubborn is a person, and an IdP, who try again whatever happens.
type stubborn struct {
	*fixture
	attempt rp.Attempt
	screen  bool     // for a client with deliver: screen
	seen    []string // what was answered
	passes  []string
}

// begin pushes a request, three times at the most, and returns where the browser goes.
func (p *stubborn) begin(ctx context.Context, account string) string {
	if p.screen {
		return p.Regain + "/authorize?" + url.Values{
			"response_type": {"code"}, "client_id": {"broker"}, "redirect_uri": {brokerRedirect}, "scope": {"openid"}, "login_hint": {account},
		}.Encode()
	}
	for range 3 {
		var err error
		if p.attempt, err = p.RP.Start(ctx, account, nil); err == nil {
			break
		}
		p.note(err)
	}
	return p.attempt.AuthorizeURL
}

// recover walks one recovery to its end, and redeems the code three times, or notes what the screen shows.
func (p *stubborn) recover(ctx context.Context, account string) error {
	start := p.begin(ctx, account)
	page, err := p.browser.Open(ctx, start)
	const steps = 20
	for range steps {
		if err != nil {
			return err
		}
		p.seen = append(p.seen, string(page.Body))
		if pass, there := page.ByID("pass"); there {
			p.passes = append(p.passes, pass)
		}
		switch {
		case page.URL.Host == "program.localhost" && p.screen:
			return nil
		case page.URL.Host == "program.localhost":
			return p.redeem(ctx, page.URL.String())
		}
		page, err = p.step(ctx, page, start)
	}
	return fmt.Errorf("no end after %d steps: %s", steps, page.Text())
}

// step does what the page asks for; from a page that is an error, it goes back to the recovery.
func (p *stubborn) step(ctx context.Context, page *browser.Page, start string) (*browser.Page, error) {
	if link, ok := page.Link("open-wallet"); ok {
		if next := p.present(ctx, link); next != "" {
			return p.browser.Open(ctx, next)
		}
		return p.browser.Open(ctx, page.URL.String())
	}
	for _, id := range []string{"have-verified-id", "show-pass", "finish"} {
		if form, ok := page.Form(id); ok {
			return p.browser.Submit(ctx, form, nil)
		}
	}
	if back, ok := page.Link("back"); ok {
		return p.browser.Follow(ctx, back)
	}
	if p.screen && len(p.passes) > 0 { // starting anew would be another transaction, and rightly another pass
		return nil, errors.New("there is no way on, and the person has the pass")
	}
	return p.browser.Open(ctx, start)
}

// present shows what the wallet has, once.
func (p *stubborn) present(ctx context.Context, link string) string {
	request, err := p.wallet.Review(ctx, link)
	if err == nil {
		err = p.wallet.FaceCheck(ctx, request.FaceCheckFor())
	}
	var next string
	if err == nil {
		next, err = p.wallet.Share(ctx, request, wallet.ShareOptions{})
	}
	p.note(err)
	return next
}

func (p *stubborn) redeem(ctx context.Context, returned string) error {
	code, err := p.RP.Code(p.attempt, returned)
	if err != nil {
		p.note(err)
		return err
	}
	for range 3 {
		tokens, err := p.RP.Redeem(ctx, p.attempt, code)
		if p.note(err); err == nil {
			p.passes = append(p.passes, tokens.RecoveryToken)
		}
	}
	return nil
}

func (p *stubborn) note(err error) {
	if err != nil {
		p.seen = append(p.seen, err.Error())
	}
}

// Whatever operation of the store fails, and whether it fails before or after it was done: there is one pass at most,
// none without its record, and nobody is told what broke (promises 1, 2 and 3). Nearly always the person, trying again,
// still gets back in.
func TestEveryOutageOfTheStore(t *testing.T) { tryEveryOutage(t, false) }

// The same holds of a pass that the person sees.
func TestEveryOutageOfTheStoreAtTheScreen(t *testing.T) { tryEveryOutage(t, true) }

func tryEveryOutage(t *testing.T, screen bool) {
	t.Helper()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(brokerSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	store := &faultyStore{}
	f := setUpEnv(t, testenv.Options{
		Namesakes: 256,
		Deps: func(d *node.Deps) {
			d.Wrap = func(backend storage.Store) storage.Store { return around(backend, store.do) }
		},
		Change: func(c *config.Config) {
			c.Limits = []config.LimitConfig{{Name: "account", Per: "account", Max: 100, Window: time.Hour}}
			c.Clients = append(c.Clients, screenClient(secret))
		},
	})
	store.arm(0, false)
	whole := &stubborn{fixture: f, screen: screen}
	if err := whole.recover(t.Context(), testenv.Namesake(0)); err != nil || len(whole.passes) != 1 {
		t.Fatalf("with no outage: %d passes, %v", len(whole.passes), err)
	}
	operations := store.arm(0, false)
	recovered, namesake := 0, 0
	for _, lost := range []bool{false, true} {
		for at := range operations {
			namesake++
			account := testenv.Namesake(namesake)
			store.arm(at+1, lost)
			p := &stubborn{fixture: f, screen: screen}
			err := p.recover(t.Context(), account)
			store.arm(0, false)
			if len(p.passes) > 1 {
				t.Errorf("operation %d, answer lost %t: %d passes", at+1, lost, len(p.passes))
			}
			if len(p.passes) == 1 && !strings.Contains(audited(t, f, account), `"pass_issuing"`) {
				t.Errorf("operation %d, answer lost %t: a pass without a record", at+1, lost)
			}
			if all := strings.Join(p.seen, "\n"); strings.Contains(all, errInjected.Error()) {
				t.Errorf("operation %d, answer lost %t: the outside is told: %s", at+1, lost, all)
			}
			if len(p.passes) == 1 {
				recovered++
			} else {
				t.Logf("operation %d, answer lost %t: no pass: %v", at+1, lost, err)
			}
		}
	}
	if t.Logf("%d operations; %d of %d recovered all the same", operations, recovered, 2*operations); recovered < operations {
		t.Errorf("only %d of %d outages were got over", recovered, 2*operations)
	}
}

// audited are the audit log's lines about an account.
func audited(t *testing.T, f *fixture, account string) string {
	t.Helper()
	log, err := os.ReadFile(f.AuditLog())
	if err != nil {
		t.Fatal(err)
	}
	var about []string
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, `"`+account+`"`) {
			about = append(about, line)
		}
	}
	return strings.Join(about, "")
}
