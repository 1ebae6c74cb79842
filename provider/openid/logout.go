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

// signOut ends sessions, and tells the clients.
type signOut struct {
	web      *web.Web
	oauth    *oauth.Server
	sessions browserSessions
	notify   Notifier
}

func (s *signOut) mount(r gin.IRouter) {
	r.GET("/logout", s.web.Page(s.logout))
	r.POST("/logout", s.web.Page(s.logout))
}

// logout is OpenID Connect RP-Initiated Logout 1.0 §2. A request that shows an ID token of this browser's session ends
// it at once; any other one, which a page of somebody else may have sent, asks the person first (§6).
func (s *signOut) logout(c *gin.Context) error {
	form, err := oauth.ReadForm(c.Writer, c.Request)
	if err != nil {
		return err
	}
	request, err := s.oauth.ReadLogout(c, form)
	if err != nil {
		return err
	}
	session, err := s.sessions.current(c)
	switch {
	case errors.Is(err, sessions.ErrNone):
		return s.signedOut(c, request)
	case err != nil:
		return err
	case request.Session == session.ID || confirmed(c, form, session):
		return s.endSession(c, session, request)
	}
	s.askLogout(c, form, session)
	return nil
}

// confirmed reports whether the form is our own page's: its token knows the session.
func confirmed(c *gin.Context, form url.Values, session sessions.Session) bool {
	return c.Request.Method == http.MethodPost && web.CheckOrigin(c) == nil && web.HasFormToken(form, string(session.Secret))
}

// logoutPage asks whether the person wants to sign out, and carries the request on.
type logoutPage struct {
	web.Page
	CSRF   string
	Fields []web.Field
}

func (s *signOut) askLogout(c *gin.Context, form url.Values, session sessions.Session) {
	web.SecureHeaders(c)
	page := &logoutPage{Page: web.Page{Title: "Do you want to sign out?"}, CSRF: web.FormToken(string(session.Secret))}
	for _, name := range []string{"id_token_hint", "post_logout_redirect_uri", "state", "client_id"} {
		if form.Has(name) {
			page.Fields = append(page.Fields, web.Field{Name: name, Value: form.Get(name)})
		}
	}
	s.web.Render(c, http.StatusOK, "logout", page)
}

// endSession ends the browser's session and tells every client that got an ID token of it. A client that does not
// listen keeps nobody from signing out.
func (s *signOut) endSession(c *gin.Context, session sessions.Session, request oauth.Logout) error {
	ended, err := s.sessions.End(c, session.ID)
	if err != nil && !errors.Is(err, sessions.ErrNone) {
		return err
	}
	if err == nil {
		if err := s.tellClients(c, ended); err != nil {
			web.NoteError(c, err)
		}
	}
	web.EndCookie(c, sessionCookie)
	return s.signedOut(c, request)
}

// tellClients sends the logout tokens, all at once: the person waits for the slowest.
func (s *signOut) tellClients(c *gin.Context, session sessions.Session) error {
	var (
		wg       sync.WaitGroup
		mu       sync.Mutex
		problems []error
	)
	ctx := c.Request.Context()
	for id, subject := range session.Subjects {
		wg.Go(func() {
			if err := s.tellClient(ctx, id, session.ID, subject); err != nil {
				mu.Lock()
				defer mu.Unlock()
				problems = append(problems, fmt.Errorf("tell %s of the logout: %w", id, err))
			}
		})
	}
	wg.Wait()
	return errors.Join(problems...)
}

func (s *signOut) tellClient(ctx context.Context, id, session, subject string) error {
	client, err := s.oauth.Client(ctx, id)
	if err != nil || client.BackChannelLogoutURI == "" {
		return err
	}
	jti, err := s.web.NewID()
	if err != nil {
		return err
	}
	token, err := s.oauth.LogoutToken(client, session, subject, session+"."+jti)
	if err != nil {
		return err
	}
	return s.notify.PostForm(ctx, client.BackChannelLogoutURI, url.Values{"logout_token": {token}})
}

func (s *signOut) signedOut(c *gin.Context, request oauth.Logout) error {
	if request.RedirectURI == "" {
		web.SecureHeaders(c)
		s.web.Render(c, http.StatusOK, "signedout", &web.Page{Title: "You are signed out"})
		return nil
	}
	s.web.Leave(c, request.Location())
	return nil
}
