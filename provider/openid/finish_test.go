package openid_test

import (
	"net/http"
	"net/url"
	"sync"
	"testing"

	"regain/provider/web"
	"regain/recovery"
)

// finish presses the button that sends the browser back.
func (p *provider) finish(t *testing.T, id recovery.TransactionID, cookie *http.Cookie) url.Values {
	t.Helper()
	return left(t, p.Post("/recover/"+string(id)+"/finish", url.Values{"csrf": {web.FormToken(cookie.Value)}}, cookie))
}

// redeem is the client's token request; it returns the error, "" for none.
func (p *provider) redeem(t *testing.T, client, code string) string {
	t.Helper()
	got := p.client("/token", client, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}})
	failed, _ := decode(t, got)["error"].(string)
	return failed
}

// Continue pressed twice, or its answer lost on the way: the newest code is good, and every one before it is dead.
func TestContinueCanBeRepeated(t *testing.T) {
	for _, client := range []string{"idp", "sessions"} {
		p := newProvider(t, nil)
		id, cookie := p.start(t, client)
		p.decide(t, id, cookie)
		var codes []string
		for range 3 {
			back := p.finish(t, id, cookie)
			if back.Get("state") != "s" || back.Get("code") == "" {
				t.Fatalf("%s: %v", client, back)
			}
			codes = append(codes, back.Get("code"))
		}
		for i, code := range codes[:2] {
			if failed := p.redeem(t, client, code); failed != "invalid_grant" {
				t.Errorf("%s: code %d of 3: %q", client, i+1, failed)
			}
		}
		if failed := p.redeem(t, client, codes[2]); failed != "" {
			t.Errorf("%s: the newest code: %s", client, failed)
		}
		if back := p.finish(t, id, cookie); back.Has("code") || back.Get("error") != "access_denied" || back.Get("state") != "s" {
			t.Errorf("%s: after the code was redeemed: %v", client, back)
		}
	}
}

// A code that the client redeemed too late, or not at all, is replaced long after it expired.
func TestContinueAfterTheCodeExpired(t *testing.T) {
	p := newProvider(t, nil)
	id, cookie := p.start(t, "idp")
	p.decide(t, id, cookie)
	old := p.finish(t, id, cookie).Get("code")
	p.Turn(2 * 60e9)
	if failed := p.redeem(t, "idp", old); failed != "invalid_grant" {
		t.Errorf("the old code: %q", failed)
	}
	if failed := p.redeem(t, "idp", p.finish(t, id, cookie).Get("code")); failed != "" {
		t.Errorf("the new code: %s", failed)
	}
}

// However many presses and token requests race, one code is redeemed, once, and every press is answered.
func TestContinueRaces(t *testing.T) {
	p := newProvider(t, nil)
	id, cookie := p.start(t, "idp")
	p.decide(t, id, cookie)
	const presses = 4
	answers := make(chan url.Values, presses)
	var group sync.WaitGroup
	for range presses {
		group.Go(func() {
			got := p.Post("/recover/"+string(id)+"/finish", url.Values{"csrf": {web.FormToken(cookie.Value)}}, cookie)
			if got.Code == http.StatusSeeOther && got.Header().Get("Location") == "/recover/"+string(id) {
				return // it lost every time: the page has the button
			}
			answers <- left(t, got)
		})
	}
	group.Wait()
	close(answers)
	good := make(chan string, 4*presses)
	for answer := range answers {
		for range 4 {
			group.Go(func() {
				if p.redeem(t, "idp", answer.Get("code")) == "" {
					good <- answer.Get("code")
				}
			})
		}
	}
	group.Wait()
	if len(good) != 1 {
		t.Errorf("%d token requests succeeded", len(good))
	}
}

// A code of the browser's session is not the end of the recovery that began the session: it is redeemed though that one's
// code was.
func TestACodeOfTheSessionIsNotTheRecoverys(t *testing.T) {
	p := newProvider(t, nil)
	id, cookie := p.start(t, "sessions")
	p.decide(t, id, cookie)
	finished := p.Post("/recover/"+string(id)+"/finish", url.Values{"csrf": {web.FormToken(cookie.Value)}}, cookie)
	if failed := p.redeem(t, "sessions", left(t, finished).Get("code")); failed != "" {
		t.Fatal(failed)
	}
	for range 2 {
		next := p.Get("/authorize?"+query("sessions", url.Values{"prompt": {"none"}}).Encode(), finished.Result().Cookies()[0])
		location, err := url.Parse(next.Header().Get("Location"))
		if err != nil || location.Query().Get("code") == "" {
			t.Fatalf("%d to %s: %v", next.Code, next.Header().Get("Location"), err)
		}
		if failed := p.redeem(t, "sessions", location.Query().Get("code")); failed != "" {
			t.Errorf("from the session: %s", failed)
		}
	}
}
