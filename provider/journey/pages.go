package journey

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"regain/provider/binding"
	"regain/provider/web"
	"regain/recovery"
)

// basePage is what every page of the browser that started may show. It holds no claim and no reason but the public one.
type basePage struct {
	web.Page
	Base        string // path of the transaction's page
	CSRF        string
	State       recovery.State
	Account     string // masked
	MinutesLeft int
	SignIn      bool // the client asks who somebody is, and for no pass
	ShowsPass   bool // the person gets the pass here
	Returned    bool // the browser was sent back to the client
	Completed   bool // and the client redeemed the code; set where no pass went with it
	Words
	Over bool // the way back to the client leads to its sign-in page, where a new recovery starts
}

// Words are what the page says of the situation, beside its heading.
type Words struct {
	Text   string
	Next   []string
	Button string
}

// proofingPage is a page that offers the proofing provider.
type proofingPage struct {
	basePage
	Verifier string // its name, "" for none
}

// pageFor is the one place that decides what a person sees next: from the stored state, and from nothing else.
func pageFor(s recovery.State) (name string) {
	switch s {
	case recovery.StateStarted, recovery.StateInformed:
		return "information"
	case recovery.StateProofing:
		return "proofing"
	case recovery.StateRequested, recovery.StateRetrieved, recovery.StatePresented:
		return "presentation"
	case recovery.StateApproved, recovery.StateIssuing, recovery.StateRedeemed:
		return "done"
	case recovery.StateEvaluated:
		return "evaluated"
	case recovery.StateDenied:
		return "denied"
	case recovery.StateCancelled:
		return "cancelled"
	}
	return "expired"
}

// showPage renders the transaction's page, with a mistake of the person's to point out, if any.
func (p *Pages) showPage(c *gin.Context, t recovery.Transaction, mistake string) error {
	name := pageFor(t.State)
	base, err := p.basePage(c, t)
	if err != nil {
		return err
	}
	data, err := p.dataFor(c, t, name, base, mistake)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if mistake != "" {
		status = http.StatusUnprocessableEntity
	}
	p.deps.Web.Render(c, status, name, data)
	return nil
}

// dataFor returns the data of a page by its name.
func (p *Pages) dataFor(c *gin.Context, t recovery.Transaction, name string, base basePage, mistake string) (web.Data, error) {
	switch name {
	case "information", "proofing":
		profile, err := p.deps.Recovery.Profile(t)
		if err != nil {
			return nil, err
		}
		page := &proofingPage{basePage: base}
		if provider, ok := p.deps.Proofing[profile.Proofing]; ok {
			page.Verifier = provider.Name()
		}
		return page, nil
	case "presentation":
		return p.presentationPage(c, t, base, mistake)
	}
	return &base, nil
}

// say sets what a page says of a situation.
func (b *basePage) say(s web.Situation) {
	words := s.Of(b.Organisation)
	b.Title, b.Words, b.Over = words.Heading, Words{words.Text, words.Next, words.Button}, s == web.Returned || s == web.PassNotMade || s == web.PassLost
}

func (p *Pages) basePage(c *gin.Context, t recovery.Transaction) (basePage, error) {
	client, err := p.deps.Client(c, t)
	if err != nil {
		return basePage{}, err
	}
	page := basePage{
		Page: web.Page{Organisation: client.Organisation, PolicyURI: client.PolicyURI, TermsURI: client.TermsURI},
		Base: web.Local(c, binding.Path(t.ID)), CSRF: binding.FormToken(c, t.ID), State: t.State, Account: t.Requested.Mask(),
		MinutesLeft: int(max(0, t.ExpiresAt.Sub(p.deps.Clock())).Round(time.Minute) / time.Minute),
		SignIn:      client.SignsIn, ShowsPass: client.ShowsPass, Returned: !t.ReturnedAt.IsZero(), Completed: !t.CodeRedeemedAt.IsZero(),
	}
	switch pageFor(t.State) {
	case "information":
		page.Title = "Recover your account"
	case "proofing":
		page.Title = "Get your Verified ID"
	default:
		page.say(situationOf(t, client))
	}
	return page, nil
}
