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
		return url.Values{"response_type": {"code"}, "client_id": {"broker"}, "redirect_uri": {brokerRedirect}, "scope": {"openid"}, "state": {"s"},
			"code_challenge": {strings.Repeat("A", 43)}, "code_challenge_method": {"S256"}}
	}
	const unregistered = "parameter does not match any of the OAuth 2.0 Client&#39;s pre-registered redirect urls"
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + ".e30."
	for name, c := range map[string]struct {
		parameter, value, code, why string // code "" for a page
	}{
		"no response type":               {"response_type", "", "invalid_request", "response_type is missing"},
		"response type token":            {"response_type", "token", "unsupported_response_type", "response_type 'token'"},
		"response type code token":       {"response_type", "code token", "unsupported_response_type", "response_type 'code token'"},
		"no openid":                      {"scope", "profile", "invalid_scope", "scope must contain openid"},
		"a scope not registered":         {"scope", "openid recovery", "invalid_scope", "not allowed to request scope 'recovery'"},
		"unknown prompt":                 {"prompt", "create", "invalid_request", "prompt is unknown"},
		"none and login":                 {"prompt", "none login", "invalid_request", "prompt=none cannot be combined"},
		"max_age of letters":             {"max_age", "abc", "invalid_request", "max_age must be a number"},
		"negative max_age":               {"max_age", "-1", "invalid_request", "max_age must be a number"},
		"max_age without end":            {"max_age", strings.Repeat("9", 40), "invalid_request", "max_age must be a number"},
		"unknown response mode":          {"response_mode", "fragment", "invalid_request", "response_mode is not supported"},
		"an unregistered request object": {"request", unsigned, "request_not_supported", "registered no request objects"},
		"somebody's request_uri":         {"request_uri", "https://evil.example/request.jwt", "request_uri_not_supported", "Only request URIs of this server's PAR endpoint"},
		"registration":                   {"registration", "{}", "registration_not_supported", "registration parameter is not supported"},
		"claims of rubbish":              {"claims", "{", "invalid_request", "claims parameter is malformed"},
		"claims too deep":                {"claims", strings.Repeat(`{"userinfo":`, 40) + "{}" + strings.Repeat("}", 40), "invalid_request", "claims parameter is malformed"},
		"an acr nobody has":              {"claims", `{"id_token":{"acr":{"essential":true,"value":"urn:other"}}}`, "unmet_authentication_requirements", "essential acr values"},
		"a hint of rubbish":              {"id_token_hint", "x", "invalid_request", "id_token_hint is neither"},
		"plain PKCE":                     {"code_challenge_method", "plain", "invalid_request", "PKCE is required"},
		"state of 5,000 characters":      {"state", strings.Repeat("s", 5000), "", "The state is too long."},
		"unknown client":                 {"client_id", "nobody", "", "names no registered client"},
		"no client":                      {"client_id", "", "", "names no registered client"},
		"another redirect":               {"redirect_uri", "https://evil.example/", "", unregistered},
		"redirect to a script":           {"redirect_uri", "javascript:alert(1)", "", unregistered},
		"redirect with a fragment":       {"redirect_uri", brokerRedirect + "#x", "", unregistered},
		"redirect with a user":           {"redirect_uri", "https://program.localhost@evil.example/broker", "", unregistered},
		"a longer redirect":              {"redirect_uri", brokerRedirect + "/..%2f", "", unregistered},
		"a request_uri of ours":          {"request_uri", "urn:ietf:params:oauth:request_uri:guess", "", "unknown, expired or was used already"},
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
		case c.code == "" && (resp.StatusCode != http.StatusBadRequest || !strings.Contains(body, `id="problem"`) || !strings.Contains(body, c.why) || location.Host != ""):
			t.Errorf("%s: status %d to %s: %s", name, resp.StatusCode, location, body)
		case c.code != "" && (resp.StatusCode != http.StatusSeeOther || location.Host != "program.localhost" || location.Path != "/broker"):
			t.Errorf("%s: status %d to %s", name, resp.StatusCode, location)
		case c.code != "":
			q := location.Query()
			if q.Get("error") != c.code || !strings.Contains(q.Get("error_description"), c.why) || q.Get("iss") != b.Regain || q.Get("state") != form.Get("state") || q.Has("code") {
				t.Errorf("%s: %s", name, location)
			}
		}
	}
	for name, row := range map[string]struct{ query, why string }{
		"a parameter twice":      {valid().Encode() + "&nonce=a&nonce=b", "parameter nonce occurs more than once"},
		"state twice":            {valid().Encode() + "&state=t", "parameter state occurs more than once"},
		"not UTF-8":              {valid().Encode() + "&ui_locales=%ff", "ui_locales is not UTF-8"},
		"in the query of a POST": {"", "in the body, not in the URL"},
	} {
		target, body, method := b.Regain+"/authorize?"+row.query, "", http.MethodGet
		if row.query == "" {
			target, body, method = b.Regain+"/authorize?"+valid().Encode(), "nonce=n", http.MethodPost
		}
		resp, page := b.send(t, method, target, formType, body)
		if resp.StatusCode != http.StatusBadRequest || resp.Header.Get("Location") != "" || !strings.Contains(page, row.why) {
			t.Errorf("%s: status %d to %q: %s", name, resp.StatusCode, resp.Header.Get("Location"), page)
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
