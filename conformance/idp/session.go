package idp

import (
	"net/http"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"regain/conformance/rp"
)

const (
	cookieName  = "__Host-idp"
	sessionLife = 30 * time.Minute
	maxSessions = 10_000
)

// right is what a session may do.
type right string

const (
	rightNone          right = ""
	rightCreatePasskey right = "create-passkey" // after a pass
	rightHome          right = "home"           // after a passkey
)

// session is what the server remembers of one browser.
type session struct {
	ends    time.Time
	account string // key of the user who is signed in
	right   right

	attempt   *rp.Attempt // the recovery that this browser started; used up by the first callback
	recovers  string      // the account whose recovery that is
	pass      string      // from the recovery token, until it is used
	challenge *webauthn.SessionData
}

// session returns the browser's session, making one if need be. The caller holds s.mu.
func (s *Server) session(w http.ResponseWriter, r *http.Request) *session {
	now := s.cfg.Clock()
	if cookie, err := r.Cookie(cookieName); err == nil {
		if open := s.sessions[cookie.Value]; open != nil && now.Before(open.ends) {
			return open
		}
	}
	if len(s.sessions) >= maxSessions {
		for id, old := range s.sessions {
			if !now.Before(old.ends) {
				delete(s.sessions, id)
			}
		}
		if len(s.sessions) >= maxSessions {
			clear(s.sessions)
		}
	}
	return s.newSession(w)
}

// renew gives a browser that signs in another session id: whoever knew the old one gains nothing.
func (s *Server) renew(w http.ResponseWriter, r *http.Request, account string, may right) {
	if cookie, err := r.Cookie(cookieName); err == nil {
		delete(s.sessions, cookie.Value)
	}
	open := s.newSession(w)
	open.account, open.right = account, may
}

func (s *Server) newSession(w http.ResponseWriter) *session {
	id := s.text()
	open := &session{ends: s.cfg.Clock().Add(sessionLife)}
	s.sessions[id] = open
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: id, Path: "/", Secure: true, HttpOnly: true,
		SameSite: http.SameSiteLaxMode, // the browser comes back from Regain by a top-level navigation
	})
	return open
}

// user is an account with its passkeys. It implements webauthn.User.
type user struct {
	Account
	handle      []byte
	credentials []webauthn.Credential
}

// WebAuthnID implements webauthn.User.
func (u *user) WebAuthnID() []byte { return u.handle }

// WebAuthnName implements webauthn.User.
func (u *user) WebAuthnName() string { return u.Name }

// WebAuthnDisplayName implements webauthn.User.
func (u *user) WebAuthnDisplayName() string { return u.DisplayName }

// WebAuthnCredentials implements webauthn.User.
func (u *user) WebAuthnCredentials() []webauthn.Credential { return u.credentials }

// misses counts wrong passes for one account.
type misses struct {
	count int
	ends  time.Time
}

const (
	maxMisses   = 5
	missesCount = 15 * time.Minute
)

// blocked reports whether too many wrong passes were typed for the account. The caller holds s.mu.
func (s *Server) blocked(account string) bool {
	m := s.misses[account]
	return s.cfg.Clock().Before(m.ends) && m.count >= maxMisses
}

func (s *Server) missed(account string) {
	now := s.cfg.Clock()
	m := s.misses[account]
	if !now.Before(m.ends) {
		m = misses{ends: now.Add(missesCount)}
	}
	m.count++
	if len(s.misses) >= maxSessions {
		clear(s.misses)
	}
	s.misses[account] = m
}
