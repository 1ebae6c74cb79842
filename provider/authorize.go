package provider

import (
	"errors"
	"net/http"
	"net/netip"

	"github.com/gin-gonic/gin"

	"regain/provider/clients"
	"regain/provider/oauth"
	"regain/provider/problem"
	"regain/recovery"
)

// authorize answers a valid authorization request from the browser's session, where the client allows that, and
// otherwise opens a transaction and sends the browser to its first page. A person whom the client did not name is asked
// for the account first.
func (p *Provider) authorize(c *gin.Context) {
	form, err := oauth.ReadForm(c.Writer, c.Request)
	if err != nil {
		p.failPage(c, err)
		return
	}
	request, err := p.deps.OAuth.Authorize(c, form)
	if err != nil {
		p.failAuthorize(c, err)
		return
	}
	client, err := p.deps.OAuth.Client(c, request.ClientID)
	if err != nil {
		p.failPage(c, err)
		return
	}
	switch answered, err := p.answerFromSession(c, client, request); {
	case err != nil:
		p.rejectTo(c, request, problem.Unavailable(err))
	case answered:
	case request.Demands.Silent:
		p.rejectTo(c, request, problem.LoginRequired("This request needs the person; prompt=none cannot answer it."))
	case request.Account == "":
		p.askAccount(c, client, request, "")
	default:
		p.start(c, client, request)
	}
}

// start opens the transaction.
func (p *Provider) start(c *gin.Context, client *clients.Client, request oauth.Authorization) {
	encoded, err := request.Encode()
	if err != nil {
		p.failPage(c, err)
		return
	}
	t, secret, err := p.deps.Recovery.Start(c, recovery.Opening{
		Client: recovery.ClientID(request.ClientID), Account: recovery.AccountName(request.Account),
		Authorization: encoded, Network: network(c.ClientIP()), Agent: agentOf(c.Request.UserAgent()), Lifetime: client.Contract.Lifetime(),
	})
	if err != nil {
		// Nothing was opened; the client hears of the outage by a response it can trust.
		p.rejectTo(c, request, problem.Unavailable(err))
		return
	}
	p.setBrowserCookie(c, t, secret)
	note(c, t)
	c.Redirect(http.StatusSeeOther, pagePath(t.ID))
}

// askAccount shows the page that asks for the account. The request is kept meanwhile, under a request URI that the
// page's form carries.
func (p *Provider) askAccount(c *gin.Context, client *clients.Client, request oauth.Authorization, mistake string) {
	held, err := p.deps.OAuth.Hold(c, request)
	if err != nil {
		p.rejectTo(c, request, problem.Unavailable(err))
		return
	}
	request.Pushed = held
	secureHeaders(c)
	status := http.StatusOK
	if mistake != "" {
		status = http.StatusUnprocessableEntity
	}
	p.render(c, status, "account", view{
		Title: "Which account is yours?", Organisation: client.Name, Mistake: mistake,
		ClientID: client.ID, RequestURI: request.Pushed, PolicyURI: client.PolicyURI, TermsURI: client.TermsURI,
	})
}

// nameAccount takes the account that the person typed. Whether there is such an account shows nowhere.
func (p *Provider) nameAccount(c *gin.Context) {
	if err := http.NewCrossOriginProtection().Check(c.Request); err != nil {
		p.failPage(c, errCSRF)
		return
	}
	form, err := oauth.ReadForm(c.Writer, c.Request)
	if err != nil {
		p.failPage(c, err)
		return
	}
	if form.Get("request_uri") == "" {
		p.failPage(c, errStaleForm)
		return
	}
	request, err := p.deps.OAuth.Authorize(c, form)
	if err != nil {
		p.failAuthorize(c, err)
		return
	}
	client, err := p.deps.OAuth.Client(c, request.ClientID)
	if err != nil {
		p.failPage(c, err)
		return
	}
	name := recovery.AccountName(form.Get("account"))
	switch {
	case request.Account != "": // the client named it: nobody else does
		p.failPage(c, errStaleForm)
		return
	case name.Key() == "" || len(name) > maxAccountName:
		p.askAccount(c, client, request, "Type the name you sign in with, such as ada@example.org.")
		return
	}
	request.Account = string(name)
	p.start(c, client, request)
}

const maxAccountName = 320 // octets of the longest mail address (RFC 5321 §4.5.3.1)

// network is what attempts are counted by: an IPv4 address, or the /64 that one IPv6 subscriber has.
func network(ip string) string {
	address, err := netip.ParseAddr(ip)
	if err != nil {
		return ""
	}
	if address = address.Unmap(); address.Is4() {
		return address.String()
	}
	const subscriber = 64
	prefix, err := address.WithZone("").Prefix(subscriber)
	if err != nil {
		return ""
	}
	return prefix.String()
}

// failAuthorize gives an error that may reach the client to it, and shows a page for one that may not.
func (p *Provider) failAuthorize(c *gin.Context, err error) {
	var refused *oauth.AuthorizeError
	if errors.As(err, &refused) && refused.Response != nil {
		noteError(c, err)
		p.respond(c, *refused.Response)
		return
	}
	p.failPage(c, err)
}

func (p *Provider) rejectTo(c *gin.Context, request oauth.Authorization, refusal *problem.Error) {
	noteError(c, refusal)
	response, err := p.deps.OAuth.Reject(c, request, refusal)
	if err != nil {
		p.failPage(c, err)
		return
	}
	p.respond(c, response)
}
