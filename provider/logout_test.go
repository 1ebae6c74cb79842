package provider_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"regain/conformance/browser"
)

const signedOutURI = "https://program.localhost/out"

// signedIn reports whether the broker's requests are still answered from a session.
func (b *broker) signedIn() bool {
	b.t.Helper()
	return b.open(url.Values{"prompt": {"none"}, "login_hint": nil}).URL.Query().Get("code") != ""
}

// crossSite posts to the end-session endpoint as a browser does from a page of the client: without our SameSite=Lax cookie.
func (b *broker) crossSite(form url.Values) (*http.Response, string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.Regain+"/logout", strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	for name, value := range map[string]string{"Content-Type": formType, "Origin": "https://program.localhost", "Sec-Fetch-Site": "cross-site"} {
		req.Header.Set(name, value)
	}
	return b.do(req)
}

func (b *broker) do(req *http.Request) (*http.Response, string) {
	b.t.Helper()
	resp, err := b.Client.Transport.RoundTrip(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	var body strings.Builder
	if err := resp.Write(&body); err != nil {
		b.t.Fatal(err)
	}
	return resp, body.String()
}

// A verified hint ends its session, also where the browser shows no cookie (RP-Initiated Logout §2), and nothing else does.
func TestAHintEndsItsSession(t *testing.T) {
	b := setUpBroker(t)
	signed := b.redeem(b.signIn(nil).Get("code"))
	for name, form := range map[string]url.Values{
		"a broken hint":              {"id_token_hint": {signed.ID[:len(signed.ID)-4] + "AAAA"}},
		"a hint for another client":  {"id_token_hint": {signed.ID}, "client_id": {"program"}},
		"a hint and another address": {"id_token_hint": {signed.ID}, "post_logout_redirect_uri": {"https://evil.example/"}},
	} {
		if resp, _ := b.crossSite(form); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", name, resp.StatusCode)
		}
	}
	if resp, body := b.crossSite(nil); resp.StatusCode != http.StatusOK || !strings.Contains(body, `id="sign-out"`) {
		t.Errorf("without a hint: %d %s", resp.StatusCode, body)
	}
	if !b.signedIn() || len(b.logouts) != 0 {
		t.Fatal("something else ended the session")
	}
	resp, body := b.crossSite(url.Values{"id_token_hint": {signed.ID}, "post_logout_redirect_uri": {signedOutURI}, "state": {"x"}})
	if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != signedOutURI+"?state=x" {
		t.Errorf("%d to %q: %s", resp.StatusCode, resp.Header.Get("Location"), body)
	}
	if b.signedIn() || len(b.logouts) != 1 {
		t.Errorf("still signed in, or %d notifications", len(b.logouts))
	}
	if resp, _ := b.crossSite(url.Values{"id_token_hint": {signed.ID}}); resp.StatusCode != http.StatusOK || len(b.logouts) != 1 {
		t.Errorf("again: %d, %d notifications", resp.StatusCode, len(b.logouts))
	}
}

// A sign-out that no cookie and no hint identifies is confirmed on a page of ours, whose form brings the cookie.
func TestSignOutIsConfirmedOnOurPage(t *testing.T) {
	b := setUpBroker(t)
	b.signIn(nil)
	_, body := b.crossSite(url.Values{"client_id": {"broker"}, "post_logout_redirect_uri": {signedOutURI}, "state": {"x"}})
	_, rest, _ := strings.Cut(body, `name="csrf" value="`)
	token, _, found := strings.Cut(rest, `"`)
	if !found || !b.signedIn() {
		t.Fatalf("not asked: %s", body)
	}
	confirm := func(site, csrf string) (*http.Response, string) {
		form := url.Values{"csrf": {csrf}, "client_id": {"broker"}, "post_logout_redirect_uri": {signedOutURI}, "state": {"x"}}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.Regain+"/logout", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", formType)
		if site != "" {
			req.Header.Set("Sec-Fetch-Site", site)
		}
		for _, c := range b.browser.Cookies(b.Regain) {
			req.AddCookie(c)
		}
		return b.do(req)
	}
	for _, forged := range [][2]string{{"cross-site", token}, {"same-site", token}, {"", token}, {"same-origin", "guess"}, {"same-origin", ""}} {
		if _, page := confirm(forged[0], forged[1]); !strings.Contains(page, `id="sign-out"`) || !b.signedIn() {
			t.Errorf("%q signs out", forged)
		}
	}
	if _, page := confirm("same-origin", token); b.signedIn() || !strings.Contains(page, signedOutURI+"?state=x") || len(b.logouts) != 1 {
		t.Errorf("not signed out: %s", page)
	}
}

// A client that names itself and has no ID token is asked for: the person confirms, and goes to an address that it registered.
func TestSignOutWithAClientID(t *testing.T) {
	b := setUpBroker(t)
	b.signIn(nil)
	open := func(query url.Values) *browser.Page {
		page, err := b.browser.Open(t.Context(), b.Regain+"/logout?"+query.Encode())
		return b.must(t, page, err)
	}
	for says, query := range map[string]url.Values{
		"not registered":                 {"client_id": {"broker"}, "post_logout_redirect_uri": {"https://evil.example/"}},
		"names no registered client":     {"client_id": {"nobody"}, "post_logout_redirect_uri": {signedOutURI}},
		"needs an id_token_hint":         {"client_id": {""}, "post_logout_redirect_uri": {signedOutURI}},
		"not registered for this client": {"client_id": {"program"}, "post_logout_redirect_uri": {signedOutURI}},
	} {
		if page := open(query); page.Status != http.StatusBadRequest || !strings.Contains(page.Text(), says) || !b.signedIn() {
			t.Errorf("%s: %d %s", says, page.Status, page.Text())
		}
	}
	query := url.Values{"client_id": {"broker"}, "post_logout_redirect_uri": {signedOutURI}, "state": {"x"}}
	page := open(query)
	if !page.Has("sign-out") || !b.signedIn() {
		t.Fatalf("not asked: %s", page.Text())
	}
	page = open(query)
	if done := b.press(t, page, "sign-out"); done.URL.String() != signedOutURI+"?state=x" || b.signedIn() || len(b.logouts) != 1 {
		t.Errorf("at %s, %d notifications", done.URL, len(b.logouts))
	}
	if done := open(query); done.URL.String() != signedOutURI+"?state=x" {
		t.Errorf("nobody is signed in: at %s", done.URL)
	}
}
