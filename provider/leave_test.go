package provider_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"regain/conformance/browser"
)

// TestFormsThatLeaveAreAnsweredByAPage holds that no answer to a form of ours redirects to another origin, and that the
// page which is the answer instead lets the browser go wherever it is then redirected: browsers hold every redirect of a
// form against the policy of its page.
func TestFormsThatLeaveAreAnsweredByAPage(t *testing.T) {
	b := setUpBroker(t)
	for name, c := range map[string]struct {
		page   *browser.Page
		button string
		to     string
	}{
		"the way back, after cancelling": {b.press(t, b.open(url.Values{"login_hint": {"ada.lindqvist@example.org"}}), "cancel"), "finish", brokerRedirect},
		"the proofing provider":          {b.open(url.Values{"login_hint": {"ada.lindqvist@example.org"}}), "get-verified-id", b.Proofing},
	} {
		form, ok := c.page.Form(c.button)
		if !ok {
			t.Fatalf("%s: no button %s: %s", name, c.button, c.page.Text())
		}
		if policy := c.page.Header.Get("Content-Security-Policy"); !strings.HasSuffix(policy, "form-action 'self'") {
			t.Errorf("%s: forms of the page may go to other origins: %s", name, policy)
		}
		answer, err := b.browser.Fetch(t.Context(), browser.Request{Method: http.MethodPost, Address: form.Action, ContentType: formType, Body: []byte(form.Values.Encode())})
		b.must(t, answer, err)
		if location := answer.Header.Get("Location"); location != "" {
			t.Errorf("%s: the form is redirected to %s", name, location)
		}
		if link := answer.Attr("go-on", "href"); answer.Status != http.StatusOK || !strings.HasPrefix(link, c.to) || !strings.Contains(string(answer.Body), `http-equiv="refresh" content="0;url=`) {
			t.Errorf("%s: status %d, leads to %q, want %s", name, answer.Status, link, c.to)
		}
		if policy := answer.Header.Get("Referrer-Policy"); policy != "no-referrer" || answer.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: referrer policy %q", name, policy)
		}
	}
}
