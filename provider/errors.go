package provider

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"regain/provider/dpop"
	"regain/provider/problem"
	"regain/recovery"
)

// Errors of the journey that are nobody's protocol.
var (
	errNoPage    = errors.New("no such page")
	errMethod    = errors.New("method not allowed")
	errCSRF      = errors.New("form was not sent by this transaction's page")
	errNoProof   = errors.New("no proofing provider is configured for this profile")
	errNoQR      = errors.New("this profile allows no other device")
	errStaleForm = errors.New("the page had moved on")
)

// trouble is what a person sees when something went wrong: never the cause, always what to do, and the correlation id
// that finds the cause in the log.
type trouble struct {
	Status int
	Title  string
	Advice string
	GoesOn bool // the recovery is still there to go back to, in the browser that started it
}

// troubleFor is the one table from errors to pages. Anything it does not know is a server error.
func troubleFor(err error) trouble {
	var protocol *problem.Error
	switch {
	case errors.Is(err, errNoPage):
		return trouble{http.StatusNotFound, "This page does not exist", "Start again at your organisation's sign-in page.", false}
	case errors.Is(err, errMethod):
		return trouble{http.StatusMethodNotAllowed, "This page cannot be used like that", "Start again at your organisation's sign-in page.", true}
	case errors.Is(err, recovery.ErrNoTransaction), errors.Is(err, recovery.ErrOtherBrowser):
		return trouble{
			http.StatusForbidden, "This recovery belongs to another browser",
			"A recovery can only be finished in the browser that started it. If you started it, go back to that browser. If somebody sent you here, close this page: they may be trying to get into your account.",
			false,
		}
	case errors.Is(err, recovery.ErrExpired):
		return trouble{http.StatusGone, "This recovery has expired", "Start again at your organisation's sign-in page.", false}
	case errors.Is(err, errCSRF):
		return trouble{http.StatusForbidden, "This form is out of date", "Go back to the recovery page and try again.", true}
	case errors.Is(err, recovery.ErrIllegalStep), errors.Is(err, recovery.ErrConflict), errors.Is(err, recovery.ErrAnswered),
		errors.Is(err, recovery.ErrWrongCode), errors.Is(err, recovery.ErrRedeemed), errors.Is(err, errNoProof), errors.Is(err, errNoQR), errors.Is(err, errStaleForm):
		return trouble{http.StatusConflict, "That step is not possible now", "Go back to the recovery page and follow what it says.", true}
	case errors.As(err, &protocol):
		if protocol.Status < http.StatusInternalServerError {
			return trouble{protocol.Status, "Your organisation's request was not understood", protocol.Description, false}
		}
	}
	return trouble{http.StatusInternalServerError, "Something went wrong on our side", "Try again in a moment. If it happens again, start anew at your organisation's sign-in page in a few minutes.", true}
}

// failPage renders an error as a page.
func (p *Provider) failPage(c *gin.Context, err error) {
	noteError(c, err)
	secureHeaders(c)
	shown := troubleFor(err)
	v := view{Title: shown.Title, Problem: shown}
	if id := recovery.TransactionID(c.Param("txn")); shown.GoesOn && browserSecret(c, id) != "" {
		v.Base = pagePath(id)
	}
	p.render(c, shown.Status, "problem", v)
	c.Abort()
}

// failJSON renders an error as RFC 6749 §5.2.
func (p *Provider) failJSON(c *gin.Context, err error) {
	noteError(c, err)
	noStore(c)
	var shown *problem.Error
	if !errors.As(err, &shown) {
		shown = problem.ServerError(err)
	}
	if shown.Code == "invalid_client" {
		c.Header("WWW-Authenticate", `Basic realm="regain"`)
	}
	if shown.Code == "use_dpop_nonce" {
		c.Header(dpop.NonceHeader, p.deps.OAuth.DPoPNonce())
	}
	c.AbortWithStatusJSON(shown.Status, gin.H{"error": shown.Code, "error_description": shown.Description, "correlation_id": correlationID(c)})
}
