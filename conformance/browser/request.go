package browser

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

const formEncoding = "application/x-www-form-urlencoded"

// send makes one request of a navigation; chain are all its URLs so far, the target last.
func (b *Browser) send(ctx context.Context, n navigation, chain []*url.URL) (*Page, error) {
	if n.target.Host == "" || n.target.Scheme != "http" && n.target.Scheme != "https" {
		return nil, fmt.Errorf("open %q: %w", n.target.Scheme+":", ErrAddress)
	}
	address := *n.target
	address.Fragment = "" // stays in the browser
	req, err := http.NewRequestWithContext(ctx, n.method, address.String(), bytes.NewReader(n.body))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", origin(n.target), err)
	}
	b.decorate(req, n, chain)
	resp, err := b.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", origin(n.target), err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPage+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", origin(n.target), err)
	}
	if len(body) > maxPage {
		return nil, fmt.Errorf("read %s: %w", origin(n.target), ErrTooLarge)
	}
	b.cookies.keep(n.target, resp.Header.Values("Set-Cookie"))
	page := &Page{URL: n.target, Status: resp.StatusCode, Header: resp.Header, Body: body}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		page.parse()
	}
	return page, nil
}

// decorate adds what browsers say about a request (Fetch Metadata, RFC 6454) and the cookies that may travel with it.
func (b *Browser) decorate(req *http.Request, n navigation, chain []*url.URL) {
	h := req.Header
	h.Set("User-Agent", "regain-conformance-browser")
	h.Set("Sec-Fetch-Site", fetchSite(n, chain))
	if n.script {
		h.Set("Accept", "*/*")
		h.Set("Sec-Fetch-Mode", "cors")
		h.Set("Sec-Fetch-Dest", "empty")
	} else {
		h.Set("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
		h.Set("Sec-Fetch-Mode", "navigate")
		h.Set("Sec-Fetch-Dest", "document")
	}
	if n.contentType != "" {
		h.Set("Content-Type", n.contentType)
	}
	if n.method != http.MethodGet && n.method != http.MethodHead && n.from != nil {
		h.Set("Origin", originHeader(n, chain))
	}
	for _, c := range b.cookies.fit(n.target) {
		if sameSiteAllows(c, n) {
			req.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value, Quoted: c.Quoted})
		}
	}
}

// fetchSite is Sec-Fetch-Site: the farthest that any URL of the redirect chain lies from who started the navigation
// (Fetch Metadata §2.3).
func fetchSite(n navigation, chain []*url.URL) string {
	if n.from == nil {
		return "none"
	}
	farthest := "same-origin"
	for _, u := range chain {
		switch {
		case originOf(u) == originOf(n.from.URL):
		case siteOf(u) == siteOf(n.from.URL):
			farthest = "same-site"
		default:
			return "cross-site"
		}
	}
	return farthest
}

// originHeader is the Origin of a request that is not a GET (Fetch §3.2). A script's is always told; a form's is hidden
// by the page's referrer policy, and after a redirect from one strange origin to another.
func originHeader(n navigation, chain []*url.URL) string {
	own := originOf(n.from.URL)
	if n.script {
		return own
	}
	for i, u := range chain[:len(chain)-1] {
		if originOf(u) != own && originOf(chain[i+1]) != originOf(u) {
			return "null"
		}
	}
	switch policy := n.from.referrerPolicy(); {
	case policy == "no-referrer",
		policy == "same-origin" && originOf(n.target) != own,
		n.from.URL.Scheme == "https" && n.target.Scheme == "http" && policy != "unsafe-url" && policy != "origin" && policy != "origin-when-cross-origin":
		return "null"
	}
	return own
}

// sameSiteAllows reports whether the SameSite attribute lets a cookie travel (RFC 6265bis §5.8.3). One that has no
// SameSite counts as Lax.
func sameSiteAllows(c *http.Cookie, n navigation) bool {
	switch {
	case n.from == nil || siteOf(n.from.URL) == siteOf(n.target) || c.SameSite == http.SameSiteNoneMode:
		return true
	case c.SameSite == http.SameSiteStrictMode:
		return false
	}
	return n.method == http.MethodGet && !n.script
}

// originOf is the origin as browsers write it: without the scheme's own port (RFC 6454 §6.2).
func originOf(u *url.URL) string {
	host := strings.ToLower(u.Host)
	switch u.Scheme {
	case "http":
		host = strings.TrimSuffix(host, ":80")
	case "https":
		host = strings.TrimSuffix(host, ":443")
	}
	return u.Scheme + "://" + host
}

// siteOf is the scheme and the registrable domain: ports do not count (HTML §7.1.1).
func siteOf(u *url.URL) string {
	host := strings.ToLower(u.Hostname())
	if net.ParseIP(host) == nil {
		if domain, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
			host = domain
		}
	}
	return u.Scheme + "://" + host
}

// transportOnly is a client that neither keeps cookies nor follows redirects: the browser does both.
func transportOnly(given *http.Client) *http.Client {
	client := &http.Client{}
	if given != nil {
		*client = *given
	}
	client.Jar, client.CheckRedirect = nil, func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	transport, plain := client.Transport.(*http.Transport)
	switch {
	case client.Transport == nil:
		client.Transport = &http.Transport{DialContext: dialLocal, MaxIdleConns: 16, IdleConnTimeout: time.Minute}
	case plain && transport.DialContext == nil && transport.Dial == nil: //nolint:staticcheck // a caller may still set Dial
		transport = transport.Clone()
		transport.DialContext = dialLocal
		client.Transport = transport
	}
	return client
}

// dialLocal reaches names under .localhost at 127.0.0.1, where the resolver may not know them.
func dialLocal(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 10 * time.Second}
	if host, port, err := net.SplitHostPort(address); err == nil && isLocalhost(host) {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	return dialer.DialContext(ctx, network, address)
}

func isLocalhost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
