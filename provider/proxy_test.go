package provider_test

import (
	"net/http"
	"strings"
	"testing"
)

// Behind a proxy that rewrites Host, a form of ours passes in a browser that sends Origin and no Fetch Metadata, and one of a
// page at the rewritten name does not.
func TestAProxyThatRewritesHost(t *testing.T) {
	f := setUp(t)
	page := f.start(t, "ada.lindqvist@example.org")
	form, ok := page.Form("cancel")
	if !ok {
		t.Fatal("no form")
	}
	post := func(origin string) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, form.Action, strings.NewReader(form.Values.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "backend.internal:8400"
		req.Header.Set("Content-Type", formType)
		req.Header.Set("Origin", origin)
		for _, c := range f.browser.Cookies(form.Action) {
			req.AddCookie(c)
		}
		resp, err := f.Client.Transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	for _, evil := range []string{"http://backend.internal:8400", "https://backend.internal:8400", "https://evil.example", "null"} {
		if status := post(evil); status != http.StatusForbidden {
			t.Errorf("a page of %s: %d", evil, status)
		}
	}
	if status := post(f.Regain); status != http.StatusSeeOther {
		t.Errorf("a page of ours: %d", status)
	}
	// Nothing else that the proxy says of the request chooses an address.
	again, err := f.browser.Open(t.Context(), page.URL.String())
	if f.must(t, again, err); !again.Has("cancelled") {
		t.Errorf("the form was not taken: %s", again.Text())
	}
}

// A browser that keeps no cookies is told so, from the first page on and with every form.
func TestCookiesAreBlocked(t *testing.T) {
	f := setUp(t)
	page := f.start(t, "ada.lindqvist@example.org")
	form, ok := page.Form("have-verified-id")
	if !ok {
		t.Fatal("no form")
	}
	_, first := f.send(t, http.MethodGet, page.URL.String(), "", "")
	_, posted := f.send(t, http.MethodPost, form.Action, formType, form.Values.Encode())
	for name, body := range map[string]string{"the first page": first, "a form": posted} {
		if !strings.Contains(body, "needs a cookie") || strings.Contains(body, "trying") {
			t.Errorf("%s: %s", name, body)
		}
	}
}
