package idp_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"regain/conformance/browser"
	"regain/conformance/idp/visitor"
)

// TestRefusedPasses shows one page for every kind of no.
func TestRefusedPasses(t *testing.T) {
	used := func(w *env) string {
		pass := w.regain.give(ada)
		if _, err := w.visitor().UsePass(w.t.Context(), ada, pass); err != nil {
			w.t.Fatal(err)
		}
		return pass
	}
	looks := map[string]bool{}
	for name, c := range map[string]struct {
		account string
		pass    func(w *env) string
	}{
		"wrong":                     {ada, func(*env) string { return "wrong" }},
		"empty":                     {ada, func(*env) string { return "" }},
		"endless":                   {ada, func(*env) string { return strings.Repeat("a", 300) }},
		"used":                      {ada, used},
		"another account's":         {bob, func(w *env) string { return w.regain.give(ada) }},
		"no such account":           {"nobody@example.org", func(*env) string { return "wrong" }},
		"good, and no such account": {"nobody@example.org", func(w *env) string { return w.regain.give("nobody@example.org") }},
		"no account":                {"", func(w *env) string { return w.regain.give(ada) }},
		"refused by Regain": {ada, func(w *env) string {
			w.regain.lies.refuse = map[string]string{"/pass/verify": "invalid_request"}
			return w.regain.give(ada)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			v := w.visitor()
			page, err := v.UsePass(t.Context(), c.account, c.pass(w))
			if !errors.Is(err, visitor.ErrPage) {
				t.Fatalf("%v", err)
			}
			want(t, page, http.StatusForbidden, "pass-failed")
			looks[string(page.Body)] = true
			w.nothing(v.Browser)
		})
	}
	if len(looks) != 1 {
		t.Errorf("%d different pages", len(looks))
	}
}

// TestPassGivesOneRight looks at what a pass session may do.
func TestPassGivesOneRight(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	page, err := v.UsePass(t.Context(), ada, w.regain.give(ada))
	if err != nil || page.URL.Path != "/passkey/new" || !strings.Contains(page.Text(), ada) {
		t.Fatalf("%v", err)
	}
	for _, path := range []string{"/home", "/recovered", "/passkey/created"} {
		want(t, w.open(v.Browser, path), http.StatusForbidden, "no-session")
	}
	w.clock.forward(10 * time.Minute)
	w.nothing(v.Browser)
}

func TestWrongPassesAreLimited(t *testing.T) {
	w := newWorld(t)
	wrong := func(account string) {
		if _, err := w.visitor().UsePass(t.Context(), account, "wrong"); err == nil {
			t.Fatal("a wrong pass signed in")
		}
	}
	for range 5 {
		wrong(ada)
	}
	good := w.regain.give(ada)
	asked := w.regain.count("/pass/verify")
	page, err := w.visitor().UsePass(t.Context(), ada, good)
	if err == nil || w.regain.count("/pass/verify") != asked {
		t.Error("Regain was asked a sixth time")
	}
	want(t, page, http.StatusForbidden, "pass-failed")
	if _, err := w.visitor().UsePass(t.Context(), bob, w.regain.give(bob)); err != nil {
		t.Errorf("another account is locked too: %v", err)
	}
	w.clock.forward(15 * time.Minute)
	if _, err := w.visitor().UsePass(t.Context(), ada, good); err != nil {
		t.Errorf("still locked after the window: %v", err)
	}
	for range 10 {
		if _, err := w.visitor().UsePass(t.Context(), ada, w.regain.give(ada)); err != nil {
			t.Fatalf("good passes were counted as wrong: %v", err)
		}
	}
}

// TestWrongPassesAtOnce tries many at the same time: the limit holds.
func TestWrongPassesAtOnce(t *testing.T) {
	w := newWorld(t)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			resp, err := (&http.Client{Transport: local()}).PostForm(w.url+"/pass", url.Values{"account": {ada}, "pass": {"wrong"}})
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
		})
	}
	group.Wait()
	if asked := w.regain.count("/pass/verify"); asked != 5 {
		t.Errorf("Regain was asked %d times", asked)
	}
}

// TestOutageIsNoWrongPass keeps tries that nobody looked at from locking anybody out.
func TestOutageIsNoWrongPass(t *testing.T) {
	w := newWorld(t)
	pass := w.regain.give(ada)
	w.regain.lies.status = map[string]int{"/pass/verify": 503}
	for range 6 {
		page, err := w.visitor().UsePass(t.Context(), ada, pass)
		if err == nil {
			t.Fatal("signed in without Regain")
		}
		want(t, page, http.StatusServiceUnavailable, "recovery-unavailable")
	}
	w.regain.lies.status = nil
	if _, err := w.visitor().UsePass(t.Context(), ada, pass); err != nil {
		t.Error(err)
	}
}

// TestSessionIsNew plants a session cookie before a sign-in: the one afterwards is another.
func TestSessionIsNew(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	if _, err := v.UsePass(t.Context(), ada, w.regain.give(ada)); err != nil {
		t.Fatal(err)
	}
	before := cookie(t, v.Browser, w.url, "__Host-idp-session")
	if _, err := v.CreatePasskey(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := cookie(t, v.Browser, w.url, "__Host-idp-session")
	if before.Value == after.Value {
		t.Error("the session kept its id")
	}
	for _, c := range []*http.Cookie{before, after} {
		if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || len(c.Value) != 43 {
			t.Errorf("cookie %s", c.Name)
		}
	}
}

func cookie(t *testing.T, b *browser.Browser, address, name string) *http.Cookie {
	t.Helper()
	for _, c := range b.Cookies(address) {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no cookie %s", name)
	return nil
}
