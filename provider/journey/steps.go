package journey

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"regain/provider/binding"
	"regain/provider/web"
	"regain/recovery"
)

// errNoProofing: the profile offers no proofing provider, so its page has no such button.
var errNoProofing = fmt.Errorf("no proofing provider is configured for this profile: %w", web.ErrNotNow)

// show renders the page for the transaction's state.
func (p *Pages) show(c *gin.Context, t recovery.Transaction) error { return p.showPage(c, t, "") }

func (p *Pages) ask(c *gin.Context, t recovery.Transaction) error {
	_, err := p.deps.Recovery.Ask(c, t)
	return goOn(c, t, err)
}

func (p *Pages) cancel(c *gin.Context, t recovery.Transaction) error {
	_, err := p.deps.Recovery.Cancel(c, t)
	return goOn(c, t, err)
}

func (p *Pages) proceed(c *gin.Context, t recovery.Transaction) error {
	_, err := p.deps.Recovery.Proceed(c, t)
	return goOn(c, t, err)
}

// goOn sends the browser to the page that is due after a button. A second click, a button of a page that Back or a restart
// brought up again, and one of another tab find that the transaction has moved on: nothing was done, and the page says where
// things stand, which is more than an error would.
func goOn(c *gin.Context, t recovery.Transaction, err error) error {
	for _, moved := range []error{recovery.ErrIllegalStep, recovery.ErrNoTransaction, recovery.ErrAnswered, recovery.ErrExpired} {
		if errors.Is(err, moved) {
			web.NoteError(c, err)
			err = nil
		}
	}
	return binding.RedirectToPage(c, t.ID, err)
}

// leaveForProofing hands the person to the profile's proofing provider by a one-time signed URL. The reference is the
// transaction's digest: the provider learns nothing that opens anything here.
func (p *Pages) leaveForProofing(c *gin.Context, t recovery.Transaction) error {
	profile, err := p.deps.Recovery.Profile(t)
	if err != nil {
		return err
	}
	provider, ok := p.deps.Proofing[profile.Proofing]
	if !ok {
		return errNoProofing
	}
	reference := recovery.DigestOf("proofing\x00" + string(t.ID))
	target, err := provider.URL(c, string(reference), p.deps.Issuer+binding.Path(t.ID)+"/proofed")
	if err != nil {
		return err
	}
	if _, err := p.deps.Recovery.LeaveForProofing(c, t); err != nil {
		return goOn(c, t, err)
	}
	p.deps.Web.Leave(c, target)
	return nil
}

// proofed is the way back. The status is a courtesy for the page: what was issued shows when it is presented.
func (p *Pages) proofed(c *gin.Context, t recovery.Transaction) error {
	var err error
	if t.State == recovery.StateProofing {
		_, err = p.deps.Recovery.ComeBack(c, t, c.Query("status") == "completed")
	}
	return goOn(c, t, err)
}

// walletReturn is where a same-device wallet sends the browser (OpenID4VP 1.0 §8.2). In the browser that started, the
// response code brings the verdict into force; in any other one, it ends the transaction.
func (p *Pages) walletReturn(c *gin.Context) error {
	code := c.Query("response_code")
	t, err := p.deps.Binding.Open(c)
	if errors.Is(err, recovery.ErrOtherBrowser) {
		if ended := p.deps.Recovery.ReturnElsewhere(c, binding.ID(c), code); ended != nil {
			return errors.Join(err, ended)
		}
		return errors.Join(web.ErrBroughtBack, err)
	}
	if err != nil {
		return err
	}
	web.NoteBack(c, c.Request.URL.RequestURI()) // the code is in this address: after an outage, the same step is the next one
	if code != "" {                             // without one, the wallet reported an error and sends the person back to the page
		if _, err = p.deps.Recovery.Return(c, t, code); errors.Is(err, recovery.ErrWrongCode) {
			err = nil // an old link; the page says where things stand
		}
	}
	return goOn(c, t, err)
}

// confirmationPage shows six digits at the wallet's device.
type confirmationPage struct {
	web.Page
	Account    string // masked
	Agent      string // the browser that started; "" if not known
	Elsewhere  bool   // it is in another network
	MinutesAgo int    // since when the recovery runs
	Digits     string
}

// declinedPage tells the wallet's device that nothing was shared.
type declinedPage struct {
	web.Page
	Text string
}

// confirmation shows the six digits to the holder of the wallet of a cross-device presentation.
func (p *Pages) confirmation(c *gin.Context) error {
	code := c.Query("response_code")
	if code == "" {
		words := web.NothingShared.Of("")
		p.deps.Web.Render(c, http.StatusOK, "declined", &declinedPage{web.Page{Title: words.Heading}, words.Text})
		return nil
	}
	t, err := p.deps.Recovery.Confirmation(c, binding.ID(c), code, p.deps.Web.Network(c))
	if errors.Is(err, recovery.ErrNoTransaction) {
		return errors.Join(web.ErrCodeOver, err)
	}
	if err != nil {
		return err
	}
	binding.Note(c, t)
	client, err := p.deps.Client(c, t)
	if err != nil {
		return err
	}
	answer := t.Presentation.Answer
	p.deps.Web.Render(c, http.StatusOK, "confirmation", &confirmationPage{
		Page:    web.Page{Title: "Type this code on your other device", Organisation: client.Organisation},
		Account: t.Requested.Mask(), Agent: t.Agent, Elsewhere: answer.Distance == recovery.OtherNetwork,
		MinutesAgo: int(p.deps.Clock().Sub(t.StartedAt) / time.Minute),
		Digits:     answer.Confirmation[:3] + " " + answer.Confirmation[3:],
	})
	return nil
}

func (p *Pages) confirm(c *gin.Context, t recovery.Transaction) error {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, c.Request.PostForm.Get("code"))
	t, err := p.deps.Recovery.Confirm(c, t, digits)
	if !errors.Is(err, recovery.ErrWrongCode) || t.State != recovery.StatePresented && t.State != recovery.StateRequested {
		return goOn(c, t, err)
	}
	web.NoteError(c, err)
	mistake := "That is not the code. Look at the screen of the device with your wallet."
	if t.Presentation == nil || t.Presentation.Answer == nil {
		mistake = "That was not the code either, so what your wallet showed no longer counts. Ask it again, with the new request below."
	}
	return p.showPage(c, t, mistake)
}
