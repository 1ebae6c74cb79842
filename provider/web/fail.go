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
	// ErrNotHere: the browser holds a cookie for the transaction, and none is stored that it fits to.
	ErrNotHere = errors.New("the browser's cookie fits to no transaction")
	// ErrBroughtBack: a wallet opened another browser than the one that started, and the transaction was ended.
	ErrBroughtBack = errors.New("the wallet's answer came back in another browser")
	// ErrCodeOver: the digits of a cross-device answer are not to be shown, or no longer.
	ErrCodeOver = errors.New("there is no code to show")
	// ErrStarting: the node waits for its database.
	ErrStarting = errors.New("the node is starting")
)

// Handler is a handler whose error is rendered by Page, or by a wrapper of its face. It has written nothing when it returns one.
type Handler func(c *gin.Context) error

// Page renders a handler's error for a person, or for the program whose address it is.
func (w *Web) Page(next Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := next(c); err != nil {
			w.Fail(c, err)
		}
	}
}

// errorPage is what a person sees when something went wrong: never the cause, always what to do, one next step, and the
// correlation id that finds the cause in the log.
type errorPage struct {
	Page
	Text   string
	Next   []string
	Button string
	ID     string // of the button
	Href   string // of the button
}

// failure is the status and the situation of an error, and whether there is a way back to the recovery.
type failure struct {
	status    int
	situation Situation
	goesOn    bool
}

// failureOf is the one table from errors to what is shown. An error that is not in it is a server error.
func failureOf(err error, cookies bool) failure {
	var protocol *problem.Error
	switch {
	case errors.Is(err, ErrNoPage):
		return failure{http.StatusNotFound, NoPage, true}
	case errors.Is(err, ErrMethod):
		return failure{http.StatusMethodNotAllowed, NoMethod, true}
	case errors.Is(err, ErrStarting):
		return failure{http.StatusServiceUnavailable, Starting, true}
	case errors.Is(err, ErrBroughtBack):
		return failure{http.StatusForbidden, BroughtBack, false}
	case errors.Is(err, ErrNotHere):
		return failure{http.StatusForbidden, NotHere, false}
	case errors.Is(err, ErrCodeOver):
		return failure{http.StatusForbidden, CodeOver, false}
	case errors.Is(err, recovery.ErrNoTransaction), errors.Is(err, recovery.ErrOtherBrowser):
		if !cookies {
			return failure{http.StatusForbidden, NoCookie, false}
		}
		return failure{http.StatusForbidden, OtherBrowser, false}
	case errors.Is(err, recovery.ErrExpired):
		return failure{http.StatusGone, Gone, false}
	case errors.Is(err, ErrForgedForm):
		return failure{http.StatusForbidden, OldForm, true}
	case errors.Is(err, recovery.ErrIllegalStep), errors.Is(err, recovery.ErrConflict), errors.Is(err, recovery.ErrAnswered),
		errors.Is(err, recovery.ErrWrongCode), errors.Is(err, recovery.ErrRedeemed), errors.Is(err, recovery.ErrClosed), errors.Is(err, ErrNotNow):
		return failure{http.StatusConflict, NotNow, true}
	case errors.As(err, &protocol) && protocol.Code == "invalid_request_uri":
		return failure{protocol.Status, RequestOver, false}
	case errors.As(err, &protocol) && protocol.Status < http.StatusInternalServerError:
		return failure{protocol.Status, NotUnderstood, false}
	}
	return failure{http.StatusInternalServerError, ServerProblem, true}
}

// keyBack is where a request notes the page to go back to.
const keyBack = "regain.back"

// NoteBack notes the address that a person can go back to if this request fails.
func NoteBack(c *gin.Context, address string) { c.Set(keyBack, address) }

// FailPage renders an error as a page.
func (w *Web) FailPage(c *gin.Context, err error) {
	NoteError(c, err)
	SecureHeaders(c)
	f := failureOf(err, hasCookies(c))
	words := f.situation.Of("")
	page := &errorPage{Page: Page{Title: words.Heading}, Text: words.Text, Next: words.Next, Button: words.Button}
	if protocol := (*problem.Error)(nil); errors.As(err, &protocol) { // what it says is for the client's engineer, and helps the person
		switch f.situation {
		case NotUnderstood:
			page.Text, page.Next = protocol.Description, append([]string{words.Text}, words.Next...)
		case RequestOver:
			page.Next = []string{protocol.Description}
		}
	}
	switch back := c.GetString(keyBack); {
	case f.goesOn && back != "":
		page.ID, page.Href = "back", Local(c, back)
		if words.Button == howToStart {
			page.Button = backToRecovery
		}
	case words.Button == tryAgain && c.Request.Method == http.MethodGet && c.FullPath() != "":
		page.ID, page.Href = "try-again", Local(c, c.Request.URL.RequestURI()) // begins with the route's own path, so it is an address of ours
	default:
		page.Button, page.ID, page.Href = howToStart, "start-again", Local(c, home)
	}
	w.Render(c, f.status, "problem", page)
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
