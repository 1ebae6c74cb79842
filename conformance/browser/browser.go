// Package browser is a web browser without scripts or a screen, for programs that walk through pages: it follows
// redirects, keeps cookies by the browsers' own rules, and fills in forms. What works in it works for a person with
// scripts off.
//
// It is strict where browsers are: a `__Host-` cookie needs Secure, Path=/ and no Domain; a Secure cookie goes back
// over https only, or http where the host is this machine (`*.localhost`), as in Chromium and Firefox; a POST says
// where it comes from (Origin, Sec-Fetch-Site).
package browser

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

const (
	maxRedirects = 20
	maxPage      = 2 << 20
)

// Config is what a browser needs. HTTPClient's cookie jar and redirect policy are not used.
type Config struct {
	HTTPClient *http.Client
	// StopAt makes the browser stop before it requests a URL, and show it as a page with Status 0; nil stops nowhere.
	StopAt func(u *url.URL) bool
}

// Browser is one browser profile. It is not safe for concurrent use, as a person is not.
type Browser struct {
	cfg     Config
	http    *http.Client
	cookies *jar
	current *url.URL // of the page that is shown
}

// New opens a browser with no cookies.
func New(cfg Config) (*Browser, error) {
	if cfg.HTTPClient == nil {
		return nil, errors.New("browser: HTTPClient is missing")
	}
	client := *cfg.HTTPClient
	client.Jar, client.CheckRedirect = nil, func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Browser{cfg: cfg, http: &client, cookies: newJar()}, nil
}

// Open goes to an address, as if it was typed or a link in another program was followed.
func (b *Browser) Open(ctx context.Context, address string) (*Page, error) {
	b.current = nil
	return b.navigate(ctx, http.MethodGet, address, nil)
}

// Follow goes to a link of the page that is shown; href may be relative.
func (b *Browser) Follow(ctx context.Context, href string) (*Page, error) {
	return b.navigate(ctx, http.MethodGet, href, nil)
}

// Submit sends a form of the page that is shown, with fields changed as in change.
func (b *Browser) Submit(ctx context.Context, f *Form, change url.Values) (*Page, error) {
	values := url.Values{}
	for name, list := range f.Values {
		values[name] = list
	}
	for name, list := range change {
		values[name] = list
	}
	if f.Method == http.MethodGet {
		target, err := url.Parse(f.Action)
		if err != nil {
			return nil, fmt.Errorf("submit form: %w", err)
		}
		target.RawQuery = values.Encode()
		return b.navigate(ctx, http.MethodGet, target.String(), nil)
	}
	return b.navigate(ctx, http.MethodPost, f.Action, values)
}

// Fetch sends a request as a script of the page that is shown would, and returns the answer without showing it.
func (b *Browser) Fetch(ctx context.Context, method, address, contentType string, body []byte) (*Page, error) {
	target, err := b.resolve(address)
	if err != nil {
		return nil, err
	}
	page, _, err := b.send(ctx, hop{method: method, target: target, body: body, contentType: contentType, mode: "cors"})
	return page, err
}

// Cookies returns the names of the cookies that would go to an address.
func (b *Browser) Cookies(address string) []string {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	var names []string
	for _, c := range b.cookies.to(u) {
		names = append(names, c.Name)
	}
	return names
}

func (b *Browser) resolve(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", address, err)
	}
	if b.current != nil {
		u = b.current.ResolveReference(u)
	}
	if u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("open %s: not a web address", u.Redacted())
	}
	return u, nil
}

// hop is one request of a navigation.
type hop struct {
	method, contentType, mode string
	target                    *url.URL
	body                      []byte
}

// navigate sends a request and goes where it is redirected to.
func (b *Browser) navigate(ctx context.Context, method, address string, form url.Values) (*Page, error) {
	target, err := b.resolve(address)
	if err != nil {
		return nil, err
	}
	next := hop{method: method, target: target, mode: "navigate"}
	if method == http.MethodPost {
		next.body, next.contentType = []byte(form.Encode()), "application/x-www-form-urlencoded"
	}
	var redirects []string
	for range maxRedirects {
		if b.cfg.StopAt != nil && b.cfg.StopAt(next.target) {
			return &Page{URL: next.target, Redirects: redirects}, nil
		}
		page, status, err := b.send(ctx, next)
		if err != nil {
			return nil, err
		}
		location := page.Header.Get("Location")
		if status < 300 || status > 399 || location == "" {
			page.Redirects = redirects
			b.current = page.URL
			return page, nil
		}
		to, err := next.target.Parse(location)
		if err != nil {
			return nil, fmt.Errorf("redirect from %s: %w", next.target.Redacted(), err)
		}
		redirects = append(redirects, to.String())
		if status == http.StatusTemporaryRedirect || status == http.StatusPermanentRedirect {
			next.target = to
			continue
		}
		next = hop{method: http.MethodGet, target: to, mode: "navigate"}
	}
	return nil, fmt.Errorf("open %s: more than %d redirects", target.Redacted(), maxRedirects)
}

func (b *Browser) send(ctx context.Context, h hop) (*Page, int, error) {
	req, err := http.NewRequestWithContext(ctx, h.method, h.target.String(), bytes.NewReader(h.body))
	if err != nil {
		return nil, 0, fmt.Errorf("open %s: %w", h.target.Redacted(), err)
	}
	b.decorate(req, h)
	resp, err := b.http.Do(req)
	if err != nil {
		return nil, 0, fmt.Errorf("open %s: %w", h.target.Redacted(), err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPage+1))
	if err != nil {
		return nil, 0, fmt.Errorf("read %s: %w", h.target.Redacted(), err)
	}
	if len(body) > maxPage {
		return nil, 0, fmt.Errorf("read %s: larger than %d bytes", h.target.Redacted(), maxPage)
	}
	b.cookies.keep(h.target, resp.Header.Values("Set-Cookie"))
	page := &Page{URL: h.target, Status: resp.StatusCode, Header: resp.Header, Body: body}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		page.parse()
	}
	return page, resp.StatusCode, nil
}

// decorate adds what browsers say about a request (Fetch Metadata, RFC 6454).
func (b *Browser) decorate(req *http.Request, h hop) {
	req.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	req.Header.Set("User-Agent", "regain-conformance-browser")
	req.Header.Set("Sec-Fetch-Mode", h.mode)
	site := "none"
	if b.current != nil {
		site = siteOf(b.current, h.target)
		if h.method != http.MethodGet {
			req.Header.Set("Origin", b.current.Scheme+"://"+b.current.Host)
		}
	}
	req.Header.Set("Sec-Fetch-Site", site)
	if h.contentType != "" {
		req.Header.Set("Content-Type", h.contentType)
	}
	for _, c := range b.cookies.to(h.target) {
		// SameSite=Strict and Lax both stay away from a POST that another site sends.
		if site == "cross-site" && (c.SameSite == http.SameSiteStrictMode || c.SameSite != http.SameSiteNoneMode && h.method != http.MethodGet) {
			continue
		}
		req.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
}

// siteOf relates two URLs. Names directly under .localhost are sites of their own, as under any public suffix.
func siteOf(from, to *url.URL) string {
	switch {
	case from.Scheme == to.Scheme && from.Host == to.Host:
		return "same-origin"
	case from.Scheme == to.Scheme && from.Hostname() == to.Hostname():
		return "same-site"
	}
	return "cross-site"
}
