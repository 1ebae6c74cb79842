package load

import (
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// tab is a browser tab with one cookie, lean enough not to get in the way of what is measured. The strict browser is
// conformance/browser.
type tab struct {
	ctx    context.Context //nolint:containedctx // a tab lives for one recovery
	client *http.Client
	base   string // scheme and host of Regain
	cookie *http.Cookie
	path   string // of the page that is shown
	left   string // where the browser was sent outside of Regain
}

func (b *tab) open(address string) (string, error) { return b.navigate(http.MethodGet, address, "") }

// press posts the form whose action ends in suffix.
func (b *tab) press(page, suffix string) (string, error) {
	csrf := between(page, `name="csrf" value="`, `"`)
	return b.navigate(http.MethodPost, b.base+b.path+suffix, url.Values{"csrf": {csrf}}.Encode())
}

func (b *tab) navigate(method, address, body string) (string, error) {
	const hops = 5
	for range hops {
		resp, err := b.send(method, address, body)
		if err != nil {
			return "", err
		}
		text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
		if closed := resp.Body.Close(); err != nil || closed != nil {
			return "", fmt.Errorf("read page: %w", err)
		}
		for _, c := range resp.Cookies() {
			b.cookie = c
		}
		location, leaves := resp.Header.Get("Location"), between(string(text), `http-equiv="refresh" content="0;url=`, `"`)
		switch {
		case leaves != "":
			b.left = html.UnescapeString(leaves)
			return "", nil
		case resp.StatusCode == http.StatusOK:
			b.path = resp.Request.URL.Path
			return string(text), nil
		case resp.StatusCode != http.StatusSeeOther || location == "":
			return "", fmt.Errorf("page %s: status %d: %s", resp.Request.URL.Path, resp.StatusCode, text)
		case strings.HasPrefix(location, "/"):
			location = b.base + location
		case !strings.HasPrefix(location, b.base+"/"):
			b.left = location
			return "", nil
		}
		method, address, body = http.MethodGet, location, ""
	}
	return "", fmt.Errorf("more than %d redirects", hops)
}

func (b *tab) send(method, address, body string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(b.ctx, method, address, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("open page: %w", err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if b.cookie != nil {
		req.AddCookie(b.cookie)
	}
	return b.client.Transport.RoundTrip(req)
}
