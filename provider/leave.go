package provider

import (
	"html/template"
	"net/http"

	"github.com/gin-gonic/gin"
)

// leave sends the browser to another origin. In answer to a form of ours that is a page which navigates by GET, and not a
// redirect: browsers hold a form's whole chain of redirects against form-action (CSP Level 3 §6.4.2), also those of
// whoever the browser was sent to, and nobody knows where a broker sends it on. A form of the client's own page, or a
// program that plays one, is redirected.
func (p *Provider) leave(c *gin.Context, target string) {
	noStore(c)
	if !p.ownForm(c) {
		c.Redirect(http.StatusSeeOther, target)
		return
	}
	secureHeaders(c)
	c.Header("Referrer-Policy", "no-referrer")
	// Registered by the client or the operator, so it may have a scheme that html/template does not know.
	p.render(c, http.StatusOK, "leave", view{Title: "Going on", Leave: template.URL(target)}) //nolint:gosec // see above
}

// ownForm reports whether the browser says that the request is a form of a page of ours (Fetch Metadata, or the Origin
// that browsers without it send with every POST).
func (p *Provider) ownForm(c *gin.Context) bool {
	if c.Request.Method != http.MethodPost {
		return false
	}
	if site := c.GetHeader("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	return c.GetHeader("Origin") == p.cfg.Issuer
}
