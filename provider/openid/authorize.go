package openid

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"regain/provider/binding"
	"regain/provider/clients"
	"regain/provider/oauth"
	"regain/provider/problem"
	"regain/provider/requests"
	"regain/provider/sessions"
	"regain/provider/web"
	"regain/recovery"
)

// authorization is the start of a recovery, at the client's request, and its end, when the browser goes back there.
type authorization struct {
	web      *web.Web
	oauth    *oauth.Server
	recovery *recovery.Service
	sessions browserSessions
	clock    func() time.Time
	binding  *binding.Binding
}

func (a *authorization) mount(r gin.IRouter, txn *gin.RouterGroup, forClient wrapper) {
	r.POST("/par", forClient(a.push))
	r.GET("/authorize", a.forBrowser(a.authorize))
	r.POST("/authorize", a.forBrowser(a.authorize))
	r.POST("/authorize/account", a.forBrowser(a.nameAccount))
	txn.POST("/finish", a.binding.Post(a.finish))
}

// push is RFC 9126.
func (a *authorization) push(c *gin.Context) error {
	form, err := requests.ReadPushed(c.Writer, c.Request)
	if err != nil {
		return err
	}
	pushed, err := a.oauth.Push(c.Request, form)
	if err != nil {
		return err
	}
	c.JSON(http.StatusCreated, pushed)
	return nil
}

// authorize answers a valid authorization request from the browser's session, where the client allows that, and
// otherwise opens a transaction and sends the browser to its first page. A person whom the client did not name is asked
// for the account first.
func (a *authorization) authorize(c *gin.Context) error {
	form, err := requests.ReadForm(c.Writer, c.Request)
	if err != nil {
		return err
	}
	request, err := a.oauth.Authorize(c, form)
	if err != nil {
		return err
	}
	client, err := a.oauth.Client(c, request.ClientID)
	if err != nil {
		return err
	}
	switch answered, err := a.answerFromSession(c, client, request); {
	case err != nil:
		return a.reject(c, request, problem.Unavailable(err))
	case answered:
		return nil
	case request.AuthnRequirements.Silent:
		return a.reject(c, request, problem.LoginRequired("This request needs the person; prompt=none cannot answer it."))
	case request.Account == "":
		return a.firstAsk(c, client, request)
	}
	return a.start(c, client, request)
}

// firstAsk is askAccount for a request that came just now. One that was not pushed is anybody's, and would be kept for
// anybody: those of one network are counted.
func (a *authorization) firstAsk(c *gin.Context, client *clients.Client, request requests.Authorization) error {
	if request.Pushed != "" {
		return a.askAccount(c, client, request, "")
	}
	switch err := a.recovery.CountAsked(c, a.web.Network(c)); {
	case errors.Is(err, recovery.ErrTooManyAttempts):
		return a.reject(c, request, tooMany())
	case err != nil:
		return a.reject(c, request, problem.Unavailable(err))
	}
	return a.askAccount(c, client, request, "")
}

// tooMany is the answer where a limit keeps a recovery from being opened at all.
func tooMany() *problem.Error {
	return problem.AccessDenied("Too many recoveries were started. Try again later.")
}

// answerFromSession grants the request if the client allows it, and the browser's session is young enough and of the
// right person, whose account may still have tokens. It reports whether the request was answered.
func (a *authorization) answerFromSession(c *gin.Context, client *clients.Client, request requests.Authorization) (bool, error) {
	if !client.ReuseSession {
		return false, nil
	}
	s, err := a.sessions.current(c)
	if errors.Is(err, sessions.ErrNone) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	account, err := a.recovery.Eligible(c, recovery.AccountID(s.Account), recovery.ProfileName(s.Profile))
	if errors.Is(err, recovery.ErrIneligible) {
		web.NoteError(c, err)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if request.Account != "" && !account.IsNamed(recovery.RequestedAccount(request.Account)) || !request.AuthnRequirements.Allow(s.AuthTime, a.clock()) {
		return false, nil
	}
	subject := client.Subject(account)
	if s, err = a.sessions.Join(c, s, client.ID, subject); err != nil {
		return false, err
	}
	response, err := a.oauth.Grant(c, request, oauth.Grant{
		FromSession: true, Transaction: s.Transaction, Profile: s.Profile, Session: s.ID, Account: s.Account, Subject: subject,
		AuthTime: s.AuthTime, ACR: s.ACR, AMR: s.AMR,
	})
	if err != nil {
		return false, err
	}
	return true, a.respond(c, response)
}

// start opens the transaction.
func (a *authorization) start(c *gin.Context, client *clients.Client, request requests.Authorization) error {
	kept := request
	kept.Account = "" // which is the transaction's own
	encoded, err := oauth.EncodeAuthorization(kept)
	if err != nil {
		return err
	}
	if refusal := a.oauth.CountVisit(c, request); refusal != nil {
		return refusal
	}
	t, secret, err := a.recovery.Start(c, recovery.StartParams{
		Client: recovery.ClientID(request.ClientID), Account: recovery.RequestedAccount(request.Account),
		Authorization: encoded, Network: a.web.Network(c), Agent: binding.AgentName(c.Request.UserAgent()), Lifetime: client.Contract.Lifetime(),
	})
	if errors.Is(err, recovery.ErrTooManyAttempts) {
		return a.reject(c, request, tooMany())
	}
	if err != nil {
		// Nothing was opened; the client hears of the outage by a response it can trust.
		return a.reject(c, request, problem.Unavailable(err))
	}
	binding.SetCookie(c, t, secret)
	binding.Note(c, t)
	return binding.RedirectToPage(c, t.ID, nil)
}

// accountPage asks for the account.
type accountPage struct {
	web.Page
	ClientID   string
	RequestURI string
	Fields     []web.Field // where the client hears that the person took too long
	Mistake    string
}

// askAccount shows the page that asks for the account. The request is kept meanwhile, under a request URI that the
// page's form carries.
func (a *authorization) askAccount(c *gin.Context, client *clients.Client, request requests.Authorization, mistake string) error {
	held, err := a.oauth.Hold(c, request)
	if err != nil {
		return a.reject(c, request, problem.Unavailable(err))
	}
	request.Pushed = held
	web.SecureHeaders(c)
	status := http.StatusOK
	if mistake != "" {
		status = http.StatusUnprocessableEntity
	}
	a.web.Render(c, status, "account", &accountPage{
		Page:     web.Page{Title: "Which account is yours?", Organisation: client.Name, PolicyURI: client.PolicyURI, TermsURI: client.TermsURI},
		ClientID: client.ID, RequestURI: request.Pushed, Mistake: mistake, Fields: []web.Field{
			{Name: "redirect_uri", Value: request.RedirectURI}, {Name: "state", Value: request.State}, {Name: "response_mode", Value: string(request.Mode)},
		},
	})
	return nil
}

// nameAccount takes the account that the person typed. Whether there is such an account shows nowhere.
func (a *authorization) nameAccount(c *gin.Context) error {
	if err := a.web.CheckOrigin(c); err != nil {
		return err
	}
	form, err := requests.ReadForm(c.Writer, c.Request)
	if err != nil {
		return err
	}
	if form.Get("request_uri") == "" {
		return web.ErrNotNow
	}
	request, err := a.oauth.AuthorizeHeld(c, form)
	if err != nil {
		return err
	}
	client, err := a.oauth.Client(c, request.ClientID)
	if err != nil {
		return err
	}
	name := strings.TrimSpace(form.Get("account")) // phones put a space after a word
	switch {
	case request.Account != "": // the client named it, and only the client may
		return web.ErrNotNow
	case name == "" || !recovery.Recordable(name):
		return a.askAccount(c, client, request, "Type the name you sign in with, such as ada@example.org.")
	}
	request.Account = name
	return a.start(c, client, request)
}
