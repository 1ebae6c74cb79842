// Package binding binds a recovery to the browser that started it: the cookie, the steps that only its holder may take, and
// the forms of its own pages.
//
// Every path under /recover/{txn} passes here, but for the pages that a wallet's browser opens, which may be another one.
// A form passes twice: the browser says where it comes from, and it carries a token that only this recovery's pages know.
package binding

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"regain/provider/web"
	"regain/recovery"
)

// cookieOutlives is how much longer than its transaction the cookie lives, so that the page can still say what happened.
const cookieOutlives = 15 * time.Minute

// Open returns a transaction for the browser that holds its secret; recovery.Service.Open in production.
type Open func(ctx context.Context, id recovery.TransactionID, secret string) (recovery.Transaction, error)

// Binding opens transactions for the browsers that started them.
type Binding struct {
	web  *web.Web
	open Open
}

// New refuses missing parts.
func New(w *web.Web, open Open) (*Binding, error) {
	if w == nil || open == nil {
		return nil, errors.New("binding: a part is missing")
	}
	return &Binding{web: w, open: open}, nil
}

// Group is where every path of one recovery is mounted: `/recover/:txn`.
func (b *Binding) Group(r gin.IRouter) *gin.RouterGroup {
	r.Use(noteBack) // on the router, and not on the group: a browser that loads the address of a form again finds no route
	return r.Group("/recover/:txn", web.SecureHeaders)
}

// noteBack offers the way back to a browser that has the cookie, if its request fails.
func noteBack(c *gin.Context) {
	rest, below := strings.CutPrefix(c.Request.URL.Path, Path(""))
	segment, _, _ := strings.Cut(rest, "/")
	if id := recovery.TransactionID(segment); below && id != "" && Secret(c, id) != "" {
		web.NoteBack(c, Path(id))
	}
}

// ID is the transaction of the path.
func ID(c *gin.Context) recovery.TransactionID { return recovery.TransactionID(c.Param("txn")) }

// Path is the path of the transaction's page below the issuer; web.Local makes it an address for browsers.
func Path(id recovery.TransactionID) string { return "/recover/" + string(id) }

// cookieName gives each transaction a cookie of its own, so that two recoveries in one browser do not disturb each other.
func cookieName(id recovery.TransactionID) string { return web.CookiePrefix + string(id) }

// SetCookie gives the secret to the browser that starts.
func SetCookie(c *gin.Context, t recovery.Transaction, secret string) {
	web.SetCookie(c, cookieName(t.ID), secret, t.ExpiresAt.Sub(t.StartedAt)+cookieOutlives)
}

// Secret returns this browser's secret for a transaction, or "".
func Secret(c *gin.Context, id recovery.TransactionID) string { return web.Cookie(c, cookieName(id)) }

// FormToken is the token of the forms on a transaction's page.
func FormToken(c *gin.Context, id recovery.TransactionID) string {
	return web.FormToken(Secret(c, id))
}

// Note adds the transaction to the request's event record: what that shows of it, and not the rest, which a live page would
// keep in memory for as long as it is open.
func Note(c *gin.Context, t recovery.Transaction) { web.Note(c, slog.Any("transaction", t.LogValue())) }

// StepFunc is a handler for a transaction that belongs to this browser.
type StepFunc func(c *gin.Context, t recovery.Transaction) error

// Step opens the transaction of the path for the browser that holds its cookie, and for no other.
func (b *Binding) Step(next StepFunc) gin.HandlerFunc {
	return b.web.Page(func(c *gin.Context) error { return b.step(c, next) })
}

func (b *Binding) step(c *gin.Context, next StepFunc) error {
	t, err := b.Open(c)
	if err != nil {
		return err
	}
	return next(c, t)
}

// Open returns the transaction of the path, for the browser that holds its cookie: recovery.ErrOtherBrowser for any other. A
// browser whose cookie outlived its transaction, or was made up, is told web.ErrNotHere too: it started here, or says so.
func (b *Binding) Open(c *gin.Context) (recovery.Transaction, error) {
	id := ID(c)
	secret := Secret(c, id)
	t, err := b.open(c, id, secret)
	switch {
	case err == nil:
		Note(c, t)
	case secret != "" && (errors.Is(err, recovery.ErrNoTransaction) || errors.Is(err, recovery.ErrOtherBrowser)):
		err = errors.Join(web.ErrNotHere, err)
	}
	return t, err
}

// Post is Step for the forms of the transaction's pages.
func (b *Binding) Post(next StepFunc) gin.HandlerFunc { return b.PostUpTo(web.MaxForm, next) }

// PostUpTo is Post for forms of up to limit bytes.
func (b *Binding) PostUpTo(limit int64, next StepFunc) gin.HandlerFunc {
	return b.web.Page(func(c *gin.Context) error {
		if err := b.web.CheckOrigin(c); err != nil {
			return err
		}
		if Secret(c, ID(c)) == "" { // a form of ours without our cookie is a browser that keeps none, and no forgery
			return fmt.Errorf("a form without the transaction's cookie: %w", recovery.ErrOtherBrowser)
		}
		form, err := web.ReadForm(c, limit)
		if err != nil {
			return fmt.Errorf("%w: %w", web.ErrForgedForm, err)
		}
		if !web.HasFormToken(form, Secret(c, ID(c))) {
			return web.ErrForgedForm
		}
		return b.step(c, next)
	})
}

// RedirectToPage sends the browser to the transaction's page after a step: a reload repeats nothing (RFC 9110 §15.4.4).
// The page says where things stand, so it is also the answer to a step that lost a race.
func RedirectToPage(c *gin.Context, id recovery.TransactionID, err error) error {
	if err != nil && !errors.Is(err, recovery.ErrConflict) {
		return err
	}
	c.Redirect(http.StatusSeeOther, web.Local(c, Path(id)))
	return nil
}
