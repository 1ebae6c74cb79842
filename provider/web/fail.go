package web

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"regain/provider/problem"
	"regain/recovery"
)

// Errors of pages that are of no protocol.
var (
	ErrNoPage = errors.New("no such page")
	ErrMethod = errors.New("method not allowed")
	// ErrForgedForm: the form was not sent by a page of ours, or not by this browser's.
	ErrForgedForm = errors.New("form was not sent by this transaction's page")
	// ErrNotNow: the step does not fit to what is stored; the page had moved on.
	ErrNotNow = errors.New("that step is not possible now")
)

// Handler is a handler whose error is rendered by Page, or by a wrapper of its face. It has written nothing when it returns one.
type Handler func(c *gin.Context) error

// Page renders a handler's error for a person.
func (w *Web) Page(next Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := next(c); err != nil {
			w.FailPage(c, err)
		}
	}
}

// errorPage is what a person sees when something went wrong: never the cause, always what to do, and the correlation id
// that finds the cause in the log.
type errorPage struct {
	Page
	Status int
	Advice string
	Back   string // the page of the recovery, where there is one to go back to
	goesOn bool
}

// errorPageFor is the one table from errors to pages. An error that is not in it is a server error.
func errorPageFor(err error) *errorPage {
	page := func(status int, title, advice string, goesOn bool) *errorPage {
		return &errorPage{Page: Page{Title: title}, Status: status, Advice: advice, goesOn: goesOn}
	}
	var protocol *problem.Error
	switch {
	case errors.Is(err, ErrNoPage):
		return page(http.StatusNotFound, "This page does not exist", "Start again at your organisation's sign-in page.", false)
	case errors.Is(err, ErrMethod):
		return page(http.StatusMethodNotAllowed, "This page cannot be used like that", "Start again at your organisation's sign-in page.", true)
	case errors.Is(err, recovery.ErrNoTransaction), errors.Is(err, recovery.ErrOtherBrowser):
		return page(http.StatusForbidden, "This recovery belongs to another browser",
			"A recovery can only be finished in the browser that started it. If you started it, go back to that browser. If somebody sent you here, close this page: they may be trying to get into your account.", false)
	case errors.Is(err, recovery.ErrExpired):
		return page(http.StatusGone, "This recovery has expired", "Start again at your organisation's sign-in page.", false)
	case errors.Is(err, ErrForgedForm):
		return page(http.StatusForbidden, "This form is out of date", "Go back to the recovery page and try again.", true)
	case errors.Is(err, recovery.ErrIllegalStep), errors.Is(err, recovery.ErrConflict), errors.Is(err, recovery.ErrAnswered),
		errors.Is(err, recovery.ErrWrongCode), errors.Is(err, recovery.ErrRedeemed), errors.Is(err, ErrNotNow):
		return page(http.StatusConflict, "That step is not possible now", "Go back to the recovery page and follow what it says.", true)
	case errors.As(err, &protocol) && protocol.Status < http.StatusInternalServerError:
		return page(protocol.Status, "Your organisation's request was not understood", protocol.Description, false)
	}
	return page(http.StatusInternalServerError, "Something went wrong on our side",
		"Try again in a moment. If it happens again, start anew at your organisation's sign-in page in a few minutes.", true)
}

// keyBack is where a request notes the page to go back to.
const keyBack = "regain.back"

// NoteBack notes the path of the page that a person can go back to if this request fails.
func NoteBack(c *gin.Context, path string) { c.Set(keyBack, path) }

// FailPage renders an error as a page.
func (w *Web) FailPage(c *gin.Context, err error) {
	NoteError(c, err)
	SecureHeaders(c)
	page := errorPageFor(err)
	if page.goesOn {
		page.Back = c.GetString(keyBack)
		if page.Back != "" {
			page.Back = Local(c, page.Back)
		}
	}
	w.Render(c, page.Status, "problem", page)
	c.Abort()
}

// FailJSON renders an error as RFC 6749 §5.2. An error that is no *problem.Error is a server error.
func FailJSON(c *gin.Context, err error) {
	NoteError(c, err)
	NoStore(c)
	var shown *problem.Error
	if !errors.As(err, &shown) {
		shown = problem.ServerError(err)
	}
	c.AbortWithStatusJSON(shown.Status, gin.H{"error": shown.Code, "error_description": shown.Description, "correlation_id": CorrelationID(c)})
}
