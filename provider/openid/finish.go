package openid

import (
	"errors"

	"github.com/gin-gonic/gin"

	"regain/provider/binding"
	"regain/provider/contract"
	"regain/provider/oauth"
	"regain/provider/problem"
	"regain/provider/requests"
	"regain/provider/web"
	"regain/recovery"
	"regain/storage"
)

// finish sends the person back to the client: with a code after an approval, with an error after anything else. It can be
// repeated: a second press, a reload, or a press after Back or after a lost answer sends the browser to the client again.
func (a *authorization) finish(c *gin.Context, t recovery.Transaction) error {
	ctx, unit := storage.Begin(c.Request.Context())
	c.Request = c.Request.WithContext(ctx)
	first := true
	response, err := recovery.RetryOnConflict(func() (response oauth.Response, err error) {
		if !first { // lost against another press, whose code this one's takes the place of
			if t, err = a.binding.Open(c); err != nil {
				return oauth.Response{}, err
			}
		}
		first = false
		return a.end(c, t)
	})
	if failed := unit.Finish(ctx); failed != nil { // before the browser takes the code anywhere
		err = failed
	}
	if err != nil {
		return binding.RedirectToPage(c, t.ID, err)
	}
	return a.respond(c, response)
}

// end answers the client's request according to the state of the transaction.
func (a *authorization) end(c *gin.Context, t recovery.Transaction) (oauth.Response, error) {
	request, err := oauth.DecodeAuthorization(t.Authorization)
	if err != nil {
		return oauth.Response{}, err
	}
	client, err := a.oauth.Client(c, request.ClientID)
	if err != nil {
		return oauth.Response{}, err
	}
	switch t.State {
	case recovery.StateApproved:
		if client.ShowPass {
			return oauth.Response{}, web.ErrNotNow // the page shows the pass first
		}
	case recovery.StateRedeemed:
		if !client.ShowPass {
			return a.over(c, request)
		}
	case recovery.StateIssuing:
		return a.over(c, request)
	case recovery.StateEvaluated, recovery.StateDenied, recovery.StateExpired, recovery.StateCancelled:
		return a.deny(c, t, request)
	default:
		return oauth.Response{}, web.ErrNotNow
	}
	response, err := a.grant(c, t, request)
	if errors.Is(err, recovery.ErrRedeemed) || errors.Is(err, recovery.ErrExpired) {
		return a.over(c, request)
	}
	return response, err
}

// over is the answer of a recovery whose code was redeemed, or whose redemption was cut off: there is nothing more to get
// from it, and the client's sign-in page is where a new one starts. A client that has its tokens no longer waits for an
// answer, so the error changes nothing for it.
func (a *authorization) over(c *gin.Context, request requests.Authorization) (oauth.Response, error) {
	return a.oauth.Reject(c, request, problem.AccessDenied("This recovery is over. Start a new one."))
}

// deny is never a success: an OAuth error, or with okta-idv a code for an ID token that says FAILED.
func (a *authorization) deny(c *gin.Context, t recovery.Transaction, request requests.Authorization) (oauth.Response, error) {
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

// grant makes a code in place of the one that the browser was sent back with before, if any: that one is withdrawn first,
// so that at no moment two can be redeemed. The transaction names the new code before it is handed out; if that fails, the
// code is known to nobody, and withdrawn so that it stays worthless.
func (a *authorization) grant(c *gin.Context, t recovery.Transaction, request requests.Authorization) (oauth.Response, error) {
	client, err := a.oauth.Client(c, request.ClientID)
	if err != nil {
		return oauth.Response{}, err
	}
	if !t.CodeRedeemedAt.IsZero() {
		return oauth.Response{}, recovery.ErrRedeemed
	}
	if t.Code != "" {
		if err := a.oauth.Withdraw(c, string(t.Code)); err != nil {
			return oauth.Response{}, err
		}
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
	if _, err := a.recovery.MarkReturned(c, t, recovery.CodeID(response.CodeID)); err != nil {
		return oauth.Response{}, errors.Join(err, a.oauth.Withdraw(c, response.CodeID))
	}
	return response, nil
}
