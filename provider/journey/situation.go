package journey

import (
	"slices"

	"regain/provider/web"
	"regain/recovery"
)

// situationOf is where a person stands: from the stored transaction and its client, and from nothing else.
func situationOf(t recovery.Transaction, client Client) web.Situation {
	switch t.State {
	case recovery.StateRequested, recovery.StateRetrieved, recovery.StatePresented:
		return waitingFor(t)
	case recovery.StateApproved:
		if !t.CodeRedeemedAt.IsZero() {
			return web.Returned
		}
		if client.ShowsPass {
			return web.PassReady
		}
		return web.Approved
	case recovery.StateEvaluated:
		return web.Evaluated
	case recovery.StateDenied:
		return deniedFor(t)
	case recovery.StateIssuing:
		if client.ShowsPass {
			return web.PassNotMade
		}
		return web.PassLost
	case recovery.StateRedeemed:
		if client.ShowsPass && t.CodeRedeemedAt.IsZero() {
			return web.PassShown
		}
		return web.Returned
	case recovery.StateCancelled:
		if t.EndedElsewhere {
			return web.EndedElsewhere
		}
		return web.Cancelled
	}
	return web.Expired
}

// waitingFor is what a recovery waits for whose wallet was asked.
func waitingFor(t recovery.Transaction) web.Situation {
	attempt := t.Presentation
	switch {
	case attempt == nil: // somebody ended it meanwhile, which the events say at once
		return web.Waiting
	case attempt.Answer != nil && attempt.Answer.NoRedirectBack:
		return web.WasItYou
	case attempt.Answer != nil && attempt.Answer.Flow == recovery.FlowCrossDevice:
		return web.TypeCode
	case attempt.Answer != nil:
		return web.ComeBack
	case !slices.ContainsFunc(attempt.Requests, func(r recovery.PendingRequest) bool { return !r.Closed }):
		return web.Closed
	case !slices.ContainsFunc(attempt.Requests, func(r recovery.PendingRequest) bool { return !r.Closed && r.Flow != recovery.FlowBrowser }):
		return web.BrowserLeft // before what a wallet said: its words send people to a link or a code below
	case attempt.WalletError == "access_denied":
		return web.Declined
	case attempt.WalletError != "":
		return web.WalletProblem
	case opened(t):
		return web.Opened
	}
	return web.Waiting
}

// deniedFor is the same for every cause that could tell somebody something about the account (nothing to enumerate).
func deniedFor(t recovery.Transaction) web.Situation {
	reason := recovery.ReasonNone
	if t.Decision != nil {
		reason = t.Decision.Reason
	}
	switch reason.Public() {
	case recovery.PublicFaceCheck:
		return web.FaceCheck
	case recovery.PublicCredential:
		return web.CredentialBad
	case recovery.PublicNetwork:
		return web.FarAway
	case recovery.PublicTooManyAttempts:
		return web.TooMany
	case recovery.PublicUnavailable:
		return web.Unavailable
	}
	return web.NotVerified
}

// progressText is the line that follows a wallet while the page is open. What the page says above it is not said again.
func progressText(s web.Situation) string {
	switch s {
	case web.Declined, web.WalletProblem:
		return "Waiting for another answer …"
	case web.Closed:
		return "No wallet can answer this request any more."
	case web.BrowserLeft:
		return "Links and QR codes of this request work no more."
	}
	return s.Of("").Text
}
