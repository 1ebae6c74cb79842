package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

// CookiePrefix locks a cookie to its host: browsers accept the name only with Secure, Path=/ and without Domain, so that
// neither a sibling domain nor a plain-text connection can set it (RFC 6265bis §4.1.3.2).
const CookiePrefix = "__Host-regain-"

// SetCookie sets a cookie that scripts cannot read, for a while; its name begins with CookiePrefix. It is SameSite=Lax,
// since people come from the wallet, the proofing provider and the client by top-level navigations.
func SetCookie(c *gin.Context, name, value string, life time.Duration) {
	setCookie(c, name, value, int(life.Seconds()))
}

// EndCookie removes a cookie.
func EndCookie(c *gin.Context, name string) { setCookie(c, name, "", -1) }

func setCookie(c *gin.Context, name, value string, maxAge int) {
	http.SetCookie(c.Writer, &http.Cookie{
		Name: cookie(c, name), Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: maxAge,
	})
}

// Cookie returns the value of a cookie, or "".
func Cookie(c *gin.Context, name string) string {
	found, err := c.Request.Cookie(cookie(c, name))
	if err != nil {
		return ""
	}
	return found.Value
}

// hasCookies reports whether the browser sent any cookie of ours: one that blocks cookies, or never was here, sends none.
func hasCookies(c *gin.Context) bool {
	return slices.ContainsFunc(c.Request.Cookies(), func(cookie *http.Cookie) bool { return strings.HasPrefix(cookie.Name, CookiePrefix) })
}
