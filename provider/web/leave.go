package web

import (
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/gin-gonic/gin"
)

// leavePage navigates to another origin by itself.
type leavePage struct {
	Page
	Target template.URL
}

// Leave sends the browser to another origin, to a URL that the client or the operator registered. In answer to a form of
// ours that is a page which navigates by GET, and not a redirect: browsers hold a form's whole chain of redirects against
// form-action (CSP Level 3 §6.4.2), also the redirects of the site that the browser was sent to, and nobody knows where a
// broker sends it on. A form of the client's own page, or a program that plays one, is redirected (303, RFC 9700 §4.12).
func (w *Web) Leave(c *gin.Context, target string) {
	NoStore(c)
	if !w.FromOwnPage(c) {
		c.Redirect(http.StatusSeeOther, target)
		return
	}
	SecureHeaders(c)
	c.Header("Referrer-Policy", "no-referrer")
	// The very URL that was registered: html/template would rewrite some characters of an ordinary string.
	w.Render(c, http.StatusOK, "leave", &leavePage{Page{Title: "Going on"}, template.URL(target)}) //nolint:gosec // registered
}

// Field is one parameter of a form.
type Field struct{ Name, Value string }

// postPage is a form that submits itself.
type postPage struct {
	Page
	Action string
	Fields []Field
}

// LeaveByPost sends the browser to another origin by a form that submits itself (OAuth 2.0 Form Post Response Mode §2).
func (w *Web) LeaveByPost(c *gin.Context, action string, values url.Values) {
	SecureHeaders(c)
	c.Header("Referrer-Policy", "no-referrer")
	setPolicy(c) // the form's one address is the client's, and where that redirects to is not for us to say
	page := &postPage{Page: Page{Title: "Going back"}, Action: action}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		page.Fields = append(page.Fields, Field{name, values.Get(name)})
	}
	w.Render(c, http.StatusOK, "formpost", page)
}
