package provider_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"regain/conformance/browser"
	"regain/conformance/rp"
	"regain/conformance/wallet"
)

// ended presses finish and returns the error that the client gets, after checking state and iss.
func (f *fixture) ended(t *testing.T, page *browser.Page) error {
	t.Helper()
	back := f.press(t, page, "finish")
	_, err := f.RP.Code(f.attempt, back.URL.String())
	if !errors.Is(err, rp.ErrDenied) {
		t.Fatalf("sent back to %s: %v", back.URL.Redacted(), err)
	}
	return err
}

// The client learns that it was refused, and the same sentence whatever the cause.
func TestTheClientHearsOneSentence(t *testing.T) {
	f := setUp(t)
	cancelled := f.ended(t, f.press(t, f.asked(t), "cancel"))
	page := f.press(t, f.start(t, "nobody@example.org"), "have-verified-id")
	denied, err := f.browser.Open(t.Context(), f.share(t, f.review(t, page)))
	if f.must(t, denied, err); !denied.Has("denied") {
		t.Fatalf("not denied: %s", denied.Text())
	}
	refused := f.ended(t, denied)
	if cancelled.Error() != refused.Error() || !strings.Contains(refused.Error(), "access_denied") {
		t.Errorf("cancelled: %v; denied: %v", cancelled, refused)
	}
}

// A recovery that ended sends the browser back again and again, and never with a code.
func TestFinishAfterTheEnd(t *testing.T) {
	f := setUp(t)
	page := f.press(t, f.asked(t), "cancel")
	first := f.ended(t, page)
	if second := f.ended(t, page); first.Error() != second.Error() {
		t.Errorf("first %v, then %v", first, second)
	}
}

// The proofing provider gets a reference that opens nothing, and the person comes back to where they were.
func TestProofing(t *testing.T) {
	f := setUp(t)
	page := f.start(t, "ada.lindqvist@example.org")
	away := f.press(t, page, "get-verified-id")
	if away.URL.Host != strings.TrimPrefix(f.Proofing, "http://") || away.Status != http.StatusOK {
		t.Fatalf("at %s with status %d", away.URL.Redacted(), away.Status)
	}
	for _, c := range f.browser.Cookies(f.Regain) {
		if strings.Contains(away.URL.String(), c.Value) {
			t.Error("the browser's secret left with the person")
		}
	}
	for _, status := range []string{"completed", "failed", "nonsense", ""} {
		back, err := f.browser.Open(t.Context(), page.URL.String()+"/proofed?"+url.Values{"status": {status}}.Encode())
		if f.must(t, back, err); !back.Has("have-verified-id") {
			t.Errorf("status %q: %s", status, back.Text())
		}
		if form, ok := back.Form("get-verified-id"); ok {
			if _, err := f.browser.Submit(t.Context(), form, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// crossDevice has the wallet answer the QR code of the page, and returns the digits that its browser shows.
func (f *fixture) crossDevice(t *testing.T, page *browser.Page) string {
	t.Helper()
	code, _ := page.ByID("qr-text")
	request, err := f.wallet.Scan(t.Context(), code)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.wallet.FaceCheck(t.Context(), request.FaceCheckFor()); err != nil {
		t.Fatal(err)
	}
	next, err := f.wallet.Share(t.Context(), request, wallet.ShareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	shown, err := newBrowser(f.Env).Open(t.Context(), next)
	digits, ok := f.must(t, shown, err).ByID("digits")
	if !ok {
		t.Fatalf("no digits: %s", shown.Text())
	}
	return digits
}

func (f *fixture) typeDigits(t *testing.T, digits string) *browser.Page {
	t.Helper()
	form, ok := f.browser.Current().Form("confirm")
	if !ok {
		t.Fatalf("nowhere to type: %s", f.browser.Current().Text())
	}
	next, err := f.browser.Submit(t.Context(), form, url.Values{"code": {digits}})
	return f.must(t, next, err)
}

// Wrong digits are said to be wrong, and the right ones still count; spaces do not.
func TestConfirmation(t *testing.T) {
	f := setUp(t)
	page := f.asked(t)
	digits := f.crossDevice(t, page)
	shown, err := f.browser.Open(t.Context(), page.URL.String())
	f.must(t, shown, err)
	for _, wrong := range []string{"abc", otherDigits(digits)} {
		if next := f.typeDigits(t, wrong); next.Status != http.StatusUnprocessableEntity || !strings.Contains(next.Text(), "That is not the code") {
			t.Fatalf("%q: status %d: %s", wrong, next.Status, next.Text())
		}
	}
	if next := f.typeDigits(t, strings.Join(strings.Split(digits, ""), " ")); !next.Has("finish") {
		t.Errorf("the right digits: %s", next.Text())
	}
}

// Whoever guesses gets three tries, and then what the wallet showed is forgotten: it has to be asked anew.
func TestGuessedDigits(t *testing.T) {
	f := setUp(t)
	page := f.asked(t)
	digits := f.crossDevice(t, page)
	shown, err := f.browser.Open(t.Context(), page.URL.String())
	f.must(t, shown, err)
	for range 3 {
		shown = f.typeDigits(t, otherDigits(digits))
	}
	if link, ok := shown.ByID("qr-text"); !ok || !strings.Contains(shown.Text(), "no longer counts") {
		t.Errorf("after three tries: %s", shown.Text())
	} else if old, _ := page.ByID("qr-text"); link == old {
		t.Error("the request is still the old one")
	}
	code, _ := page.ByID("qr-text")
	if _, err := f.wallet.Scan(t.Context(), code); err == nil {
		t.Error("the old request still answers")
	}
}

func otherDigits(digits string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return '0' + (r-'0'+1)%10
		}
		return r
	}, digits)
}

// A pass is good for its account, once, and for an authenticated client.
func TestVerifyPass(t *testing.T) {
	f := setUp(t)
	done, err := f.browser.Open(t.Context(), f.share(t, f.review(t, f.asked(t))))
	back := f.press(t, f.must(t, done, err), "finish")
	code, err := f.RP.Code(f.attempt, back.URL.String())
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := f.RP.Redeem(t.Context(), f.attempt, code)
	if err != nil {
		t.Fatal(err)
	}
	recovery, err := f.RP.OpenRecoveryToken(tokens.RecoveryToken)
	if err != nil {
		t.Fatal(err)
	}
	account, pass := "ada.lindqvist@example.org", recovery.Recovery.Pass.Value
	var problem *rp.Error
	form := url.Values{"account": {account}, "pass": {pass}}
	if err := f.RP.PostForm(t.Context(), "/pass/verify", form, http.StatusOK, nil); !errors.As(err, &problem) || problem.Status != http.StatusUnauthorized {
		t.Errorf("without a client: %v", err)
	}
	for name, c := range map[string]struct{ account, pass string }{
		"no account": {"", pass}, "no pass": {account, ""},
	} {
		if _, err := f.RP.VerifyPass(t.Context(), c.account, c.pass); !errors.As(err, &problem) || problem.Code != "invalid_request" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, c := range []struct {
		name, account, pass string
		active              bool
	}{
		{"another account", "jose.garcia@example.org", pass, false},
		{"an account nobody has", "nobody@example.org", pass, false},
		{"another pass", account, otherDigits(pass) + "x", false},
		{"the pass", account, pass, true},
		{"the pass again", account, pass, false},
	} {
		if verdict, err := f.RP.VerifyPass(t.Context(), c.account, c.pass); err != nil || verdict.Active != c.active {
			t.Errorf("%s: %+v, %v", c.name, verdict, err)
		}
	}
}

// A mistake in a request by value reaches the client, where its redirect URI is registered, and no other URI ever.
func TestAuthorizationErrors(t *testing.T) {
	f := setUp(t)
	valid := url.Values{
		"response_type": {"code"}, "client_id": {"program"}, "redirect_uri": {"https://program.localhost/callback"}, "scope": {"openid recovery"},
		"state": {"a-state-of-some-length"}, "nonce": {"n"}, "login_hint": {"ada.lindqvist@example.org"},
		"code_challenge": {strings.Repeat("A", 43)}, "code_challenge_method": {"S256"},
	}
	for name, c := range map[string]struct {
		parameter, value, code string
	}{
		"plain PKCE":            {"code_challenge_method", "plain", "invalid_request"},
		"no PKCE":               {"code_challenge", "", "invalid_request"},
		"another response type": {"response_type", "token", "unsupported_response_type"},
		"another scope":         {"scope", "openid offline_access", "invalid_scope"},
		"prompt none":           {"prompt", "none", "login_required"},
		"a request object":      {"request", "e30.e30.", "request_not_supported"},
		"no account":            {"login_hint", "", "invalid_request"},
	} {
		form := url.Values{}
		for k, v := range valid {
			form[k] = v
		}
		if form.Set(c.parameter, c.value); c.value == "" {
			form.Del(c.parameter)
		}
		resp, body := f.send(t, http.MethodPost, f.Regain+"/authorize", formType, form.Encode())
		location, err := url.Parse(resp.Header.Get("Location"))
		if err != nil || resp.StatusCode != http.StatusSeeOther || location.Host != "program.localhost" {
			t.Errorf("%s: status %d, to %s: %s", name, resp.StatusCode, location, body)
			continue
		}
		q := location.Query()
		if q.Get("error") != c.code || q.Get("state") != valid.Get("state") || q.Get("iss") != f.Regain || q.Has("code") {
			t.Errorf("%s: %s", name, location)
		}
	}
	for name, uri := range map[string]string{"none": "", "another": "https://evil.example/", "a prefix": valid.Get("redirect_uri") + "/more", "a fragment": valid.Get("redirect_uri") + "#x"} {
		form := url.Values{}
		for k, v := range valid {
			form[k] = v
		}
		form.Set("redirect_uri", uri)
		if resp, body := f.send(t, http.MethodPost, f.Regain+"/authorize", formType, form.Encode()); resp.StatusCode != http.StatusBadRequest || resp.Header.Get("Location") != "" {
			t.Errorf("redirect URI %s: status %d, to %q: %s", name, resp.StatusCode, resp.Header.Get("Location"), body)
		}
	}
}
