package web

import (
	"strings"

	"github.com/gin-gonic/gin"
)

// SecureHeaders are on every page: no framing, no sniffing, no referrer to others (RFC 9700 §4.2), nothing from elsewhere,
// and forms to our own origin only.
func SecureHeaders(c *gin.Context) {
	setPolicy(c, "'self'")
	h := c.Writer.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin") // no-referrer would make browsers send `Origin: null` with our own forms
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	NoStore(c)
}

// setPolicy sets the Content Security Policy. Forms go to formAction, or anywhere where there is none.
func setPolicy(c *gin.Context, formAction ...string) {
	policy := "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
	if len(formAction) > 0 {
		policy += "; form-action " + strings.Join(formAction, " ")
	}
	c.Header("Content-Security-Policy", policy)
}

// NoStore keeps the answer out of caches (RFC 6749 §5.1).
func NoStore(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	c.Header("Pragma", "no-cache")
}
