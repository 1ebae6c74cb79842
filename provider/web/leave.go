package web

import (
	"html"
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
	Link    template.HTMLAttr // href
	Refresh template.HTMLAttr // content of the meta element
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
	w.Render(c, http.StatusOK, "leave", &leavePage{Page{Title: "Going on"}, verbatim("href", target), verbatim("content", "0;url="+target)})
}

// verbatim returns an attribute whose value is the very text: html/template would rewrite the quote and the parentheses
// of a URL, and clients compare the URLs that they registered byte for byte.
func verbatim(attribute, value string) template.HTMLAttr {
	return template.HTMLAttr(attribute + `="` + html.EscapeString(value) + `"`) //nolint:gosec // escaped, and a registered URL
}

// Field is one parameter of a form.
type Field struct{ Name, Value string }

// postPage is a form that submits itself.
type postPage struct {
	Page
	Action template.HTMLAttr
	Fields []Field
}

// LeaveByPost sends the browser to another origin by a form that submits itself (OAuth 2.0 Form Post Response Mode §2).
func (w *Web) LeaveByPost(c *gin.Context, action string, values url.Values) {
	SecureHeaders(c)
	c.Header("Referrer-Policy", "no-referrer")
	setPolicy(c) // the form's one address is the client's, and where that redirects to is not for us to say
	page := &postPage{Page: Page{Title: "Going back"}, Action: verbatim("action", action)}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		page.Fields = append(page.Fields, Field{name, values.Get(name)})
	}
	w.Render(c, http.StatusOK, "formpost", page)
}
