package provider_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"regain/conformance/browser"
	"regain/internal/config"
)

// setUpScreen is a test environment with a broker whose people get the pass on the screen.
func setUpScreen(t *testing.T) *broker {
	t.Helper()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(brokerSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	return &broker{t: t, fixture: setUpWith(t, func(cfg *config.Config) { cfg.Clients = append(cfg.Clients, screenClient(secret)) })}
}

// screenClient is a broker whose people see the pass; secret is its file.
func screenClient(secret string) config.ClientConfig {
	no := false
	return config.ClientConfig{
		ID: "broker", Name: "Broker", AuthMethod: "client_secret_post", Secret: config.Secret{File: secret}, RedirectURIs: []string{brokerRedirect},
		Scope: []string{"openid", "profile"}, RequirePAR: &no, RequirePKCE: &no, Deliver: "screen",
	}
}

// approved is the page after the evaluation of an account with Ada's wallet.
func (b *broker) approved(account string) *browser.Page {
	b.t.Helper()
	page := b.press(b.t, b.open(url.Values{"login_hint": {account}}), "have-verified-id")
	next, err := b.browser.Open(b.t.Context(), b.share(b.t, b.review(b.t, page)))
	return b.must(b.t, next, err)
}

// The person sees the pass once, signs in with it, and goes back; nothing else ever shows it.
func TestPassOnTheScreen(t *testing.T) {
	b := setUpScreen(t)
	page := b.approved("ada.lindqvist@example.org")
	if page.Has("finish") {
		t.Error("there is a way back before the pass was shown")
	}
	shown := b.press(t, page, "show-pass")
	pass, _ := shown.ByID("pass")
	if len(pass) != 12 || shown.Status != http.StatusOK || !strings.Contains(shown.Header.Get("Cache-Control"), "no-store") {
		t.Fatalf("pass %q, %d, %s", pass, shown.Status, shown.Text())
	}
	again, err := b.browser.Open(t.Context(), page.URL.String())
	if b.must(t, again, err); strings.Contains(string(again.Body), pass) || !again.Has("finish") {
		t.Errorf("visited again: %s", again.Text())
	}
	form, _ := page.Form("show-pass")
	twice, err := b.browser.Submit(t.Context(), form, nil)
	if b.must(t, twice, err); strings.Contains(string(twice.Body), pass) || twice.Has("pass") {
		t.Errorf("asked twice: %s", twice.Text())
	}
	back := b.press(t, again, "finish")
	got := b.redeem(back.URL.Query().Get("code"))
	if got.claims["sub"] != "ada.lindqvist@example.org" {
		t.Errorf("ID token %v", got.claims)
	}
	twice, err = b.browser.Open(t.Context(), page.URL.String())
	if b.must(t, twice, err); twice.Has("finish") || twice.Has("show-pass") {
		t.Errorf("after the return: %s", twice.Text())
	}
	verdicts := make(chan bool, 8)
	var group sync.WaitGroup
	for range cap(verdicts) {
		group.Go(func() {
			resp, body := b.send(t, http.MethodPost, b.Regain+"/pass/verify", formType, url.Values{
				"client_id": {"broker"}, "client_secret": {brokerSecret}, "account": {"ada.lindqvist@example.org"}, "pass": {pass},
			}.Encode())
			verdicts <- resp.StatusCode == http.StatusOK && strings.Contains(body, `"active":true`)
		})
	}
	group.Wait()
	close(verdicts)
	active := 0
	for ok := range verdicts {
		if ok {
			active++
		}
	}
	if active != 1 {
		t.Errorf("the pass was taken %d times", active)
	}
	log, err := os.ReadFile(b.AuditLog())
	if err != nil || strings.Count(string(log), `"pass_issued"`) != 1 {
		t.Errorf("%v, audit log %s", err, log)
	}
	for where, text := range map[string]string{"log": b.log.String(), "audit log": string(log)} {
		if strings.Contains(text, pass) {
			t.Errorf("the pass is in the %s", where)
		}
	}
}

// Sixteen browsers' tabs at once get one pass between them.
func TestOnePassOnManyScreens(t *testing.T) {
	b := setUpScreen(t)
	page := b.approved("ada.lindqvist@example.org")
	form, _ := page.Form("show-pass")
	cookies := b.browser.Cookies(page.URL.String())
	var mu sync.Mutex
	shown := 0
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, page.URL.String()+"/pass", strings.NewReader(form.Values.Encode()))
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("Content-Type", formType)
			for _, c := range cookies {
				req.AddCookie(c)
			}
			resp, err := b.Client.Transport.RoundTrip(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				mu.Lock()
				shown++
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if shown != 1 {
		t.Errorf("the pass was shown %d times", shown)
	}
}

// Nobody sees a pass who is not approved, in another browser, without the page's token, or for a client that gets it.
func TestNoPassOnTheScreen(t *testing.T) {
	b := setUpScreen(t)
	page := b.approved("ada.lindqvist@example.org")
	form, _ := page.Form("show-pass")
	stranger := newBrowser(b.Env)
	if _, err := stranger.Open(t.Context(), page.URL.String()); err != nil {
		t.Fatal(err)
	}
	if other, err := stranger.Submit(t.Context(), form, nil); err != nil || other.Has("pass") || other.Status != http.StatusForbidden {
		t.Errorf("another browser: %v %d", err, other.Status)
	}
	if forged, err := b.browser.Submit(t.Context(), form, url.Values{"csrf": {"guess"}}); err != nil || forged.Has("pass") || forged.Status != http.StatusForbidden {
		t.Errorf("without the token: %v %d", err, forged.Status)
	}
	denied := b.approved("jon.bell@example.org")
	if denied.Has("show-pass") || !denied.Has("finish") {
		t.Errorf("denied: %s", denied.Text())
	}
	action := *form
	action.Action = strings.Replace(form.Action, strings.TrimPrefix(page.URL.Path, "/recover/"), strings.TrimPrefix(denied.URL.Path, "/recover/"), 1)
	back, _ := denied.Form("finish")
	if refused, err := b.browser.Submit(t.Context(), &action, url.Values{"csrf": back.Values["csrf"]}); err != nil || refused.Has("pass") {
		t.Errorf("a denied person's: %v %s", err, refused.Text())
	}
	usual := b.asked(t)
	next, err := b.browser.Open(t.Context(), b.share(t, b.review(t, usual)))
	approved := b.must(t, next, err)
	finish, _ := approved.Form("finish")
	action.Action = strings.Replace(finish.Action, "/finish", "/pass", 1)
	if refused, err := b.browser.Submit(t.Context(), &action, url.Values{"csrf": finish.Values["csrf"]}); err != nil || refused.Has("pass") || refused.Status != http.StatusConflict {
		t.Errorf("of a client that gets a recovery token: %v %d %s", err, refused.Status, refused.Text())
	}
}
