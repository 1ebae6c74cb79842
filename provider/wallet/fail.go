package wallet

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"regain/internal/admission"
	"regain/presentation"
	"regain/provider/binding"
	"regain/provider/diagnosis"
	"regain/provider/protocol"
	"regain/provider/web"
	"regain/recovery"
	"regain/verifier"
)

// forWallet renders a handler's error for a wallet, and keeps the answer out of caches.
func forWallet(next web.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		web.NoStore(c)
		if err := next(c); err != nil {
			fail(c, err)
		}
	}
}

// forScript renders a step's error for the script of a page that asks a wallet through the browser.
func forScript(next binding.StepFunc) binding.StepFunc {
	return func(c *gin.Context, t recovery.Transaction) error {
		if err := next(c, t); err != nil {
			fail(c, err)
		}
		return nil
	}
}

// retryAfter is how many seconds a wallet waits that is told to come again (RFC 9110 §10.2.3): as long as one waits for a
// place here.
const retryAfter = "5"

// fail answers with the protocol's error, a correlation id, and nothing about why.
func fail(c *gin.Context, err error) {
	web.NoteError(c, err)
	if errors.Is(err, admission.ErrBusy) {
		c.Header("Retry-After", retryAfter)
	}
	status, body := errorFor(err, web.CorrelationID(c))
	c.AbortWithStatusJSON(status, body)
}

// errorFor is the one table from errors to what a wallet is told.
func errorFor(err error, correlation string) (status int, body any) {
	refusal := func(status int, code, description string) (int, any) {
		return status, gin.H{"error": code, "error_description": description, "correlation_id": correlation}
	}
	switch {
	case errors.Is(err, recovery.ErrNoTransaction):
		return refusal(http.StatusNotFound, "invalid_request", "There is no such request, or it has ended.")
	case errors.Is(err, recovery.ErrExpired), errors.Is(err, presentation.ErrExpired):
		return refusal(http.StatusGone, "invalid_request", "The request has expired.")
	case errors.Is(err, recovery.ErrClosed): // gone for good (RFC 9110 §15.5.11); OpenID4VP 1.0 §8.2 leaves the status to us
		return refusal(http.StatusGone, "invalid_request", "The request was closed, because too many invalid responses came to it. Start over on the page where it was shown.")
	case errors.Is(err, recovery.ErrAnswered), errors.Is(err, recovery.ErrConflict), errors.Is(err, recovery.ErrIllegalStep):
		return refusal(http.StatusBadRequest, "invalid_request", "The request was answered already.")
	case errors.Is(err, admission.ErrBusy):
		return refusal(http.StatusServiceUnavailable, "temporarily_unavailable", "Too many presentations are being verified. Try again in a few seconds.")
	case errors.Is(err, verifier.ErrUnavailable):
		return refusal(http.StatusServiceUnavailable, "temporarily_unavailable", "Something that is needed to verify the presentation cannot be had. Try again in a minute.")
	case errors.Is(err, verifier.ErrRefused):
		return refusal(http.StatusBadRequest, "invalid_presentation", "The presentation is not valid for this request.")
	}
	return presentation.ErrorBody(err, correlation)
}

// readForm reads the form of a wallet's POST. Whether parameters may repeat is for the presentation package to say.
func readForm(c *gin.Context) (url.Values, error) {
	form, err := web.ReadForm(c, presentation.MaxForm)
	switch {
	case errors.Is(err, web.ErrFormTooLarge):
		return nil, presentation.ErrTooLarge
	case err != nil:
		return nil, presentation.ErrMalformed
	}
	return form, nil
}

// diagnose begins the diagnosis of a request, which goes into its event record.
func (e *Endpoints) diagnose(c *gin.Context, channel recovery.Channel) *diagnosis.Diagnosis {
	d := diagnosis.New(string(channel.Wallet), string(channel.Flow), e.deps.Clock)
	web.Note(c, slog.Any(diagnosis.Attribute, d))
	return d
}

// noteQuery notes what a wallet is asked.
func (e *Endpoints) noteQuery(d *diagnosis.Diagnosis, open recovery.OpenRequest, p protocol.Protocol) {
	if query, err := e.rules.Query(open.Profile, p.Formats()); err == nil {
		d.Ask(query)
	}
}
