package openid

import (
	"github.com/gin-gonic/gin"

	"regain/provider/clients"
	"regain/provider/sessions"
	"regain/provider/web"
	"regain/recovery"
)

// sessionCookie holds the browser's session for the clients that allow one: a secret that only sessions.Open can use, in
// a cookie that neither a script nor a sibling domain reads or sets (RFC 6265bis §4.1.3.2).
const sessionCookie = web.CookiePrefix + "session"

// browserSessions are the sessions of browsers, each known by its cookie.
type browserSessions struct{ *sessions.Sessions }

// current returns the browser's session, or sessions.ErrNone.
func (b browserSessions) current(c *gin.Context) (sessions.Session, error) {
	secret := web.Cookie(c, sessionCookie)
	if secret == "" {
		return sessions.Session{}, sessions.ErrNone
	}
	return b.Open(c, secret)
}

// begin opens a session for the person whom the transaction approved, in place of the browser's former one. For
// a client without sessions it returns the empty id.
func (b browserSessions) begin(c *gin.Context, client *clients.Client, t recovery.Transaction, subject string) (string, error) {
	if !client.ReuseSession {
		return "", nil
	}
	s, cookie, err := b.Begin(c, sessions.Session{
		Account: string(t.Account), Transaction: string(t.ID), Profile: string(t.Profile), AuthTime: t.DecidedAt, ACR: ACR, AMR: amrVerified(), Subjects: map[string]string{client.ID: subject},
	})
	if err != nil {
		return "", err
	}
	web.SetCookie(c, sessionCookie, cookie, sessions.Lifetime)
	return s.ID, nil
}
