package web

import (
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

// strictTransport is the value of Strict-Transport-Security (RFC 6797 §6.1), "" for an issuer that is not https: over plain
// http the header means nothing (§8.1). Sibling hosts are not ours to speak for, so there is no includeSubDomains.
func strictTransport(origin string, life time.Duration) string {
	if !strings.HasPrefix(origin, "https://") || life < time.Second {
		return ""
	}
	return "max-age=" + strconv.FormatInt(int64(life/time.Second), 10)
}

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
