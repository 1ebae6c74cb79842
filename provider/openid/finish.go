package openid

import (
	"errors"

	"github.com/gin-gonic/gin"

	"regain/provider/binding"
	"regain/provider/contract"
	"regain/provider/oauth"
	"regain/provider/problem"
	"regain/provider/web"
	"regain/recovery"
)

// finish sends the person back to the client: with a code after an approval, with an error after anything else.
func (a *authorization) finish(c *gin.Context, t recovery.Transaction) error {
	request, err := oauth.DecodeAuthorization(t.Authorization)
	if err != nil {
		return err
	}
	var response oauth.Response
	switch t.State {
	case recovery.StateApproved, recovery.StateRedeemed:
		response, err = a.grant(c, t, request)
	case recovery.StateIssuing:
		err = recovery.ErrRedeemed
	case recovery.StateEvaluated, recovery.StateDenied, recovery.StateExpired, recovery.StateCancelled:
		response, err = a.deny(c, t, request)
	default:
		err = web.ErrNotNow
	}
	if err != nil {
		return binding.RedirectToPage(c, t.ID, err)
	}
	return a.respond(c, response)
}

// deny is never a success: an OAuth error, or with okta-idv a code for an ID token that says FAILED.
func (a *authorization) deny(c *gin.Context, t recovery.Transaction, request oauth.Authorization) (oauth.Response, error) {
	client, err := a.oauth.Client(c, request.ClientID)
	if err != nil {
		return oauth.Response{}, err
	}
	evaluated := t.State == recovery.StateEvaluated
	decided := evaluated || t.State == recovery.StateDenied || t.State == recovery.StateApproved // approved, but not eligible any more
	switch {
	case client.Contract == contract.OktaIDV && decided:
		return a.oauth.Grant(c, request, oauth.Grant{Transaction: string(t.ID), Subject: string(t.Requested), AuthTime: t.ChangedAt, Failed: true})
	case evaluated:
		return a.oauth.Reject(c, request, problem.AccessDenied("Evaluation mode: the recovery would have succeeded, and no pass was issued."))
	}
	// One sentence for every cause: the client may show it to the person.
	return a.oauth.Reject(c, request, problem.AccessDenied("The recovery did not succeed."))
}

// grant makes the code first and then lets the browser leave, which happens once: a code that is not handed out is known
// to nobody, while a browser that left without one could not come back for it.
func (a *authorization) grant(c *gin.Context, t recovery.Transaction, request oauth.Authorization) (oauth.Response, error) {
	client, err := a.oauth.Client(c, request.ClientID)
	if err != nil {
		return oauth.Response{}, err
	}
	if client.ShowPass != (t.State == recovery.StateRedeemed) {
		return oauth.Response{}, recovery.ErrRedeemed // redeemed already, or to be shown first
	}
	account, err := a.recovery.Eligible(c, t.Account, t.Profile)
	if errors.Is(err, recovery.ErrIneligible) { // since the decision
		web.NoteError(c, err)
		return a.deny(c, t, request)
	}
	if err != nil {
		return oauth.Response{}, problem.Unavailable(err)
	}
	subject := client.Subject(account)
	session, err := a.sessions.begin(c, client, t, subject)
	if err != nil {
		return oauth.Response{}, err
	}
	response, err := a.oauth.Grant(c, request, oauth.Grant{
		Transaction: string(t.ID), Profile: string(t.Profile), Session: session, Account: string(t.Account), Subject: subject, AuthTime: t.DecidedAt, ACR: ACR, AMR: amrVerified(),
	})
	if err != nil {
		return oauth.Response{}, err
	}
	if _, err := a.recovery.MarkReturned(c, t); err != nil {
		return oauth.Response{}, err
	}
	return response, nil
}
