package idp

import (
	"errors"
	"net/http"
	"strings"

	"regain/conformance/rp"
)

const maxName = 256

func (s *Server) signIn(w http.ResponseWriter, _ *http.Request) {
	s.render(w, http.StatusOK, "sign-in", view{Title: "Sign in", Accounts: s.cfg.Accounts})
}

func (s *Server) otherWays(w http.ResponseWriter, r *http.Request) {
	account := strings.TrimSpace(r.URL.Query().Get("account"))
	if account == "" || len(account) > maxName {
		s.render(w, http.StatusBadRequest, "sign-in", view{Title: "Sign in", Mistake: "Type your account name first.", Accounts: s.cfg.Accounts})
		return
	}
	s.render(w, http.StatusOK, "other-ways", view{Title: "Other ways to sign in", Account: account})
}

// recover pushes the request and sends the browser to Regain. Accounts that do not exist go the same way: Regain's
// journey looks the same for them, so nobody learns here who exists.
func (s *Server) recover(w http.ResponseWriter, r *http.Request) {
	account := strings.TrimSpace(r.PostFormValue("account"))
	if account == "" || len(account) > maxName {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	attempt, err := s.rp.Start(r.Context(), account, nil)
	if err != nil {
		s.note(r.Context(), "recovery could not be started", err)
		s.render(w, http.StatusBadGateway, "problem", view{Title: "Account recovery does not answer", Advice: "Try again in a few minutes, or ask the help desk."})
		return
	}
	s.mu.Lock()
	open := s.session(w, r)
	open.attempt, open.recovers, open.pass = &attempt, account, ""
	s.mu.Unlock()
	http.Redirect(w, r, attempt.AuthorizeURL, http.StatusSeeOther)
}

// errNoAttempt means that this browser did not start the recovery that comes back.
var errNoAttempt = errors.New("no recovery was started in this browser, or it came back before")

// callback is the browser coming back from Regain. The attempt is used up, whatever comes.
func (s *Server) callback(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	open := s.session(w, r)
	attempt, account := open.attempt, open.recovers
	open.attempt, open.recovers = nil, ""
	s.mu.Unlock()
	recovery, err := s.finish(r, attempt, account)
	if err != nil {
		s.note(r.Context(), "recovery failed", err)
		shown := view{Title: "Your account was not recovered", Account: account, Code: "invalid_response"}
		if errors.Is(err, rp.ErrDenied) {
			shown.Code = r.URL.Query().Get("error")
		}
		s.render(w, http.StatusForbidden, "failed", shown)
		return
	}
	s.mu.Lock()
	open.recovers, open.pass = account, recovery.Recovery.Pass.Value
	s.mu.Unlock()
	// A page of its own, so that reloading it repeats nothing and the code is gone from the address.
	http.Redirect(w, r, "/pass", http.StatusSeeOther)
}

func (s *Server) finish(r *http.Request, attempt *rp.Attempt, account string) (rp.Recovery, error) {
	if attempt == nil {
		return rp.Recovery{}, errNoAttempt
	}
	code, err := s.rp.Code(*attempt, s.cfg.BaseURL+r.URL.RequestURI())
	if err != nil {
		return rp.Recovery{}, err
	}
	return s.redeem(r.Context(), *attempt, account, code)
}

// passPage is where a pass is typed; after a recovery it is there already.
func (s *Server) passPage(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	open := s.session(w, r)
	shown := view{Title: "Sign in with a pass", Account: strings.TrimSpace(r.URL.Query().Get("account"))}
	if open.pass != "" {
		shown = view{Title: "Welcome back", Account: open.recovers, Pass: open.pass}
	}
	s.mu.Unlock()
	s.render(w, http.StatusOK, "pass", shown)
}

// usePass verifies and uses up the pass at Regain. Every kind of no looks the same.
func (s *Server) usePass(w http.ResponseWriter, r *http.Request) {
	account, pass := strings.TrimSpace(r.PostFormValue("account")), r.PostFormValue("pass")
	refuse := func() {
		s.render(w, http.StatusForbidden, "pass", view{
			Title: "Sign in with a pass", Account: account,
			Mistake: "That pass is not good for this account. It may have been used or have expired. Recover your account to get another.",
		})
	}
	s.mu.Lock()
	blocked := s.blocked(key(account))
	s.mu.Unlock()
	if account == "" || pass == "" || len(account) > maxName || len(pass) > maxName || blocked {
		refuse()
		return
	}
	verdict, err := s.rp.VerifyPass(r.Context(), account, pass)
	if err != nil {
		s.note(r.Context(), "pass could not be verified", err)
		s.render(w, http.StatusBadGateway, "problem", view{Title: "Account recovery does not answer", Advice: "Your pass was not used. Try again in a minute."})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !verdict.Active || s.users[key(account)] == nil {
		s.missed(key(account))
		refuse()
		return
	}
	s.renew(w, r, key(account), rightCreatePasskey)
	http.Redirect(w, r, "/passkey", http.StatusSeeOther)
}
