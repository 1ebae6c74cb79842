package provider

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"

	"github.com/gin-gonic/gin"

	"regain/provider/oauth"
	"regain/provider/sessions"
)

// Notifier posts a form to a client; the hardened fetcher in production.
type Notifier interface {
	PostForm(ctx context.Context, address string, form url.Values) error
}

// logout is OpenID Connect RP-Initiated Logout 1.0 §2. A request that shows an ID token of this browser's session ends
// it at once; anything else, which somebody else's page may have sent, asks the person first (§6).
func (p *Provider) logout(c *gin.Context) {
	form, err := oauth.ReadForm(c.Writer, c.Request)
	if err != nil {
		p.failPage(c, err)
		return
	}
	request, err := p.deps.OAuth.ReadLogout(c, form)
	if err != nil {
		p.failPage(c, err)
		return
	}
	session, err := p.browserSession(c)
	switch {
	case errors.Is(err, sessions.ErrNone):
		p.signedOut(c, request)
	case err != nil:
		p.failPage(c, err)
	case request.Session == session.ID || p.confirmed(c, form, session):
		p.endSession(c, session, request)
	default:
		p.askLogout(c, form, session)
	}
}

// confirmed reports whether the form is our own page's: its token knows the session.
func (p *Provider) confirmed(c *gin.Context, form url.Values, s sessions.Session) bool {
	return c.Request.Method == http.MethodPost && http.NewCrossOriginProtection().Check(c.Request) == nil &&
		subtle.ConstantTimeCompare([]byte(form.Get("csrf")), []byte(csrfToken(string(s.Secret)))) == 1
}

func (p *Provider) askLogout(c *gin.Context, form url.Values, s sessions.Session) {
	secureHeaders(c)
	v := view{Title: "Do you want to sign out?", CSRF: csrfToken(string(s.Secret))}
	for _, name := range []string{"id_token_hint", "post_logout_redirect_uri", "state", "client_id"} {
		if form.Has(name) {
			v.Fields = append(v.Fields, field{name, form.Get(name)})
		}
	}
	p.render(c, http.StatusOK, "logout", v)
}

// endSession ends the browser's session and tells every client that got an ID token of it. A client that does not
// listen keeps nobody from signing out.
func (p *Provider) endSession(c *gin.Context, s sessions.Session, request oauth.Logout) {
	ended, err := p.deps.Sessions.End(c, s.ID)
	if err != nil && !errors.Is(err, sessions.ErrNone) {
		p.failPage(c, err)
		return
	}
	if err == nil {
		if err := p.tellClients(c, ended); err != nil {
			noteError(c, err)
		}
	}
	http.SetCookie(c.Writer, &http.Cookie{Name: sessionCookie, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: -1})
	p.signedOut(c, request)
}

// tellClients sends the logout tokens, all at once: the person waits for the slowest.
func (p *Provider) tellClients(c *gin.Context, s sessions.Session) error {
	var (
		wg       sync.WaitGroup
		mu       sync.Mutex
		problems []error
	)
	ctx := c.Request.Context()
	for _, id := range s.Clients {
		wg.Go(func() {
			if err := p.tellClient(ctx, id, s); err != nil {
				mu.Lock()
				defer mu.Unlock()
				problems = append(problems, fmt.Errorf("tell %s of the logout: %w", id, err))
			}
		})
	}
	wg.Wait()
	return errors.Join(problems...)
}

func (p *Provider) tellClient(ctx context.Context, id string, s sessions.Session) error {
	client, err := p.deps.OAuth.Client(ctx, id)
	if err != nil || client.BackChannelLogoutURI == "" {
		return err
	}
	jti, err := p.newCorrelationID()
	if err != nil {
		return err
	}
	token, err := p.deps.OAuth.LogoutToken(client, s.ID, s.Subject, s.ID+"."+jti)
	if err != nil {
		return err
	}
	return p.deps.Notify.PostForm(ctx, client.BackChannelLogoutURI, url.Values{"logout_token": {token}})
}

func (p *Provider) signedOut(c *gin.Context, request oauth.Logout) {
	if request.RedirectURI == "" {
		secureHeaders(c)
		p.render(c, http.StatusOK, "signedout", view{Title: "You are signed out"})
		return
	}
	location, err := request.Location()
	if err != nil {
		p.failPage(c, err)
		return
	}
	p.leave(c, location)
}
