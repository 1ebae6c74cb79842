package openid

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"regain/provider/backchannel"
	"regain/provider/clients"
	"regain/provider/oauth"
	"regain/provider/problem"
	"regain/provider/requests"
	"regain/provider/sessions"
	"regain/provider/web"
	"regain/recovery"
)

// signOut ends sessions, and tells the clients.
type signOut struct {
	web      *web.Web
	oauth    *oauth.Server
	recovery *recovery.Service
	sessions browserSessions
	clients  *backchannel.Sender
}

func (s *signOut) mount(r gin.IRouter) {
	r.GET("/logout", s.web.Page(s.logout))
	r.POST("/logout", s.web.Page(s.logout))
}

// logout is OpenID Connect RP-Initiated Logout 1.0 §2. A request that shows an ID token of this browser's session ends
// it at once; any other one, which a page of somebody else may have sent, asks the person first (§6).
func (s *signOut) logout(c *gin.Context) error {
	form, err := requests.ReadForm(c.Writer, c.Request)
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
		return s.withoutCookie(c, form, request)
	case err != nil:
		return err
	case request.Session == session.ID || s.confirmed(c, form, string(session.Secret)):
		return s.endSession(c, session, request)
	}
	s.askLogout(c, form, string(session.Secret))
	return nil
}

// withoutCookie answers a browser that shows no session. The POST of a client's page comes without our cookie (RFC 6265bis
// §5.6.7.1, SameSite=Lax), so that shows nothing: the sessions of its hint end, which is signed by us and made for that client;
// without a hint the person is asked by a page of ours, whose form brings the cookie.
func (s *signOut) withoutCookie(c *gin.Context, form url.Values, request requests.Logout) error {
	if request.Subject != "" {
		hinted, err := s.hinted(c, request)
		if err != nil {
			return err
		}
		for _, session := range hinted {
			if err := s.end(c, session); err != nil {
				return err
			}
		}
		return s.signedOut(c, request)
	}
	if c.Request.Method == http.MethodPost && !s.web.FromOwnPage(c) && (c.GetHeader("Origin") != "" || c.GetHeader("Sec-Fetch-Site") != "") {
		s.askLogout(c, form, "")
		return nil
	}
	return s.signedOut(c, request)
}

// hinted returns the sessions that the hint means. Only a hint without a sid makes the directory say whose its sub is.
func (s *signOut) hinted(c *gin.Context, request requests.Logout) ([]sessions.Session, error) {
	hint := sessions.Hint{Session: request.Session, Client: request.Client.ID}
	if hint.Session == "" {
		account, err := s.recovery.EligibleByName(c, recovery.RequestedAccount(request.Subject))
		if errors.Is(err, recovery.ErrIneligible) { // whose sessions are not honoured any more
			return nil, nil
		}
		if err != nil {
			return nil, problem.Unavailable(err)
		}
		hint.Account = string(account.ID)
	}
	return s.sessions.Hinted(c, hint)
}

// confirmed reports whether the form is our own page's: its token knows the session or, where the page was made without the
// cookie, the browser says itself that the page is ours.
func (s *signOut) confirmed(c *gin.Context, form url.Values, secret string) bool {
	if c.Request.Method != http.MethodPost || s.web.CheckOrigin(c) != nil {
		return false
	}
	return web.HasFormToken(form, secret) || s.web.FromOwnPage(c) && web.HasFormToken(form, "")
}

// logoutPage asks whether the person wants to sign out, and carries the request on.
type logoutPage struct {
	web.Page
	CSRF   string
	Fields []web.Field
}

// askLogout asks, with a form for the session of this secret: "" for one that the browser does not show.
func (s *signOut) askLogout(c *gin.Context, form url.Values, secret string) {
	web.SecureHeaders(c)
	page := &logoutPage{Page: web.Page{Title: "Do you want to sign out?"}, CSRF: web.FormToken(secret)}
	for _, name := range []string{"id_token_hint", "post_logout_redirect_uri", "state", "client_id"} {
		if form.Has(name) {
			page.Fields = append(page.Fields, web.Field{Name: name, Value: form.Get(name)})
		}
	}
	s.web.Render(c, http.StatusOK, "logout", page)
}

// endSession ends the browser's session.
func (s *signOut) endSession(c *gin.Context, session sessions.Session, request requests.Logout) error {
	if err := s.end(c, session); err != nil {
		return err
	}
	web.EndCookie(c, sessionCookie)
	return s.signedOut(c, request)
}

// end ends a session and tells every client that got an ID token of it. A client that does not listen keeps nobody from
// signing out, and a person who leaves keeps no client from hearing of it.
func (s *signOut) end(c *gin.Context, session sessions.Session) error {
	ctx := context.WithoutCancel(c.Request.Context())
	ended, err := s.sessions.End(ctx, session.ID)
	if errors.Is(err, sessions.ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.tellClients(c, ended); err != nil {
		web.NoteError(c, err)
	}
	return nil
}

// tellClients sends the logout tokens, all at once: the person waits for each client's first answer, or leaves.
func (s *signOut) tellClients(c *gin.Context, session sessions.Session) error {
	var problems []error
	waiting := make(map[string]<-chan error, len(session.Subjects))
	for id, subject := range session.Subjects {
		client, err := s.oauth.Client(context.WithoutCancel(c.Request.Context()), id)
		switch {
		case err != nil:
			problems = append(problems, fmt.Errorf("tell %s of the logout: %w", id, err))
		case client.BackChannelLogoutURI != "":
			waiting[id] = s.clients.Send(c.Request.Context(), backchannel.Notification{
				Client: id, Address: client.BackChannelLogoutURI, Correlation: web.CorrelationID(c), Token: s.logoutToken(client, session.ID, subject),
			})
		}
	}
	for id, first := range waiting {
		select {
		case err := <-first:
			if err != nil {
				problems = append(problems, fmt.Errorf("tell %s of the logout: %w", id, err))
			}
		case <-c.Request.Context().Done():
			return errors.Join(problems...)
		}
	}
	return errors.Join(problems...)
}

func (s *signOut) logoutToken(client *clients.Client, session, subject string) func() (string, error) {
	return func() (string, error) {
		jti, err := s.web.NewID()
		if err != nil {
			return "", err
		}
		return s.oauth.LogoutToken(client, session, subject, session+"."+jti)
	}
}

func (s *signOut) signedOut(c *gin.Context, request requests.Logout) error {
	if request.RedirectURI == "" {
		web.SecureHeaders(c)
		s.web.Render(c, http.StatusOK, "signedout", &web.Page{Title: "You are signed out"})
		return nil
	}
	s.web.Leave(c, request.Location())
	return nil
}
