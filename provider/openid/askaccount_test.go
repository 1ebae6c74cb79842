package openid_test

import (
	"html"
	"net/http"
	"net/http/httptest"
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

// A request that nobody pushed is anybody's, and is kept while its page asks for the account: of one network so many, and of
// the next ones the client hears. Whoever comes from elsewhere, or was pushed by the client, is asked as ever.
func TestPagesThatAskKeepFewRequests(t *testing.T) {
	p := newProvider(t, nil)
	open := func(from string, request url.Values) (asked bool, answer url.Values) {
		t.Helper()
		r := httptest.NewRequest(http.MethodGet, "/authorize?"+request.Encode(), nil)
		r.RemoteAddr = from
		got := p.Do(r)
		if got.Code == http.StatusOK && strings.Contains(got.Body.String(), `name="account"`) {
			return true, nil
		}
		at, err := url.Parse(got.Header().Get("Location"))
		if err != nil || !strings.HasPrefix(at.String(), callback+"?") {
			t.Fatalf("%d to %s", got.Code, at)
		}
		return false, at.Query()
	}
	nameless := query("asks", url.Values{"login_hint": nil, "claims": {`{"id_token":{"` + strings.Repeat("c", 15_000) + `":null}}`}})
	const most = 100
	for i := range most + 20 {
		asked, answer := open("198.51.100.1:4711", nameless)
		switch {
		case asked != (i < most):
			t.Fatalf("page %d: asked %t, %v", i+1, asked, answer)
		case !asked && (answer.Get("error") != "access_denied" || !strings.Contains(answer.Get("error_description"), "Too many") || answer.Get("state") != "s"):
			t.Fatalf("page %d: %v", i+1, answer)
		}
	}
	if asked, answer := open("198.51.100.2:4711", nameless); !asked {
		t.Errorf("another network: %v", answer)
	}
	pushed := p.client("/par", "asks", query("asks", url.Values{"login_hint": nil, "client_id": nil}))
	uri, _ := decode(t, pushed)["request_uri"].(string)
	if asked, answer := open("198.51.100.1:4711", url.Values{"client_id": {"asks"}, "request_uri": {uri}}); uri == "" || !asked {
		t.Errorf("a pushed request: %d %s, %v", pushed.Code, pushed.Body, answer)
	}
	p.Turn(time.Hour)
	if asked, answer := open("198.51.100.1:4711", nameless); !asked {
		t.Errorf("when the hour is over: %v", answer)
	}
}
