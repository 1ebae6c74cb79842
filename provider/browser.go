package provider

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"regain/recovery"
)

// cookiePrefix makes the cookie host-locked: browsers accept `__Host-` only with Secure, Path=/ and without Domain.
// Each transaction has a cookie of its own, so that two recoveries in one browser do not disturb each other.
const cookiePrefix = "__Host-regain-"

// cookieOutlives is how much longer than its transaction the cookie lives, so that the page can still say what happened.
const cookieOutlives = 15 * time.Minute

func (p *Provider) setBrowserCookie(c *gin.Context, t recovery.Transaction, secret string) {
	http.SetCookie(c.Writer, &http.Cookie{
		Name: cookiePrefix + string(t.ID), Value: secret, Path: "/", Secure: true, HttpOnly: true,
		// Lax: the person comes back from the wallet and the proofing provider by a top-level navigation.
		SameSite: http.SameSiteLaxMode, MaxAge: int((t.ExpiresAt.Sub(t.StartedAt) + cookieOutlives).Seconds()),
	})
}

// browserSecret returns the secret of this browser for a transaction, or "".
func browserSecret(c *gin.Context, id recovery.TransactionID) string {
	cookie, err := c.Request.Cookie(cookiePrefix + string(id))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// stepFunc is a handler for a transaction that belongs to this browser.
type stepFunc func(c *gin.Context, t recovery.Transaction)

// step opens the transaction of the path for the browser that holds its cookie, and for no other.
func (p *Provider) step(next stepFunc) gin.HandlerFunc {
	return func(c *gin.Context) {
		id := recovery.TransactionID(c.Param("txn"))
		t, err := p.deps.Recovery.Open(c, id, browserSecret(c, id))
		if err != nil {
			p.failPage(c, err)
			return
		}
		note(c, t)
		next(c, t)
	}
}

// post is step for forms: the browser says that the form is from this origin (Sec-Fetch-Site or Origin), and the form
// carries a token that only this transaction's pages know, for browsers that say nothing.
func (p *Provider) post(next stepFunc) gin.HandlerFunc { return p.postUpTo(maxFormBytes, next) }

func (p *Provider) postUpTo(limit int64, next stepFunc) gin.HandlerFunc {
	protection := http.NewCrossOriginProtection()
	return func(c *gin.Context) {
		if err := protection.Check(c.Request); err != nil {
			p.failPage(c, errCSRF)
			return
		}
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, limit)
		if err := c.Request.ParseForm(); err != nil {
			p.failPage(c, errCSRF)
			return
		}
		id := recovery.TransactionID(c.Param("txn"))
		token := csrfToken(browserSecret(c, id))
		if subtle.ConstantTimeCompare([]byte(token), []byte(c.Request.PostForm.Get("csrf"))) != 1 {
			p.failPage(c, errCSRF)
			return
		}
		p.step(next)(c)
	}
}

const maxFormBytes = 8 << 10

// csrfToken is derived from the browser's secret, so nothing more need be stored.
func csrfToken(secret string) string {
	sum := sha256.Sum256([]byte("csrf\x00" + secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func pagePath(id recovery.TransactionID) string { return "/recover/" + string(id) }
