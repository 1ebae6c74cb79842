package browser

import (
	"net/url"
	"strings"
)

// referrerPolicy is what the page's header says; browsers take strict-origin-when-cross-origin when it says nothing
// that they know (Referrer Policy §8.1).
func (p *Page) referrerPolicy() string {
	policy := "strict-origin-when-cross-origin"
	for _, token := range strings.Split(strings.Join(p.Header.Values("Referrer-Policy"), ","), ",") {
		switch token = strings.ToLower(strings.TrimSpace(token)); token {
		case "no-referrer", "no-referrer-when-downgrade", "origin", "origin-when-cross-origin", "same-origin", "strict-origin",
			"strict-origin-when-cross-origin", "unsafe-url":
			policy = token
		}
	}
	return policy
}

// formMayGo reports whether the form-action directives of the page allow a form of it to be sent to u. As in Chromium
// every redirect is asked about too, which is how a form that works in one browser hangs in another.
func (p *Page) formMayGo(u *url.URL) bool {
	if p == nil {
		return true
	}
	for _, policy := range strings.Split(strings.Join(p.Header.Values("Content-Security-Policy"), ","), ",") {
		for _, directive := range strings.Split(policy, ";") {
			words := strings.Fields(directive)
			if len(words) == 0 || !strings.EqualFold(words[0], "form-action") {
				continue
			}
			if !p.matches(words[1:], u) {
				return false
			}
			break // of two directives with one name the first counts (CSP3 §2.2.1)
		}
	}
	return true
}

// matches reports whether one of the source expressions allows u (CSP3 §6.7.2).
func (p *Page) matches(sources []string, u *url.URL) bool {
	for _, source := range sources {
		switch {
		case strings.EqualFold(source, "'self'"):
			if originOf(u) == originOf(p.URL) {
				return true
			}
		case source == "*":
			if u.Scheme == "http" || u.Scheme == "https" || u.Scheme == p.URL.Scheme {
				return true
			}
		case strings.HasSuffix(source, ":") && !strings.Contains(source, "/"):
			if strings.EqualFold(strings.TrimSuffix(source, ":"), u.Scheme) {
				return true
			}
		case p.hostMatches(source, u):
			return true
		}
	}
	return false
}

// hostMatches is a source of the form [scheme://]host[:port][/path]. A path is not compared: browsers drop it after a
// redirect.
func (p *Page) hostMatches(source string, u *url.URL) bool {
	scheme, rest, found := strings.Cut(source, "://")
	if !found {
		scheme, rest = p.URL.Scheme, source
	}
	allowed, err := url.Parse(scheme + "://" + rest)
	if err != nil || allowed.Host == "" {
		return false
	}
	if allowed.Scheme != u.Scheme && (allowed.Scheme != "http" || u.Scheme != "https") {
		return false
	}
	host, want := strings.ToLower(u.Hostname()), strings.ToLower(allowed.Hostname())
	if suffix, wild := strings.CutPrefix(want, "*"); wild {
		return strings.HasSuffix(host, suffix) && allowed.Port() == u.Port()
	}
	allowed.Scheme = u.Scheme
	return originOf(allowed) == originOf(u)
}
