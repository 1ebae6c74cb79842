package openid

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"regain/provider/binding"
	"regain/provider/clients"
	"regain/provider/oauth"
	"regain/provider/problem"
	"regain/provider/web"
	"regain/recovery"
)

// push is RFC 9126.
func (e *Endpoints) push(c *gin.Context) error {
	form, err := oauth.ReadPushed(c.Writer, c.Request)
	if err != nil {
		return err
	}
	pushed, err := e.deps.OAuth.Push(c.Request, form)
	if err != nil {
		return err
	}
	c.JSON(http.StatusCreated, pushed)
	return nil
}

// authorize answers a valid authorization request from the browser's session, where the client allows that, and
// otherwise opens a transaction and sends the browser to its first page. A person whom the client did not name is asked
// for the account first.
func (e *Endpoints) authorize(c *gin.Context) error {
	form, err := oauth.ReadForm(c.Writer, c.Request)
	if err != nil {
		return err
	}
	request, err := e.deps.OAuth.Authorize(c, form)
	if err != nil {
		return err
	}
	client, err := e.deps.OAuth.Client(c, request.ClientID)
	if err != nil {
		return err
	}
	switch answered, err := e.answerFromSession(c, client, request); {
	case err != nil:
		return e.reject(c, request, problem.Unavailable(err))
	case answered:
		return nil
	case request.AuthnRequirements.Silent:
		return e.reject(c, request, problem.LoginRequired("This request needs the person; prompt=none cannot answer it."))
	case request.Account == "":
		return e.askAccount(c, client, request, "")
	}
	return e.start(c, client, request)
}

// start opens the transaction.
func (e *Endpoints) start(c *gin.Context, client *clients.Client, request oauth.Authorization) error {
	encoded, err := request.Encode()
	if err != nil {
		return err
	}
	t, secret, err := e.deps.Recovery.Start(c, recovery.StartParams{
		Client: recovery.ClientID(request.ClientID), Account: recovery.AccountName(request.Account),
		Authorization: encoded, Network: web.Network(c), Agent: binding.AgentName(c.Request.UserAgent()), Lifetime: client.Contract.Lifetime(),
	})
	if err != nil {
		// Nothing was opened; the client hears of the outage by a response it can trust.
		return e.reject(c, request, problem.Unavailable(err))
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
	Mistake    string
}

// askAccount shows the page that asks for the account. The request is kept meanwhile, under a request URI that the
// page's form carries.
func (e *Endpoints) askAccount(c *gin.Context, client *clients.Client, request oauth.Authorization, mistake string) error {
	held, err := e.deps.OAuth.Hold(c, request)
	if err != nil {
		return e.reject(c, request, problem.Unavailable(err))
	}
	request.Pushed = held
	web.SecureHeaders(c)
	status := http.StatusOK
	if mistake != "" {
		status = http.StatusUnprocessableEntity
	}
	e.deps.Web.Render(c, status, "account", &accountPage{
		Page:     web.Page{Title: "Which account is yours?", Organisation: client.Name, PolicyURI: client.PolicyURI, TermsURI: client.TermsURI},
		ClientID: client.ID, RequestURI: request.Pushed, Mistake: mistake,
	})
	return nil
}

// nameAccount takes the account that the person typed. Whether there is such an account shows nowhere.
func (e *Endpoints) nameAccount(c *gin.Context) error {
	if err := web.CheckOrigin(c); err != nil {
		return err
	}
	form, err := oauth.ReadForm(c.Writer, c.Request)
	if err != nil {
		return err
	}
	if form.Get("request_uri") == "" {
		return web.ErrNotNow
	}
	request, err := e.deps.OAuth.Authorize(c, form)
	if err != nil {
		return err
	}
	client, err := e.deps.OAuth.Client(c, request.ClientID)
	if err != nil {
		return err
	}
	name := strings.TrimSpace(form.Get("account")) // phones put a space after a word
	switch {
	case request.Account != "": // the client named it, and only the client may
		return web.ErrNotNow
	case name == "" || len(name) > maxAccountName:
		return e.askAccount(c, client, request, "Type the name you sign in with, such as ada@example.org.")
	}
	request.Account = name
	return e.start(c, client, request)
}

const maxAccountName = 320 // octets of the longest mail address (RFC 5321 §4.5.3.1)
