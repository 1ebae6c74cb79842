package openid_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A page that asks for the account and stays open too long ends at the client, which hears of it; sooner, it works.
func TestThePageThatAsksStaysOpen(t *testing.T) {
	for name, row := range map[string]struct {
		open  time.Duration
		spoil func(form url.Values)
		code  string // "" for no error at the client
		says  string
	}{
		"five minutes":                    {5 * time.Minute, nil, "", ""},
		"nearly a quarter of an hour":     {15*time.Minute - time.Second, nil, "", ""},
		"a quarter of an hour":            {15 * time.Minute, nil, "access_denied", "did not name the account in time"},
		"a night":                         {12 * time.Hour, nil, "access_denied", "did not name the account in time"},
		"a night, without a name":         {12 * time.Hour, func(form url.Values) { form.Del("account") }, "access_denied", "in time"},
		"a night, another address":        {12 * time.Hour, func(form url.Values) { form.Set("redirect_uri", "https://evil.example/") }, "", "used already, or is too old"},
		"a night, another client's":       {12 * time.Hour, func(form url.Values) { form.Set("client_id", "nobody") }, "", "not understood"},
		"a night, a page of before":       {12 * time.Hour, func(form url.Values) { form.Del("redirect_uri") }, "", "used already, or is too old"},
		"a request that never was, aside": {0, func(form url.Values) { form.Set("request_uri", "urn:ietf:params:oauth:request_uri:x") }, "access_denied", "in time"},
	} {
		p := newProvider(t, nil)
		page := p.Get("/authorize?"+query("asks", url.Values{"login_hint": nil}).Encode(), nil).Body.String()
		form := url.Values{"account": {"ada@example.org"}}
		for _, field := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).FindAllStringSubmatch(page, -1) {
			form.Set(field[1], field[2])
		}
		p.Turn(row.open)
		if row.spoil != nil {
			row.spoil(form)
		}
		got := p.Post("/authorize/account", form, nil)
		body := html.UnescapeString(got.Body.String())
		switch {
		case row.code != "":
			if !strings.Contains(body, `href="`+callback+"?") || !strings.Contains(body, "error="+row.code) || !strings.Contains(body, "state=s") || !strings.Contains(strings.ReplaceAll(body, "+", " "), row.says) {
				t.Errorf("%s: %d %s", name, got.Code, body)
			}
		case row.says != "":
			if got.Code != http.StatusBadRequest || !strings.Contains(body, row.says) || strings.Contains(body, "evil.example") {
				t.Errorf("%s: %d %s", name, got.Code, body)
			}
		case got.Code != http.StatusSeeOther || !strings.HasPrefix(got.Header().Get("Location"), "/recover/"):
			t.Errorf("%s: %d to %s: %s", name, got.Code, got.Header().Get("Location"), body)
		}
	}
}
