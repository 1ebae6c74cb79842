package provider

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"regain/provider/clients"
	"regain/provider/oauth"
	"regain/provider/sessions"
	"regain/recovery"
)

// sessionCookie holds the browser's session for the clients that allow one.
const sessionCookie = "__Host-regain-session"

// browserSession returns the browser's session, or sessions.ErrNone.
func (p *Provider) browserSession(c *gin.Context) (sessions.Session, error) {
	cookie, err := c.Request.Cookie(sessionCookie)
	if err != nil {
		return sessions.Session{}, sessions.ErrNone
	}
	return p.deps.Sessions.Open(c, cookie.Value)
}

// answerFromSession grants the request if the client allows it, and the browser's session is of the right person and
// young enough. It reports whether the request was answered.
func (p *Provider) answerFromSession(c *gin.Context, client *clients.Client, request oauth.Authorization) (bool, error) {
	if !client.ReuseSession {
		return false, nil
	}
	s, err := p.browserSession(c)
	if errors.Is(err, sessions.ErrNone) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if request.Account != "" && request.Account != s.Subject || !request.Demands.Allow(s.Subject, s.AuthTime, p.deps.Clock()) {
		return false, nil
	}
	if s, err = p.deps.Sessions.Join(c, s, client.ID); err != nil {
		return false, err
	}
	response, err := p.deps.OAuth.Grant(c, request, oauth.Grant{
		Transaction: s.Transaction, Profile: s.Profile, Session: s.ID, Subject: s.Subject, AuthTime: s.AuthTime, ACR: s.ACR, AMR: s.AMR,
	})
	if err != nil {
		return false, err
	}
	p.respond(c, response)
	return true, nil
}

// beginSession opens a session for the person whom the transaction approved, in place of the browser's former one. For
// a client without sessions it returns the empty id.
func (p *Provider) beginSession(c *gin.Context, client *clients.Client, t recovery.Transaction) (string, error) {
	if !client.ReuseSession {
		return "", nil
	}
	s, cookie, err := p.deps.Sessions.Begin(c, sessions.Session{
		Subject: string(t.Account), Transaction: string(t.ID), Profile: string(t.Profile), AuthTime: t.DecidedAt, ACR: ACR, AMR: amrVerified(), Clients: []string{client.ID},
	})
	if err != nil {
		return "", err
	}
	http.SetCookie(c.Writer, &http.Cookie{
		Name: sessionCookie, Value: cookie, Path: "/", Secure: true, HttpOnly: true,
		// Lax: the person comes from the client by a top-level navigation.
		SameSite: http.SameSiteLaxMode, MaxAge: int(sessions.Lifetime.Seconds()),
	})
	return s.ID, nil
}
