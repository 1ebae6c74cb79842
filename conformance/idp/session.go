package idp

import (
	"errors"
	"net/http"
	"time"

	"regain/conformance/idp/recovery"

	"github.com/go-webauthn/webauthn/webauthn"
)

const sessionCookie = "__Host-idp-session"

// right is what a session is good for: one thing.
type right int

const (
	rightSeePass       right = iota + 1 // recovered the account: the page with the pass
	rightCreatePasskey                  // signed in with a pass
	rightSeeCreated                     // the page after that
	rightHome                           // signed in with a passkey
)

type session struct {
	right   right
	account string
	proof   recovery.Recovered    // for rightSeePass
	pending *webauthn.SessionData // for rightCreatePasskey: the registration that was begun last
}

var (
	errNoSession = errors.New("no session with this right")
	errFull      = errors.New("too many people at once")
)

// sessions are the open sessions of all browsers.
type sessions struct {
	*cache[session]
	random *dice
	clock  func() time.Time
}

// start opens a session under a new id, so that none can be planted beforehand.
func (s sessions) start(w http.ResponseWriter, r *http.Request, v session, lives time.Duration) error {
	id, err := s.random.token()
	if err != nil {
		return err
	}
	s.end(r)
	if !s.put(digest(id), v, s.clock().Add(lives)) {
		return errFull
	}
	setCookie(w, sessionCookie, id, lives)
	return nil
}

// of returns the browser's session if it has the right, and the key it is kept under.
func (s sessions) of(r *http.Request, wanted right) (session, string, error) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return session{}, "", errNoSession
	}
	key := digest(cookie.Value)
	v, found := s.get(key)
	if !found || v.right != wanted {
		return session{}, "", errNoSession
	}
	return v, key, nil
}

func (s sessions) end(r *http.Request) {
	if cookie, err := r.Cookie(sessionCookie); err == nil {
		s.take(digest(cookie.Value))
	}
}

// setCookie binds something to this browser: no script reads it, no other host, no plain connection.
func setCookie(w http.ResponseWriter, name, value string, lives time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(lives / time.Second), Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func clearCookie(w http.ResponseWriter, name string) {
	http.SetCookie(w, &http.Cookie{Name: name, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}
