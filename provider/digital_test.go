package provider_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"regain/conformance/browser"
	"regain/conformance/wallet"
	"regain/internal/config"
)

// script sends one of the page's script's forms, as its browser does, and reads the answer.
func (f *fixture) script(t *testing.T, path string, fields url.Values) (int, map[string]any) {
	t.Helper()
	page := f.browser.Current()
	form, ok := page.Form("cancel")
	if !ok {
		t.Fatalf("page %q has no form to take the token of", page.Title)
	}
	if !fields.Has("csrf") {
		fields.Set("csrf", form.Values.Get("csrf"))
	}
	answer, err := f.browser.Fetch(t.Context(), browser.Request{
		Method: http.MethodPost, Address: strings.TrimSuffix(form.Action, "/cancel") + "/digital-credentials/" + path,
		ContentType: formType, Body: []byte(fields.Encode()),
	})
	if err != nil {
		t.Fatal(err)
	}
	var body map[string]any
	_ = json.Unmarshal(answer.Body, &body) // a page says more in its status
	return answer.Status, body
}

// requests are what the page hands to navigator.credentials.get, as the browser gives them to a wallet.
func (f *fixture) requests(t *testing.T) []wallet.DigitalRequest {
	t.Helper()
	status, body := f.script(t, "request", url.Values{"wallet": {"default"}})
	raw, err := json.Marshal(body["requests"])
	if status != http.StatusOK || err != nil {
		t.Fatalf("%d %v", status, body)
	}
	var asked []wallet.DigitalRequest
	if err := json.Unmarshal(raw, &asked); err != nil {
		t.Fatal(err)
	}
	for i := range asked {
		asked[i].Origin = originOf(t, f.Regain)
	}
	return asked
}

// originOf is the origin of a URL.
func originOf(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Scheme + "://" + u.Host
}

func (f *fixture) respond(t *testing.T, asked wallet.DigitalRequest, options wallet.ShareOptions) string {
	t.Helper()
	data, err := f.wallet.Respond(t.Context(), asked, options)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// In each protocol of the Digital Credentials API, encrypted and not, with either format, an account is recovered.
func TestDigitalCredentials(t *testing.T) {
	for name, row := range map[string]struct {
		wallet config.WalletConfig
		change func(*config.Config)
	}{
		"unsigned":            {config.WalletConfig{DigitalCredentials: []string{"unsigned"}}, nil},
		"signed":              {config.WalletConfig{DigitalCredentials: []string{"signed"}}, nil},
		"by several":          {config.WalletConfig{DigitalCredentials: []string{"multisigned"}}, nil},
		"HAIP":                {config.WalletConfig{HAIP: true, DigitalCredentials: []string{"signed", "unsigned"}}, nil},
		"not encrypted":       {config.WalletConfig{ResponseMode: "direct_post", DigitalCredentials: []string{"unsigned"}}, nil},
		"a licence":           {config.WalletConfig{DigitalCredentials: []string{"signed"}}, asksForLicences},
		"a licence, unsigned": {config.WalletConfig{ResponseMode: "direct_post", DigitalCredentials: []string{"unsigned"}}, asksForLicences},
	} {
		t.Run(name, func(t *testing.T) {
			f := setUpWallets(t, row.change, row.wallet)
			f.asked(t)
			asked := f.requests(t)
			if len(asked) != len(row.wallet.DigitalCredentials) {
				t.Fatalf("%d requests", len(asked))
			}
			f.recoversBy(t, asked[0], f.respond(t, asked[0], wallet.ShareOptions{}))
		})
	}
}

// recoversBy goes on with what a wallet gave the page's script, to a redeemed pass.
func (f *fixture) recoversBy(t *testing.T, asked wallet.DigitalRequest, data string) {
	t.Helper()
	status, body := f.script(t, "response", url.Values{"wallet": {"default"}, "protocol": {asked.Protocol}, "data": {data}})
	next, _ := body["next"].(string)
	if status != http.StatusOK || next == "" {
		t.Fatalf("%d %v", status, body)
	}
	page, err := f.browser.Follow(t.Context(), next)
	f.finishes(t, f.must(t, page, err))
}

// Each row is an answer that is not one to this page's request; the last one, which is, is taken all the same.
func TestDigitalCredentialsThatAreRefused(t *testing.T) {
	f := setUpWallets(t, nil, config.WalletConfig{DigitalCredentials: []string{"signed"}})
	f.asked(t)
	asked := f.requests(t)[0]
	good := f.respond(t, asked, wallet.ShareOptions{})
	other := setUpWallets(t, nil, config.WalletConfig{DigitalCredentials: []string{"signed"}})
	other.asked(t)
	theirs := other.requests(t)[0]
	elsewhere := other.respond(t, theirs, wallet.ShareOptions{})
	for name, row := range map[string]struct {
		fields url.Values
		status int
	}{
		"a protocol that nobody asked for": {url.Values{"protocol": {"org-iso-mdoc"}, "data": {good}}, 400},
		"unsigned, where signed was asked": {url.Values{"protocol": {"openid4vp-v1-unsigned"}, "data": {good}}, 400},
		"no protocol":                      {url.Values{"data": {good}}, 400},
		"another recovery's answer":        {url.Values{"protocol": {asked.Protocol}, "data": {elsewhere}}, 400},
		"another nonce":                    {url.Values{"protocol": {asked.Protocol}, "data": {f.respond(t, asked, wallet.ShareOptions{Tamper: wallet.Tamper{Nonce: "another-nonce-altogether"}})}}, 400},
		"another origin":                   {url.Values{"protocol": {asked.Protocol}, "data": {f.respond(t, asked, wallet.ShareOptions{Tamper: wallet.Tamper{Audience: "origin:https://evil.example"}})}}, 400},
		"our client_id as its audience":    {url.Values{"protocol": {asked.Protocol}, "data": {f.respond(t, asked, wallet.ShareOptions{Tamper: wallet.Tamper{Audience: "x509_hash:abc"}})}}, 400},
		"no data":                          {url.Values{"protocol": {asked.Protocol}}, 400},
		"a list":                           {url.Values{"protocol": {asked.Protocol}, "data": {"[]"}}, 400},
		"another kind of wallet":           {url.Values{"protocol": {asked.Protocol}, "data": {good}, "wallet": {"phone"}}, 404},
		"a form of another site":           {url.Values{"protocol": {asked.Protocol}, "data": {good}, "csrf": {"guess"}}, 403},
	} {
		if !row.fields.Has("wallet") {
			row.fields.Set("wallet", "default")
		}
		if status, body := f.script(t, "response", row.fields); status != row.status {
			t.Errorf("%s: %d %v", name, status, body)
		}
	}
	f.recoversBy(t, asked, good)
}

// A person who declines in the browser goes on with another way.
func TestDeclinedInTheBrowser(t *testing.T) {
	f := setUpWallets(t, nil, config.WalletConfig{DigitalCredentials: []string{"unsigned"}})
	page := f.asked(t)
	asked := f.requests(t)[0]
	if status, body := f.script(t, "response", url.Values{"wallet": {"default"}, "protocol": {asked.Protocol}, "data": {`{"error":"access_denied"}`}}); status != http.StatusOK {
		t.Fatalf("%d %v", status, body)
	}
	page, err := f.browser.Follow(t.Context(), page.URL.String())
	if f.must(t, page, err); !page.Has("wallet-error") {
		t.Errorf("the page says nothing of it: %s", page.Text())
	}
	f.recovers(t, page)
}

// The page's script fetches the request before any wallet is asked, so the page must not say that one is at it.
func TestTheScriptIsNoWallet(t *testing.T) {
	f := setUpWallets(t, nil, config.WalletConfig{DigitalCredentials: []string{"signed"}})
	page := f.asked(t)
	f.requests(t)
	again, err := f.browser.Open(t.Context(), page.URL.String())
	if text, _ := f.must(t, again, err).ByID("progress"); !strings.Contains(text, "Waiting for your wallet") {
		t.Errorf("after the script: %q", text)
	}
	f.review(t, page)
	again, err = f.browser.Open(t.Context(), page.URL.String())
	if text, _ := f.must(t, again, err).ByID("progress"); !strings.Contains(text, "Opened in your wallet") {
		t.Errorf("after a wallet: %q", text)
	}
}

// The browser that asked is the browser that answers.
func TestAnotherBrowserCannotAnswer(t *testing.T) {
	f := setUpWallets(t, nil, config.WalletConfig{DigitalCredentials: []string{"unsigned"}})
	f.asked(t)
	asked := f.requests(t)[0]
	data := f.respond(t, asked, wallet.ShareOptions{})
	form, _ := f.browser.Current().Form("cancel")
	resp, _ := f.send(t, http.MethodPost, strings.TrimSuffix(form.Action, "/cancel")+"/digital-credentials/response", formType, url.Values{
		"csrf": {form.Values.Get("csrf")}, "wallet": {"default"}, "protocol": {asked.Protocol}, "data": {data},
	}.Encode())
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("got %d", resp.StatusCode)
	}
}

// Another site's page can have the person's browser send what it likes, cookie and all: the browser says whose page it
// was, and nobody frames ours to have somebody press its button.
func TestAnotherSiteAsksAndAnswersNothing(t *testing.T) {
	f := setUpWallets(t, nil, config.WalletConfig{DigitalCredentials: []string{"unsigned"}})
	page := f.asked(t)
	asked := f.requests(t)[0]
	form, _ := page.Form("cancel")
	base := strings.TrimSuffix(form.Action, "/cancel")
	for _, header := range []http.Header{
		{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"https://evil.example"}}, {"Origin": {"null"}},
	} {
		for path, fields := range map[string]url.Values{
			"/digital-credentials/request": {}, "/digital-credentials/response": {"protocol": {asked.Protocol}, "data": {f.respond(t, asked, wallet.ShareOptions{})}},
		} {
			fields.Set("csrf", form.Values.Get("csrf")) // which no other site knows
			fields.Set("wallet", "default")
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+path, strings.NewReader(fields.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			request.Header = header.Clone()
			request.Header.Set("Content-Type", formType)
			for _, cookie := range f.browser.Cookies(page.URL.String()) {
				request.AddCookie(cookie)
			}
			answer, err := f.Client.Transport.RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			if answer.Body.Close(); answer.StatusCode != http.StatusForbidden || answer.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s with %v: %d", path, header, answer.StatusCode)
			}
		}
	}
	answer, err := f.browser.Fetch(t.Context(), browser.Request{Method: http.MethodGet, Address: page.URL.String()})
	if err != nil || answer.Header.Get("X-Frame-Options") != "DENY" || !strings.Contains(answer.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Errorf("the page may be framed: %v, %v", answer.Header, err)
	}
	f.recoversBy(t, asked, f.respond(t, asked, wallet.ShareOptions{}))
}
