package openid

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"

	"github.com/gin-gonic/gin"

	"regain/provider/oauth"
	"regain/provider/sessions"
	"regain/provider/web"
)

// logout is OpenID Connect RP-Initiated Logout 1.0 §2. A request that shows an ID token of this browser's session ends
// it at once; any other one, which a page of somebody else may have sent, asks the person first (§6).
func (e *Endpoints) logout(c *gin.Context) error {
	form, err := oauth.ReadForm(c.Writer, c.Request)
	if err != nil {
		return err
	}
	request, err := e.deps.OAuth.ReadLogout(c, form)
	if err != nil {
		return err
	}
	session, err := e.browserSession(c)
	switch {
	case errors.Is(err, sessions.ErrNone):
		return e.signedOut(c, request)
	case err != nil:
		return err
	case request.Session == session.ID || confirmed(c, form, session):
		return e.endSession(c, session, request)
	}
	e.askLogout(c, form, session)
	return nil
}

// confirmed reports whether the form is our own page's: its token knows the session.
func confirmed(c *gin.Context, form url.Values, s sessions.Session) bool {
	return c.Request.Method == http.MethodPost && web.CheckOrigin(c) == nil && web.HasFormToken(form, string(s.Secret))
}

// logoutPage asks whether the person wants to sign out, and carries the request on.
type logoutPage struct {
	web.Page
	CSRF   string
	Fields []web.Field
}

func (e *Endpoints) askLogout(c *gin.Context, form url.Values, s sessions.Session) {
	web.SecureHeaders(c)
	page := &logoutPage{Page: web.Page{Title: "Do you want to sign out?"}, CSRF: web.FormToken(string(s.Secret))}
	for _, name := range []string{"id_token_hint", "post_logout_redirect_uri", "state", "client_id"} {
		if form.Has(name) {
			page.Fields = append(page.Fields, web.Field{Name: name, Value: form.Get(name)})
		}
	}
	e.deps.Web.Render(c, http.StatusOK, "logout", page)
}

// endSession ends the browser's session and tells every client that got an ID token of it. A client that does not
// listen keeps nobody from signing out.
func (e *Endpoints) endSession(c *gin.Context, s sessions.Session, request oauth.Logout) error {
	ended, err := e.deps.Sessions.End(c, s.ID)
	if err != nil && !errors.Is(err, sessions.ErrNone) {
		return err
	}
	if err == nil {
		if err := e.tellClients(c, ended); err != nil {
			web.NoteError(c, err)
		}
	}
	web.EndCookie(c, sessionCookie)
	return e.signedOut(c, request)
}

// tellClients sends the logout tokens, all at once: the person waits for the slowest.
func (e *Endpoints) tellClients(c *gin.Context, s sessions.Session) error {
	var (
		wg       sync.WaitGroup
		mu       sync.Mutex
		problems []error
	)
	ctx := c.Request.Context()
	for _, id := range s.Clients {
		wg.Go(func() {
			if err := e.tellClient(ctx, id, s); err != nil {
				mu.Lock()
				defer mu.Unlock()
				problems = append(problems, fmt.Errorf("tell %s of the logout: %w", id, err))
			}
		})
	}
	wg.Wait()
	return errors.Join(problems...)
}

func (e *Endpoints) tellClient(ctx context.Context, id string, s sessions.Session) error {
	client, err := e.deps.OAuth.Client(ctx, id)
	if err != nil || client.BackChannelLogoutURI == "" {
		return err
	}
	jti, err := e.deps.Web.NewID()
	if err != nil {
		return err
	}
	token, err := e.deps.OAuth.LogoutToken(client, s.ID, s.Subject, s.ID+"."+jti)
	if err != nil {
		return err
	}
	return e.deps.Notify.PostForm(ctx, client.BackChannelLogoutURI, url.Values{"logout_token": {token}})
}

func (e *Endpoints) signedOut(c *gin.Context, request oauth.Logout) error {
	if request.RedirectURI == "" {
		web.SecureHeaders(c)
		e.deps.Web.Render(c, http.StatusOK, "signedout", &web.Page{Title: "You are signed out"})
		return nil
	}
	location, err := request.Location()
	if err != nil {
		return err
	}
	e.deps.Web.Leave(c, location)
	return nil
}
