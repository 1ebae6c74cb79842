package idp_test

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"regain/conformance/idp"
)

// TestEveryAnswerIsGuarded looks at the headers of every route.
func TestEveryAnswerIsGuarded(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/", "/other-ways", "/pass", "/callback", "/recovered", "/home", "/passkey/new", "/nothing", "/assets/style.css", "/assets/none"} {
		h := w.open(w.browser(), path).Header
		policy := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") ||
			!strings.HasSuffix(policy, "form-action 'self' "+w.regain.url) {
			t.Errorf("%s: %s", path, policy)
		}
		for name, value := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "strict-origin"} {
			if h.Get(name) != value {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
		if path != "/assets/style.css" && h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be stored", path)
		}
	}
}

// TestPagesNeedNoScripts walks the ways that a person without scripts has, and looks for what the policy would block.
func TestPagesNeedNoScripts(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	page := w.open(b, "/")
	form, ok := page.Form("passkey-sign-in")
	if !ok {
		t.Fatal("no form")
	}
	page, err := b.Submit(t.Context(), form, url.Values{"account": {ada}})
	if err != nil {
		t.Fatal(err)
	}
	want(t, page, http.StatusOK, "recover")
	if page.Attr("account", "value") != ada {
		t.Error("the name was lost")
	}
	link, _ := page.Link("use-pass")
	if page, err = b.Follow(t.Context(), link); err != nil || page.Attr("pass-account", "value") != ada || page.Attr("pass", "value") != "" {
		t.Errorf("%s: %v", page.Body, err)
	}
	for _, path := range []string{"/", "/other-ways", "/pass", "/nothing"} {
		body := string(w.open(b, path).Body)
		for _, inline := range []string{"<style", " style=", " onclick=", "<script>", "javascript:"} {
			if strings.Contains(body, inline) {
				t.Errorf("%s has %q", path, inline)
			}
		}
		if !strings.Contains(body, `<html lang="en">`) || !strings.Contains(body, "viewport") || strings.Count(body, "<h1>") != 1 {
			t.Errorf("%s lacks what readers need", path)
		}
	}
}

// TestFormsOfOtherSites posts with a browser's headers of a page elsewhere.
func TestFormsOfOtherSites(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/recover", "/pass", "/sign-out", "/passkey/login/begin", "/passkey/register/finish"} {
		for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+path, strings.NewReader("account=x&pass=y"))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set(name, value)
			resp, err := local().RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusForbidden || len(resp.Cookies()) != 0 {
				t.Errorf("%s by %s: %d", path, name, resp.StatusCode)
			}
		}
	}
	if w.regain.count("/par")+w.regain.count("/pass/verify") != 0 {
		t.Error("Regain was asked")
	}
}

// TestMarkupIsText puts markup where a name is expected.
func TestMarkupIsText(t *testing.T) {
	w := newWorld(t)
	const name = `"><script>alert(1)</script>`
	page := w.open(w.browser(), "/other-ways?account="+url.QueryEscape(name))
	if page.Attr("account", "value") != name || strings.Contains(string(page.Body), "<script>alert") {
		t.Errorf("%s", page.Body)
	}
}

func TestNewRefusesMissingParts(t *testing.T) {
	w := newWorld(t)
	for name, breakOne := range map[string]func(*idp.Config){
		"Name":              func(c *idp.Config) { c.Name = "" },
		"BaseURL":           func(c *idp.Config) { c.BaseURL = "" },
		"BaseURL with path": func(c *idp.Config) { c.BaseURL += "/idp" },
		"BaseURL in clear":  func(c *idp.Config) { c.BaseURL = "http://idp.example" },
		"BaseURL no URL":    func(c *idp.Config) { c.BaseURL = "idp" },
		"RegainIssuer":      func(c *idp.Config) { c.RegainIssuer = "" },
		"issuer in clear":   func(c *idp.Config) { c.RegainIssuer = "http://regain.example" },
		"ClientID":          func(c *idp.Config) { c.ClientID = "" },
		"Accounts":          func(c *idp.Config) { c.Accounts = nil },
		"account twice":     func(c *idp.Config) { c.Accounts = append(c.Accounts, c.Accounts[0]) },
		"account, capitals": func(c *idp.Config) { c.Accounts = []idp.Account{{Name: "Ada@example.org"}} },
		"HTTPClient":        func(c *idp.Config) { c.HTTPClient = nil },
		"Clock":             func(c *idp.Config) { c.Clock = nil },
		"Random":            func(c *idp.Config) { c.Random = nil },
		"Random, empty":     func(c *idp.Config) { c.Random = strings.NewReader("") },
		"Logger":            func(c *idp.Config) { c.Logger = nil },
	} {
		config := w.config()
		breakOne(&config)
		if _, err := idp.New(config); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	config := w.config()
	config.Logger = slog.New(slog.DiscardHandler)
	if _, err := idp.New(config); err != nil {
		t.Error(err)
	}
}
