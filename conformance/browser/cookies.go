package browser

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxCookies bounds what one host may keep here; browsers allow about as many.
const maxCookies = 180

// jar keeps cookies by RFC 6265bis. Every cookie is host-only: no page here has a reason to set a Domain, and a cookie
// that has one is refused rather than widened.
type jar struct {
	clock   func() time.Time
	cookies map[string][]*http.Cookie // by host name; Expires holds the moment that Max-Age gave
}

func newJar(clock func() time.Time) *jar {
	if clock == nil {
		clock = time.Now
	}
	return &jar{clock: clock, cookies: make(map[string][]*http.Cookie)}
}

// trustworthy reports whether a browser treats the origin as secure (Secure Contexts §3.1).
func trustworthy(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || isLocalhost(u.Hostname()) || ip != nil && ip.IsLoopback()
}

// keep stores what a response sets (RFC 6265bis §5.7).
func (j *jar) keep(u *url.URL, lines []string) {
	host := strings.ToLower(u.Hostname())
	for _, line := range lines {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			continue
		}
		hasPath := c.Path == "/" // the prefix asks for the attribute, not for what is made up without it
		if c.Path == "" || c.Path[0] != '/' {
			c.Path = defaultPath(u)
		}
		if !j.acceptable(u, c, hasPath) {
			continue
		}
		j.cookies[host] = slices.DeleteFunc(j.cookies[host], func(old *http.Cookie) bool { return old.Name == c.Name && old.Path == c.Path })
		if c.MaxAge > 0 {
			c.Expires = j.clock().Add(time.Duration(c.MaxAge) * time.Second)
		}
		if c.MaxAge < 0 || !c.Expires.IsZero() && !c.Expires.After(j.clock()) || len(j.cookies[host]) >= maxCookies {
			continue
		}
		j.cookies[host] = append(j.cookies[host], c)
	}
}

// acceptable reports whether a page at u may set the cookie.
func (j *jar) acceptable(u *url.URL, c *http.Cookie, hasRootPath bool) bool {
	name := strings.ToLower(c.Name) // the prefixes are compared without case (RFC 6265bis §5.4)
	switch {
	case c.Domain != "", c.Secure && !trustworthy(u):
		return false
	case strings.HasPrefix(name, "__host-") && (!c.Secure || !hasRootPath):
		return false
	case strings.HasPrefix(name, "__secure-") && !c.Secure:
		return false
	case c.SameSite == http.SameSiteNoneMode && !c.Secure:
		return false
	}
	if c.Secure || trustworthy(u) {
		return true
	}
	// Leave Secure Cookies Alone: an attacker who controls the plain origin must not fix a session there.
	return !slices.ContainsFunc(j.cookies[strings.ToLower(u.Hostname())], func(old *http.Cookie) bool {
		return old.Secure && old.Name == c.Name && (pathMatches(c.Path, old.Path) || pathMatches(old.Path, c.Path))
	})
}

// fit returns the cookies that go to u, those with the longest path first.
func (j *jar) fit(u *url.URL) []*http.Cookie {
	host, path := strings.ToLower(u.Hostname()), u.Path
	if path == "" {
		path = "/"
	}
	now := j.clock()
	j.cookies[host] = slices.DeleteFunc(j.cookies[host], func(c *http.Cookie) bool { return !c.Expires.IsZero() && !c.Expires.After(now) })
	var list []*http.Cookie
	for _, c := range j.cookies[host] {
		if pathMatches(path, c.Path) && (!c.Secure || trustworthy(u)) {
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b *http.Cookie) int { return len(b.Path) - len(a.Path) })
	return list
}

// pathMatches is RFC 6265 §5.1.4.
func pathMatches(path, of string) bool {
	return path == of || strings.HasPrefix(path, of) && (strings.HasSuffix(of, "/") || path[len(of)] == '/')
}

// defaultPath is the directory of the page (RFC 6265 §5.1.4).
func defaultPath(u *url.URL) string {
	if i := strings.LastIndexByte(u.Path, '/'); i > 0 && u.Path[0] == '/' {
		return u.Path[:i]
	}
	return "/"
}
