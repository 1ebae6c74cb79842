package provider

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"regain/provider/contract"
	"regain/provider/oauth"
	"regain/provider/problem"
	"regain/recovery"
)

// show renders the page for the transaction's state.
func (p *Provider) show(c *gin.Context, t recovery.Transaction) { p.showTransaction(c, t, "") }

// again sends the browser to the transaction's page after a step: a reload repeats nothing (RFC 9110 §15.4.4).
func (p *Provider) again(c *gin.Context, t recovery.Transaction, err error) {
	if err != nil && !errors.Is(err, recovery.ErrConflict) {
		p.failPage(c, err)
		return
	}
	c.Redirect(http.StatusSeeOther, pagePath(t.ID))
}

func (p *Provider) ask(c *gin.Context, t recovery.Transaction) {
	t, err := p.deps.Recovery.Ask(c, t)
	p.again(c, t, err)
}

func (p *Provider) cancel(c *gin.Context, t recovery.Transaction) {
	t, err := p.deps.Recovery.Cancel(c, t)
	p.again(c, t, err)
}

// leaveForProofing hands the person to the profile's proofing provider by a one-time signed URL. The reference is the
// transaction's digest: the provider learns nothing that opens anything here.
func (p *Provider) leaveForProofing(c *gin.Context, t recovery.Transaction) {
	profile, err := p.deps.Recovery.Profile(t)
	if err != nil {
		p.failPage(c, err)
		return
	}
	provider, ok := p.deps.Proofing[profile.Proofing]
	if !ok {
		p.failPage(c, errNoProof)
		return
	}
	target, err := provider.URL(c, string(recovery.DigestOf("proofing\x00"+string(t.ID))), p.cfg.Issuer+pagePath(t.ID)+"/proofed")
	if err != nil {
		p.failPage(c, err)
		return
	}
	if _, err := p.deps.Recovery.LeaveForProofing(c, t); err != nil {
		p.again(c, t, err)
		return
	}
	p.leave(c, target)
}

// proofed is the way back. The status is a courtesy for the page: what was issued shows when it is presented.
func (p *Provider) proofed(c *gin.Context, t recovery.Transaction) {
	if t.State == recovery.StateProofing {
		var err error
		if t, err = p.deps.Recovery.ComeBack(c, t, c.Query("status") == "completed"); err != nil {
			p.again(c, t, err)
			return
		}
	}
	c.Redirect(http.StatusSeeOther, pagePath(t.ID))
}

// walletReturn is where a same-device wallet sends the browser (OpenID4VP 1.0 §8.2). In the browser that started, the
// response code brings the verdict into force; in any other one, it ends the transaction.
func (p *Provider) walletReturn(c *gin.Context) {
	id := recovery.TransactionID(c.Param("txn"))
	code := c.Query("response_code")
	t, err := p.deps.Recovery.Open(c, id, browserSecret(c, id))
	if errors.Is(err, recovery.ErrOtherBrowser) {
		p.failPage(c, errors.Join(err, p.deps.Recovery.ReturnElsewhere(c, id, code)))
		return
	}
	if err != nil {
		p.failPage(c, err)
		return
	}
	note(c, t)
	if code != "" { // without one, the wallet reported an error and sends the person back to the page
		if t, err = p.deps.Recovery.Return(c, t, code); errors.Is(err, recovery.ErrWrongCode) || errors.Is(err, recovery.ErrNoTransaction) {
			err = nil // an old link; the page says where things stand
		}
	}
	p.again(c, t, err)
}

// confirmation shows the six digits to whoever holds the wallet of a cross-device presentation.
func (p *Provider) confirmation(c *gin.Context) {
	if c.Query("response_code") == "" {
		p.render(c, http.StatusOK, "declined", view{Title: "Nothing was shared"})
		return
	}
	t, err := p.deps.Recovery.Confirmation(c, recovery.TransactionID(c.Param("txn")), c.Query("response_code"), network(c.ClientIP()))
	if err != nil {
		p.failPage(c, err)
		return
	}
	note(c, t)
	digits := t.Round.Answer.Confirmation
	p.render(c, http.StatusOK, "confirmation", view{
		Title: "Type this code on your other device", Digits: digits[:3] + " " + digits[3:], Account: t.Account.Mask(), Organisation: p.organisation(c, t),
		Agent: t.Agent, Elsewhere: t.Round.Answer.Distance == recovery.OtherNetwork, MinutesAgo: int(p.deps.Clock().Sub(t.StartedAt) / time.Minute),
	})
}

func (p *Provider) confirm(c *gin.Context, t recovery.Transaction) {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, c.Request.PostForm.Get("code"))
	t, err := p.deps.Recovery.Confirm(c, t, digits)
	if errors.Is(err, recovery.ErrWrongCode) {
		noteError(c, err)
		mistake := "That is not the code. Look at the screen of the device with your wallet."
		if t.Round == nil || t.Round.Answer == nil {
			mistake = "That was not the code either, so what your wallet showed no longer counts. Ask it again, with the new request below."
		}
		p.showTransaction(c, t, mistake)
		return
	}
	p.again(c, t, err)
}

func (p *Provider) proceed(c *gin.Context, t recovery.Transaction) {
	t, err := p.deps.Recovery.Proceed(c, t)
	p.again(c, t, err)
}

// finish sends the person back to the main IdP: with a code after an approval, with an error after anything else.
func (p *Provider) finish(c *gin.Context, t recovery.Transaction) {
	request, err := oauth.DecodeAuthorization(t.Authorization)
	if err != nil {
		p.failPage(c, err)
		return
	}
	var response oauth.Response
	switch t.State {
	case recovery.StateApproved, recovery.StateRedeemed:
		response, err = p.grant(c, t, request)
	case recovery.StateIssuing:
		err = recovery.ErrRedeemed
	case recovery.StateEvaluated, recovery.StateDenied, recovery.StateExpired, recovery.StateCancelled:
		response, err = p.refuse(c, t, request)
	default:
		err = errStaleForm
	}
	if err != nil {
		p.again(c, t, err)
		return
	}
	p.respond(c, response)
}

// refuse is never a success: an OAuth error, or with okta-idv a code for an ID token that says FAILED.
func (p *Provider) refuse(c *gin.Context, t recovery.Transaction, request oauth.Authorization) (oauth.Response, error) {
	client, err := p.deps.OAuth.Client(c, request.ClientID)
	if err != nil {
		return oauth.Response{}, err
	}
	evaluated := t.State == recovery.StateEvaluated
	switch {
	case client.Contract == contract.OktaIDV && (evaluated || t.State == recovery.StateDenied):
		return p.deps.OAuth.Grant(c, request, oauth.Grant{Transaction: string(t.ID), Subject: string(t.Account), AuthTime: t.ChangedAt, Failed: true})
	case evaluated:
		return p.deps.OAuth.Reject(c, request, problem.AccessDenied("Evaluation mode: the recovery would have succeeded, and no pass was issued."))
	}
	// One sentence for every cause: the client may show it to the person.
	return p.deps.OAuth.Reject(c, request, problem.AccessDenied("The recovery did not succeed."))
}

// grant makes the code first and then lets the browser leave, which happens once: a code that is not handed out is known
// to nobody, while a browser that left without one could not come back for it.
func (p *Provider) grant(c *gin.Context, t recovery.Transaction, request oauth.Authorization) (oauth.Response, error) {
	client, err := p.deps.OAuth.Client(c, request.ClientID)
	if err != nil {
		return oauth.Response{}, err
	}
	if client.ShowPass != (t.State == recovery.StateRedeemed) {
		return oauth.Response{}, recovery.ErrRedeemed // redeemed already, or to be shown first
	}
	session, err := p.beginSession(c, client, t)
	if err != nil {
		return oauth.Response{}, err
	}
	response, err := p.deps.OAuth.Grant(c, request, oauth.Grant{
		Transaction: string(t.ID), Profile: string(t.Profile), Session: session, Subject: string(t.Account), AuthTime: t.DecidedAt, ACR: ACR, AMR: amrVerified(),
	})
	if err != nil {
		return oauth.Response{}, err
	}
	if _, err := p.deps.Recovery.Leave(c, t); err != nil {
		return oauth.Response{}, err
	}
	return response, nil
}

// showPass issues the pass and shows it in answer to the form that asked for it: it is on no page that can be visited
// again.
func (p *Provider) showPass(c *gin.Context, t recovery.Transaction) {
	client, err := p.deps.OAuth.Client(c, string(t.Client))
	if err != nil {
		p.failPage(c, err)
		return
	}
	if !client.ShowPass {
		p.failPage(c, errStaleForm)
		return
	}
	v, err := p.viewOf(c, t)
	if err != nil {
		p.failPage(c, err)
		return
	}
	redemption, err := p.deps.Recovery.Redeem(c, t.ID, t.Client)
	switch {
	case errors.Is(err, recovery.ErrRedeemed), errors.Is(err, recovery.ErrIllegalStep):
		p.again(c, t, nil)
		return
	case err != nil:
		p.failPage(c, err)
		return
	}
	note(c, redemption.Transaction)
	pass := redemption.Pass
	v.Title, v.State = "Your pass", redemption.Transaction.State
	v.Pass = shownPass{Value: pass.Value.Reveal(), Until: pass.ExpiresAt.UTC().Format("15:04 UTC on 2 January 2006"), Once: pass.UsableOnce}
	p.render(c, http.StatusOK, "pass", v)
}
