// Package browser is a web browser without scripts or a screen, for programs that walk through pages: it follows
// redirects, keeps cookies by the browsers' own rules, and fills in forms. What works in it works for a person with
// scripts off.
//
// It is as strict as browsers are, so that a program meets what a person would meet:
//
//   - a `__Host-` cookie needs Secure, Path=/ and no Domain; a Secure cookie travels over https only, or over http where
//     the host is this machine (`*.localhost`); a page cannot replace a Secure cookie from an insecure origin;
//   - SameSite counts: names directly under `.localhost` are sites of their own, as names under any public suffix are;
//   - a request says where it comes from (Sec-Fetch-Site, and Origin on a POST, which is `null` where the page's
//     Referrer-Policy says no-referrer);
//   - a page that refreshes itself at once (`<meta http-equiv="refresh">`) navigates;
//   - a form may only go, and be redirected, where the page's `form-action` allows.
//
// One [Browser] is one browser profile. Two people, or one person with two devices, are two browsers.
package browser

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	maxRedirects = 20
	maxPage      = 2 << 20 // bytes
)

var (
	// ErrRedirects reports a navigation that was redirected too often.
	ErrRedirects = errors.New("too many redirects")
	// ErrTooLarge reports a page of more than 2 MiB.
	ErrTooLarge = errors.New("page is larger than 2 MiB")
	// ErrFormAction reports a form that the Content Security Policy of its page keeps from going there.
	ErrFormAction = errors.New("form-action does not allow it")
	// ErrAddress reports an address that is not on the web.
	ErrAddress = errors.New("not a web address")
)

// Config is what a browser needs. Every field may be left out.
type Config struct {
	// HTTPClient carries the requests; its cookie jar and redirect policy are not used. Where it has no transport, or
	// an http.Transport without a dialer of its own, names under .localhost are dialled at 127.0.0.1 (RFC 6761 §6.3).
	HTTPClient *http.Client
	// StopAt makes the browser stop before it requests a URL for which it is true, and show a page with Status 0.
	StopAt func(u *url.URL) bool
	// Clock is what cookies expire by; nil is the real one.
	Clock func() time.Time
}

// Browser is one browser profile. It is not safe for concurrent use, as a person is not.
type Browser struct {
	http    *http.Client
	stopAt  func(*url.URL) bool
	cookies *jar
	current *Page // the page that is shown
}

// New opens a browser with no cookies.
func New(cfg Config) *Browser {
	b := &Browser{http: transportOnly(cfg.HTTPClient), stopAt: cfg.StopAt, cookies: newJar(cfg.Clock)}
	if b.stopAt == nil {
		b.stopAt = func(*url.URL) bool { return false }
	}
	return b
}

// Open goes to an address, as if it was typed or another program had opened it.
func (b *Browser) Open(ctx context.Context, address string) (*Page, error) {
	target, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("open page: %w", err)
	}
	return b.navigate(ctx, navigation{method: http.MethodGet, target: target})
}

// Follow goes to a link of the page that is shown; href may be relative.
func (b *Browser) Follow(ctx context.Context, href string) (*Page, error) {
	if b.current == nil {
		return b.Open(ctx, href)
	}
	target, err := b.current.URL.Parse(href)
	if err != nil {
		return nil, fmt.Errorf("follow link: %w", err)
	}
	return b.navigate(ctx, navigation{method: http.MethodGet, target: target, from: b.current})
}

// Submit sends a form of a page. Fields in change replace those of the form; an empty list removes one.
func (b *Browser) Submit(ctx context.Context, f *Form, change url.Values) (*Page, error) {
	if f == nil {
		return nil, errors.New("submit form: there is none")
	}
	target, err := url.Parse(f.Action)
	if err != nil {
		return nil, fmt.Errorf("submit form: %w", err)
	}
	values := f.with(change)
	n := navigation{method: f.Method, target: target, from: f.page, form: true}
	if n.from == nil {
		n.from = b.current
	}
	switch {
	case f.Encoding != "" && f.Encoding != formEncoding:
		return nil, fmt.Errorf("submit form: encoding %q is not one that this browser has", f.Encoding)
	case n.method == http.MethodPost:
		n.body, n.contentType = []byte(values.Encode()), formEncoding
	default:
		n.method, target.RawQuery = http.MethodGet, values.Encode()
	}
	return b.navigate(ctx, n)
}

// Fetch sends a request as a script of the page that is shown would (`fetch` with mode cors), and returns the answer
// without showing it. Only addresses of the page's own origin are allowed: this browser has no CORS.
func (b *Browser) Fetch(ctx context.Context, r Request) (*Page, error) {
	if b.current == nil {
		return nil, errors.New("fetch: no page is shown")
	}
	target, err := b.current.URL.Parse(r.Address)
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	if originOf(target) != originOf(b.current.URL) {
		return nil, fmt.Errorf("fetch %s: another origin than the page's", origin(target))
	}
	n := navigation{method: r.Method, target: target, from: b.current, contentType: r.ContentType, body: r.Body, script: true}
	return b.send(ctx, n, []*url.URL{target})
}

// Request is what a script sends.
type Request struct {
	Method, Address, ContentType string
	Body                         []byte
}

// Current returns the page that is shown, nil before the first.
func (b *Browser) Current() *Page { return b.current }

// Cookies returns the cookies that the browser would send to an address in a request of its own pages.
func (b *Browser) Cookies(address string) []*http.Cookie {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	return b.cookies.fit(u)
}

// navigation is one going somewhere: its first request, and who caused it.
type navigation struct {
	method, contentType string
	target              *url.URL
	body                []byte
	from                *Page // the page that holds the link or form; nil: the person typed the address
	form, script        bool
}

// navigate sends a request and goes where it is redirected to.
func (b *Browser) navigate(ctx context.Context, n navigation) (*Page, error) {
	chain := []*url.URL{n.target}
	for range maxRedirects + 1 {
		if n.form && !n.from.formMayGo(n.target) {
			return nil, fmt.Errorf("%w: from %s to %s", ErrFormAction, origin(n.from.URL), origin(n.target))
		}
		if b.stopAt(n.target) {
			return &Page{URL: n.target, Redirects: addresses(chain)}, nil
		}
		page, err := b.send(ctx, n, chain)
		if err != nil {
			return nil, err
		}
		next, goes, err := n.next(page)
		if err != nil {
			return nil, fmt.Errorf("redirect from %s: %w", origin(n.target), err)
		}
		if !goes {
			page.Redirects = addresses(chain)
			b.current = page
			return page, nil
		}
		n = next
		chain = append(chain, n.target)
	}
	return nil, fmt.Errorf("open %s: %w", origin(n.target), ErrRedirects)
}

// next is the navigation that an answer leads to, if it leads anywhere: by a redirect, or by a page that refreshes itself,
// in which no form of the page before has a say.
func (n navigation) next(page *Page) (next navigation, goes bool, err error) {
	location, refresh := page.Header.Get("Location"), page.refresh()
	switch {
	case page.Status >= 300 && page.Status <= 399 && location != "":
		to, err := n.target.Parse(location)
		if err != nil {
			return n, false, err
		}
		return n.redirected(page.Status, to), true, nil
	case refresh != "":
		to, err := n.target.Parse(refresh)
		return navigation{method: http.MethodGet, target: to, from: page}, err == nil, err
	}
	return n, false, nil
}

// redirected is the navigation after a redirect (Fetch §4.4): only 307 and 308 send a POST on, and 301 and 302 turn one
// into a GET as every browser does.
func (n navigation) redirected(status int, to *url.URL) navigation {
	if to.Fragment == "" {
		to.Fragment = n.target.Fragment
	}
	n.target = to
	if status != http.StatusTemporaryRedirect && status != http.StatusPermanentRedirect {
		n.method, n.body, n.contentType = http.MethodGet, nil, ""
	}
	return n
}

// addresses are those that a navigation was redirected to.
func addresses(chain []*url.URL) []string {
	var list []string
	for _, u := range chain[1:] {
		list = append(list, u.String())
	}
	return list
}

// origin names where a URL points without its path and query, which may hold codes: fit for an error message.
func origin(u *url.URL) string { return strings.ToLower(u.Scheme) + "://" + strings.ToLower(u.Host) }
