package openid

import (
	"errors"

	"github.com/gin-gonic/gin"

	"regain/provider/clients"
	"regain/provider/oauth"
	"regain/provider/sessions"
	"regain/provider/web"
	"regain/recovery"
)

// sessionCookie holds the browser's session for the clients that allow one: a secret that only sessions.Open can use, in
// a cookie that neither a script nor a sibling domain reads or sets (RFC 6265bis §4.1.3.2).
const sessionCookie = web.CookiePrefix + "session"

// browserSession returns the browser's session, or sessions.ErrNone.
func (e *Endpoints) browserSession(c *gin.Context) (sessions.Session, error) {
	secret := web.Cookie(c, sessionCookie)
	if secret == "" {
		return sessions.Session{}, sessions.ErrNone
	}
	return e.deps.Sessions.Open(c, secret)
}

// answerFromSession grants the request if the client allows it, and the browser's session is of the right person and
// young enough. It reports whether the request was answered.
func (e *Endpoints) answerFromSession(c *gin.Context, client *clients.Client, request oauth.Authorization) (bool, error) {
	if !client.ReuseSession {
		return false, nil
	}
	s, err := e.browserSession(c)
	if errors.Is(err, sessions.ErrNone) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if request.Account != "" && request.Account != s.Subject || !request.AuthnRequirements.Allow(s.Subject, s.AuthTime, e.deps.Clock()) {
		return false, nil
	}
	if s, err = e.deps.Sessions.Join(c, s, client.ID); err != nil {
		return false, err
	}
	response, err := e.deps.OAuth.Grant(c, request, oauth.Grant{
		Transaction: s.Transaction, Profile: s.Profile, Session: s.ID, Subject: s.Subject, AuthTime: s.AuthTime, ACR: s.ACR, AMR: s.AMR,
	})
	if err != nil {
		return false, err
	}
	return true, e.respond(c, response)
}

// beginSession opens a session for the person whom the transaction approved, in place of the browser's former one. For
// a client without sessions it returns the empty id.
func (e *Endpoints) beginSession(c *gin.Context, client *clients.Client, t recovery.Transaction) (string, error) {
	if !client.ReuseSession {
		return "", nil
	}
	s, cookie, err := e.deps.Sessions.Begin(c, sessions.Session{
		Subject: string(t.Account), Transaction: string(t.ID), Profile: string(t.Profile), AuthTime: t.DecidedAt, ACR: ACR, AMR: amrVerified(), Clients: []string{client.ID},
	})
	if err != nil {
		return "", err
	}
	web.SetCookie(c, sessionCookie, cookie, sessions.Lifetime)
	return s.ID, nil
}
