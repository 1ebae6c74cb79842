package browser

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// jar keeps cookies by RFC 6265bis. Every cookie is host-only: no page here has a reason to set a Domain, and one that
// does is not obeyed.
type jar struct{ cookies map[string][]*http.Cookie } // by host name

func newJar() *jar { return &jar{cookies: make(map[string][]*http.Cookie)} }

// trustworthy reports whether a browser treats the origin as secure (Secure Contexts §3.1).
func trustworthy(u *url.URL) bool {
	host := u.Hostname()
	return u.Scheme == "https" || host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "127.0.0.1"
}

func (j *jar) keep(u *url.URL, lines []string) {
	for _, line := range lines {
		c, err := http.ParseSetCookie(line)
		if err != nil || c.Domain != "" || c.Secure && !trustworthy(u) {
			continue
		}
		if strings.HasPrefix(c.Name, "__Host-") && (!c.Secure || c.Path != "/") {
			continue
		}
		if strings.HasPrefix(c.Name, "__Secure-") && !c.Secure {
			continue
		}
		if c.Path == "" || c.Path[0] != '/' {
			c.Path = "/"
		}
		j.drop(u.Hostname(), c)
		if c.MaxAge < 0 || !c.Expires.IsZero() && c.MaxAge == 0 && c.Expires.Before(time.Now()) {
			continue
		}
		j.cookies[u.Hostname()] = append(j.cookies[u.Hostname()], c)
	}
}

func (j *jar) drop(host string, old *http.Cookie) {
	var rest []*http.Cookie
	for _, c := range j.cookies[host] {
		if c.Name != old.Name || c.Path != old.Path {
			rest = append(rest, c)
		}
	}
	j.cookies[host] = rest
}

func (j *jar) to(u *url.URL) []*http.Cookie {
	var fit []*http.Cookie
	path := u.Path
	if path == "" {
		path = "/"
	}
	for _, c := range j.cookies[u.Hostname()] {
		within := path == c.Path || strings.HasPrefix(path, strings.TrimSuffix(c.Path, "/")+"/")
		if within && (!c.Secure || trustworthy(u)) {
			fit = append(fit, c)
		}
	}
	return fit
}
