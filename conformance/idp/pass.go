package idp

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// errPass is every kind of no: wrong, used, expired, for another account, no such account, too many tries.
var errPass = errors.New("pass refused")

// servePassForm shows the form for a pass that somebody holds already.
func (s *Server) servePassForm(w http.ResponseWriter, r *http.Request) error {
	account, _ := accountName(r.URL.Query().Get("account")) // a prefilled field, no more
	return s.show(w, http.StatusOK, view{Page: "pass", Account: account})
}

// servePass has Regain verify a pass. The session that it opens has one right: to create a passkey.
func (s *Server) servePass(w http.ResponseWriter, r *http.Request) error {
	account, err := accountName(r.PostFormValue("account"))
	pass := newSecret(r.PostFormValue("pass"))
	if err != nil || pass.Reveal() == "" || len(pass.Reveal()) > 256 {
		return fmt.Errorf("%w: not a form of ours", errPass)
	}
	_, exists := s.members[account]
	if !s.guesses.begin(account, exists) {
		return fmt.Errorf("%w: too many wrong passes", errPass)
	}
	answer, err := s.regain.verifyPass(r.Context(), account, pass)
	if err != nil {
		if refused := new(oauthError); errors.As(err, &refused) {
			return fmt.Errorf("%w: %w", errPass, err) // Regain does not take this client or this form
		}
		s.guesses.forgive(account, exists) // the pass was not looked at
		return err
	}
	if !answer.Active || !exists {
		return fmt.Errorf("%w: not active for this account", errPass)
	}
	s.guesses.forgive(account, exists)
	note(r, "txn", answer.Transaction)
	if err := s.startSession(w, r, session{right: rightCreatePasskey, account: account}, passLives); err != nil {
		return err
	}
	http.Redirect(w, r, "/passkey/new", http.StatusSeeOther)
	return nil
}

const (
	maxWrong    = 5
	wrongWindow = 15 * time.Minute
)

// guesses counts wrong passes for each account, in windows that end: no account is locked out for good. Names that are no
// accounts share a fixed number of counters, so that made-up ones fill no memory.
type guesses struct {
	clock  func() time.Time
	mu     sync.Mutex
	counts map[string]count
}

type count struct {
	wrong int
	since time.Time
}

func newGuesses(clock func() time.Time) *guesses {
	return &guesses{clock: clock, counts: make(map[string]count)}
}

// begin counts a try as wrong before it is known, so that many at once are no way round the limit. It reports whether
// the try may be made.
func (g *guesses) begin(account string, exists bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	key, now := counter(account, exists), g.clock()
	c := g.counts[key]
	if now.Sub(c.since) >= wrongWindow {
		c = count{since: now}
	}
	if c.wrong >= maxWrong {
		return false
	}
	c.wrong++
	g.counts[key] = c
	return true
}

// forgive takes a try back that was not wrong.
func (g *guesses) forgive(account string, exists bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := counter(account, exists)
	if c := g.counts[key]; c.wrong > 0 {
		c.wrong--
		g.counts[key] = c
	}
}

func counter(account string, exists bool) string {
	if exists {
		return "account:" + account
	}
	return "nobody:" + digest(account)[:2]
}
