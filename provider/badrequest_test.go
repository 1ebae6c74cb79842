package provider_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// A valid authorization request with one thing broken gets the registered error, at the registered redirect URI and
// nowhere else; what must not reach the client is a page.
func TestBrokenAuthorizationRequests(t *testing.T) {
	b := setUpBroker(t)
	valid := func() url.Values {
		return url.Values{"response_type": {"code"}, "client_id": {"broker"}, "redirect_uri": {brokerRedirect}, "scope": {"openid"}, "state": {"s"}}
	}
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + ".e30."
	for name, c := range map[string]struct {
		parameter, value, code string // code "" for a page
	}{
		"no response type":          {"response_type", "", "invalid_request"},
		"response type token":       {"response_type", "token", "unsupported_response_type"},
		"response type code token":  {"response_type", "code token", "unsupported_response_type"},
		"no openid":                 {"scope", "profile", "invalid_scope"},
		"a scope not registered":    {"scope", "openid recovery", "invalid_scope"},
		"unknown prompt":            {"prompt", "create", "invalid_request"},
		"none and login":            {"prompt", "none login", "invalid_request"},
		"max_age of letters":        {"max_age", "abc", "invalid_request"},
		"negative max_age":          {"max_age", "-1", "invalid_request"},
		"max_age without end":       {"max_age", strings.Repeat("9", 40), "invalid_request"},
		"unknown response mode":     {"response_mode", "fragment", "invalid_request"},
		"unsigned request object":   {"request", unsigned, "request_not_supported"},
		"somebody's request_uri":    {"request_uri", "https://evil.example/request.jwt", "request_uri_not_supported"},
		"registration":              {"registration", "{}", "registration_not_supported"},
		"claims of rubbish":         {"claims", "{", "invalid_request"},
		"claims too deep":           {"claims", strings.Repeat(`{"userinfo":`, 40), "invalid_request"},
		"an acr nobody has":         {"claims", `{"id_token":{"acr":{"essential":true,"value":"urn:other"}}}`, "unmet_authentication_requirements"},
		"a hint of rubbish":         {"id_token_hint", "x", "invalid_request"},
		"plain PKCE":                {"code_challenge_method", "plain", "invalid_request"},
		"state of 5,000 characters": {"state", strings.Repeat("s", 5000), ""},
		"unknown client":            {"client_id", "nobody", ""},
		"no client":                 {"client_id", "", ""},
		"another redirect":          {"redirect_uri", "https://evil.example/", ""},
		"redirect to a script":      {"redirect_uri", "javascript:alert(1)", ""},
		"redirect with a fragment":  {"redirect_uri", brokerRedirect + "#x", ""},
		"redirect with a user":      {"redirect_uri", "https://program.localhost@evil.example/broker", ""},
		"a longer redirect":         {"redirect_uri", brokerRedirect + "/..%2f", ""},
		"a request_uri of ours":     {"request_uri", "urn:ietf:params:oauth:request_uri:guess", ""},
	} {
		form := valid()
		if form.Set(c.parameter, c.value); c.value == "" {
			form.Del(c.parameter)
		}
		resp, body := b.send(t, http.MethodPost, b.Regain+"/authorize", formType, form.Encode())
		location, err := url.Parse(resp.Header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case c.code == "" && (resp.StatusCode != http.StatusBadRequest || !strings.Contains(body, `id="problem"`) || location.Host != ""):
			t.Errorf("%s: status %d to %s: %s", name, resp.StatusCode, location, body)
		case c.code != "" && (resp.StatusCode != http.StatusSeeOther || location.Host != "program.localhost" || location.Path != "/broker"):
			t.Errorf("%s: status %d to %s", name, resp.StatusCode, location)
		case c.code != "":
			q := location.Query()
			if q.Get("error") != c.code || q.Get("error_description") == "" || q.Get("iss") != b.Regain || q.Get("state") != form.Get("state") || q.Has("code") {
				t.Errorf("%s: %s", name, location)
			}
		}
	}
	for name, query := range map[string]string{
		"a parameter twice": valid().Encode() + "&nonce=a&nonce=b", "state twice": valid().Encode() + "&state=t", "not UTF-8": valid().Encode() + "&ui_locales=%ff",
		"in the query of a POST": "",
	} {
		target, body, method := b.Regain+"/authorize?"+query, "", http.MethodGet
		if query == "" {
			target, body, method = b.Regain+"/authorize?"+valid().Encode(), "nonce=n", http.MethodPost
		}
		if resp, _ := b.send(t, method, target, formType, body); resp.StatusCode != http.StatusBadRequest || resp.Header.Get("Location") != "" {
			t.Errorf("%s: status %d to %s", name, resp.StatusCode, resp.Header.Get("Location"))
		}
	}
	long := valid()
	long.Set("state", strings.Repeat("s", 4000))
	long.Set("prompt", "none")
	resp, _ := b.send(t, http.MethodPost, b.Regain+"/authorize", formType, long.Encode())
	if location, err := url.Parse(resp.Header.Get("Location")); err != nil || location.Query().Get("state") != long.Get("state") {
		t.Error("a long state does not come back")
	}
}
