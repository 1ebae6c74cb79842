package provider_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/conformance/browser"
)

// Every page has the headers that keep it from being framed, cached, sniffed, or scripted by others.
func TestPageHeaders(t *testing.T) {
	f := setUp(t)
	page := f.asked(t)
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
		"Cache-Control": "no-store", "Cross-Origin-Opener-Policy": "same-origin",
	} {
		if got := page.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	policy := page.Header.Get("Content-Security-Policy")
	for _, directive := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, directive) {
			t.Errorf("the policy lacks %s: %s", directive, policy)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(string(page.Body), "style=") || strings.Contains(string(page.Body), "onclick") {
		t.Errorf("inline code: %s", policy)
	}
}

func TestTheCookieIsLockedToItsHostAndTransaction(t *testing.T) {
	f := setUp(t)
	attempt, err := f.RP.Start(t.Context(), "ada.lindqvist@example.org", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, _ := f.send(t, http.MethodGet, attempt.AuthorizeURL, "", "")
	cookies := resp.Cookies()
	if resp.StatusCode != http.StatusSeeOther || len(cookies) != 1 {
		t.Fatalf("status %d with %d cookies", resp.StatusCode, len(cookies))
	}
	c := cookies[0]
	if !strings.HasPrefix(c.Name, "__Host-regain-") || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie %s: secure %t, http only %t, path %s, domain %q, same site %d", c.Name, c.Secure, c.HttpOnly, c.Path, c.Domain, c.SameSite)
	}
	if strings.Contains(resp.Header.Get("Location"), c.Value) {
		t.Error("the browser's secret is in a URL")
	}
}

// A form that another site sends, or that does not carry the page's token, changes nothing.
func TestForgedForms(t *testing.T) {
	f := setUp(t)
	page := f.asked(t)
	cancel, ok := page.Form("cancel")
	if !ok {
		t.Fatal("no form to forge")
	}
	for name, token := range map[string][]string{"no token": nil, "an empty token": {""}, "another token": {"x"}, "another recovery's token": {otherToken(t, f)}} {
		shown, err := f.browser.Submit(t.Context(), cancel, url.Values{"csrf": token})
		if f.must(t, shown, err); shown.Status != http.StatusForbidden {
			t.Errorf("%s: status %d", name, shown.Status)
		}
	}
	for header, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, cancel.Action, strings.NewReader(cancel.Values.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", formType)
		req.Header.Set(header, value)
		for _, c := range f.browser.Cookies(cancel.Action) {
			req.AddCookie(c)
		}
		resp, err := f.Client.Transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s %s: status %d", header, value, resp.StatusCode)
		}
	}
	again, err := f.browser.Open(t.Context(), page.URL.String())
	if f.must(t, again, err); !again.Has("open-wallet") {
		t.Errorf("a forged form changed something: %s", again.Text())
	}
}

func otherToken(t *testing.T, f *fixture) string {
	t.Helper()
	form, ok := f.asked(t).Form("cancel")
	if !ok {
		t.Fatal("no form")
	}
	return form.Values.Get("csrf")
}

// Promise 5: what a browser that did not start asks for, it does not get, and it cannot end the recovery either.
func TestOtherBrowsers(t *testing.T) {
	f := setUp(t)
	page := f.asked(t)
	for _, way := range []string{"", "/proofed", "/qr.svg", "/events", "/return", "/return?response_code=guess", "/confirmation?response_code=guess"} {
		resp, body := f.send(t, http.MethodGet, page.URL.String()+way, "", "")
		if resp.StatusCode != http.StatusForbidden || strings.Contains(body, "a•••") {
			t.Errorf("%s: status %d: %s", way, resp.StatusCode, body)
		}
	}
	again, err := f.browser.Open(t.Context(), page.URL.String())
	if f.must(t, again, err); !again.Has("open-wallet") {
		t.Errorf("another browser changed something: %s", again.Text())
	}
}

// Two recoveries in one browser do not disturb each other.
func TestTwoRecoveriesInOneBrowser(t *testing.T) {
	f := setUp(t)
	first := f.asked(t)
	second := f.asked(t)
	if f.press(t, second, "cancel"); !second.Has("open-wallet") {
		t.Fatal("no second recovery")
	}
	again, err := f.browser.Open(t.Context(), first.URL.String())
	if f.must(t, again, err); !again.Has("open-wallet") {
		t.Errorf("the first recovery: %s", again.Text())
	}
}

// The live progress says where the wallet is, and when the page is out of date.
func TestProgress(t *testing.T) {
	f := setUp(t)
	page := f.asked(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	resp := f.follow(ctx, t, page)
	defer resp.Body.Close()
	events := bufio.NewScanner(resp.Body)
	next := func() string {
		for events.Scan() {
			if data, ok := strings.CutPrefix(events.Text(), "data: "); ok {
				return data
			}
		}
		return ""
	}
	if got := next(); !strings.Contains(got, "Waiting") {
		t.Errorf("at first: %s", got)
	}
	request := f.review(t, page)
	if got := next(); !strings.Contains(got, "Opened in your wallet") {
		t.Errorf("after the fetch: %s", got)
	}
	f.share(t, request)
	if got := next(); !strings.Contains(got, `"reload":true`) {
		t.Errorf("after the answer: %s", got)
	}
}

// What happens between the page and its stream is told at once: nothing would tell it later.
func TestProgressOfAPageThatIsOver(t *testing.T) {
	f := setUp(t)
	page := f.asked(t)
	back := f.share(t, f.review(t, page))
	for _, change := range []func(){func() {}, func() {
		answered, err := f.browser.Open(t.Context(), page.URL.String())
		if page = f.must(t, answered, err); !strings.Contains(page.Text(), "Your wallet has answered") {
			t.Fatalf("the page after the answer: %s", page.Text())
		}
		done, err := f.browser.Open(t.Context(), back)
		f.must(t, done, err)
	}} {
		change()
		f.reloads(t, page)
	}
}

// A tab whose links another tab made stale by starting over shows the new ones.
func TestProgressOfAnotherTab(t *testing.T) {
	f := setUp(t)
	page := f.asked(t)
	f.press(t, page, "again")
	f.reloads(t, page)
}

// reloads holds that the page's events tell it that another page is due.
func (f *fixture) reloads(t *testing.T, page *browser.Page) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	resp := f.follow(ctx, t, page)
	defer resp.Body.Close()
	if stream, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(stream), `"reload":true`) {
		t.Errorf("%s, %v", stream, err)
	}
}

// follow opens the page's stream of events.
func (f *fixture) follow(ctx context.Context, t *testing.T, page *browser.Page) *http.Response {
	t.Helper()
	u, err := page.URL.Parse(page.Attr("progress", "data-events"))
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range f.browser.Cookies(page.URL.String()) {
		req.AddCookie(c)
	}
	resp, err := f.Client.Transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// One recovery is not followed a thousand times: there is a place for a few tabs, and a closed one frees its place.
func TestProgressIsBounded(t *testing.T) {
	f := setUp(t)
	page := f.asked(t)
	ctx, cancel := context.WithCancel(t.Context())
	const tabs = 8
	for range tabs {
		resp := f.follow(ctx, t, page)
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("status %d", resp.StatusCode)
		}
	}
	more := f.follow(t.Context(), t, page)
	if more.Body.Close(); more.StatusCode != http.StatusTooManyRequests {
		t.Errorf("tab %d: status %d", tabs+1, more.StatusCode)
	}
	cancel()
	again := 0
	for deadline := time.Now().Add(10 * time.Second); again != http.StatusOK && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		resp := f.follow(t.Context(), t, page)
		again = resp.StatusCode
		resp.Body.Close()
	}
	if again != http.StatusOK {
		t.Errorf("after the tabs were closed: status %d", again)
	}
}
