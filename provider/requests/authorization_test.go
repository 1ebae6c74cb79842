package requests_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"regain/provider/clients"
	"regain/provider/problem"
	"regain/provider/problem/problemtest"
	"regain/provider/requests"
)

// The core sees what it checks, and nothing that it would read in its own way; it is asked before anybody's keys are fetched.
func TestWhatTheCoreSees(t *testing.T) {
	b := setUp(t)
	form := request()
	for name, value := range map[string]string{"prompt": "login", "claims": "{}", "acr_values": "urn:acr", "display": "popup", "unknown": "x", "max_age": "60"} {
		form.Set(name, value)
	}
	form.Set("response_mode", "form_post")
	form.Set("dpop_jkt", "thumbprint")
	form.Set("scope", "openid groups recovery")
	a, err := b.read(form)
	b.must(err)
	want := []string{"client_id", "code_challenge", "code_challenge_method", "nonce", "redirect_uri", "response_type", "scope", "state"}
	if got := slices.Sorted(maps.Keys(b.core.shown)); !slices.Equal(got, want) || b.core.shown.Get("state") == "s" || b.core.shown.Get("scope") != "openid recovery" || b.core.shown.Get("nonce") != "n" {
		t.Errorf("the core sees %v", b.core.shown)
	}
	if a.Form.Encode() != b.core.shown.Encode() || a.State != "s" || a.Mode != requests.ModeFormPost || a.CodeKey != "thumbprint" || !a.Recovers() || a.ClientID != "main-idp" || a.RedirectURI != redirect {
		t.Errorf("%+v", a)
	}
	form = request()
	form.Del("nonce")
	form.Del("client_id") // the client authenticated by another way
	client, err := b.Client(t.Context(), "main-idp")
	b.must(err)
	if _, refusal := b.Authorization(t.Context(), client, form); refusal != nil || b.core.shown.Get("client_id") != "main-idp" || b.core.shown.Has("nonce") {
		t.Errorf("the core sees %v, %v", b.core.shown, refusal)
	}
	form = request()
	form.Set("client_id", "publishing") // whose keys cannot be had
	form.Set("id_token_hint", b.sign("publishing", map[string]any{"iss": "publishing", "sub": "ada@example.org", "aud": issuer}))
	form.Set("response_type", "token")
	_, err = b.read(form)
	var refused *problem.Error
	if !errors.As(err, &refused) || refused.Code != "unsupported_response_type" || refused.Description != "The core knows no such response_type." {
		t.Errorf("got %v, want the core's refusal", err)
	}
}

// bankClaims are those of a good request object.
func (b *bench) bankClaims() map[string]any {
	claims := map[string]any{"iss": "bank", "aud": issuer, "nbf": b.now.Unix(), "exp": b.now.Unix() + 60, "response_mode": "jwt", "max_age": 60}
	for name, values := range request() {
		claims[name] = values[0]
	}
	claims["client_id"] = "bank"
	return claims
}

// A request object is the whole request: nothing beside it counts (RFC 9101 §5), and each row breaks one thing of it.
func TestRequestObjects(t *testing.T) {
	b := setUp(t)
	around := func(object string) url.Values {
		return url.Values{"client_id": {"bank"}, "login_hint": {"mallory@example.org"}, "state": {"outside"}, "redirect_uri": {"https://evil.example"}, "prompt": {"none"}, "request": {object}}
	}
	a, err := b.read(around(b.sign("bank", b.bankClaims())))
	if err != nil || a.Account != "ada@example.org" || a.State != "s" || a.RedirectURI != redirect || a.Mode != requests.ModeJWT || a.AuthnRequirements.Silent || *a.AuthnRequirements.MaxAge != 60 {
		t.Errorf("%+v, %v", a, err)
	}
	client, err := b.Client(t.Context(), "bank")
	b.must(err)
	for name, row := range map[string]struct {
		claim     string
		value     any
		code, why string
		state     string // of the refusal: the form's, until the object is verified
	}{
		"another's":        {"iss", "main-idp", "invalid_request_object", "iss is not the client", "outside"},
		"for another":      {"aud", "https://evil.example", "invalid_request_object", "aud does not name the issuer", "outside"},
		"not signed modes": {"response_mode", "query", "invalid_request", "responses must be signed", "s"},
		"no such mode":     {"response_mode", "fragment", "invalid_request", "response_mode is not supported", "s"},
		"no PKCE":          {"code_challenge", "", "invalid_request", "PKCE is required", "s"},
		"no response_type": {"response_type", "", "invalid_request", "response_type is missing", "s"},
		"a long nonce":     {"nonce", strings.Repeat("n", 1<<10+1), "invalid_request", "nonce is too long", "s"},
	} {
		claims := b.bankClaims()
		claims[row.claim] = row.value
		a, refusal := b.Authorization(t.Context(), client, around(b.sign("bank", claims)))
		if refusal == nil {
			t.Errorf("%s: taken: %+v", name, a)
			continue
		}
		problemtest.WantRefusal(t, refusal, row.code, row.why)
		if a.State != row.state || a.Account != "" || a.Form != nil {
			t.Errorf("%s: refused, with %+v", name, a)
		}
	}
	form := request()
	form.Set("client_id", "bank")
	_, err = b.read(form)
	problemtest.WantRefusal(t, err, "invalid_request", "must sign its requests")
	form = request()
	form.Set("request", b.sign("main-idp", b.bankClaims()))
	_, err = b.read(form)
	problemtest.WantRefusal(t, err, "request_not_supported", "registered no request objects")
	many := b.bankClaims()
	for i := range 65 {
		many[fmt.Sprintf("p%d", i)] = "1"
	}
	_, err = b.read(around(b.sign("bank", many)))
	problemtest.WantRefusal(t, err, "invalid_request", "too many parameters")
}

// A client that may do without PKCE may not do with half of it.
func TestChallengesAtTheReader(t *testing.T) {
	b := setUp(t)
	good := request().Get("code_challenge")
	for name, row := range map[string]struct {
		client, challenge, method, why string
	}{
		"none":                   {"broker", "", "", ""},
		"one":                    {"broker", good, "S256", ""},
		"only a method":          {"broker", "", "S256", "PKCE is required"},
		"only a challenge":       {"broker", good, "", "PKCE is required"},
		"plain":                  {"broker", good, "plain", "PKCE is required"},
		"none, where it must be": {"main-idp", "", "", "PKCE is required"},
		"short":                  {"main-idp", good[:42], "S256", "43 characters of base64url"},
		"long":                   {"main-idp", good + "A", "S256", "43 characters of base64url"},
		"padded":                 {"main-idp", good[:42] + "=", "S256", "43 characters of base64url"},
		"of another alphabet":    {"main-idp", good[:42] + "+", "S256", "43 characters of base64url"},
		"each kind of character": {"main-idp", "AZaz09-_" + good[:35], "S256", ""},
		"around the alphabet, @": {"main-idp", good[:42] + "@", "S256", "43 characters of base64url"},
		"around the alphabet, [": {"main-idp", good[:42] + "[", "S256", "43 characters of base64url"},
		"around the alphabet, `": {"main-idp", good[:42] + "`", "S256", "43 characters of base64url"},
		"around the alphabet, {": {"main-idp", good[:42] + "{", "S256", "43 characters of base64url"},
		"around the alphabet, /": {"main-idp", good[:42] + "/", "S256", "43 characters of base64url"},
		"around the alphabet, :": {"main-idp", good[:42] + ":", "S256", "43 characters of base64url"},
		"of the right length, é": {"main-idp", good[:41] + "é", "S256", "43 characters of base64url"},
	} {
		form := request()
		form.Set("client_id", row.client)
		form.Set("scope", "openid")
		form.Del("code_challenge")
		form.Del("code_challenge_method")
		if row.challenge != "" {
			form.Set("code_challenge", row.challenge)
		}
		if row.method != "" {
			form.Set("code_challenge_method", row.method)
		}
		a, err := b.read(form)
		switch {
		case row.why != "":
			problemtest.WantRefusal(t, err, "invalid_request", row.why)
		case err != nil || a.Form.Get("code_challenge") != row.challenge:
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

// What each contract wants of a request, as far as it can be told without the tenant's keys.
func TestContracts(t *testing.T) {
	b := setUp(t)
	okta := request()
	okta.Set("client_id", "okta")
	okta.Set("scope", "openid identity_assurance idv_flow_1")
	okta.Set("claims", `{"id_token":{"verified_claims":[{"verification":{"trust_framework":{"value":"IDV-DELEGATED"},"assurance_level":{"value":"VERIFIED"}},"claims":{"given_name":{"value":"Ada"}}}]}}`)
	if a, err := b.read(okta); err != nil || a.Form.Get("scope") != "openid" || a.Recovers() || a.Claims != okta.Get("claims") {
		t.Errorf("%+v, %v", a, err)
	}
	okta.Set("scope", "openid email recovery") // the contract has one scope, whatever else is known here
	if a, err := b.read(okta); err != nil || a.Form.Get("scope") != "openid" {
		t.Errorf("%+v, %v", a, err)
	}
	okta.Set("claims", `{"id_token":{}}`)
	_, err := b.read(okta)
	problemtest.WantRefusal(t, err, "invalid_request", "not that of the contract okta-idv")

	entra := func() url.Values {
		return url.Values{
			"client_id": {"entra"}, "response_type": {"Id_token"}, "response_mode": {"form_post"}, "scope": {"openid"}, "redirect_uri": {redirect}, "nonce": {"n"}, "state": {"s"},
			"claims": {`{"id_token":{"amr":{"values":["face","fido"]},"acr":{"values":["possessionorinherence"]}}}`},
		}
	}
	for name, row := range map[string]struct{ parameter, value, code, why string }{
		"a code":                   {"response_type", "code", "unsupported_response_type", "is id_token"},
		"in the query":             {"response_mode", "query", "invalid_request", "is form_post"},
		"no openid":                {"scope", "profile", "invalid_scope", "must contain openid"},
		"no nonce":                 {"nonce", "", "invalid_request", "nonce is missing or too long"},
		"a long nonce":             {"nonce", strings.Repeat("n", 1<<10+1), "invalid_request", "nonce is missing or too long"},
		"long claims":              {"claims", strings.Repeat("x", 16<<10+1), "invalid_request", "A parameter is too long"},
		"a long hint":              {"id_token_hint", strings.Repeat("x", 8<<10+1), "invalid_request", "A parameter is too long"},
		"a long state":             {"state", strings.Repeat("x", 4<<10+1), "invalid_request", "A parameter is too long"},
		"another address":          {"redirect_uri", redirect + "x", "invalid_request", "redirect_uri is not registered"},
		"claims that are none":     {"claims", "{", "invalid_request", "claims parameter is malformed"},
		"a factor that nobody has": {"claims", `{"id_token":{"amr":{"values":["fpt"]},"acr":{"values":["inherence"]}}}`, "access_denied", "None of the factors asked for"},
		"a hint that is none":      {"id_token_hint", "x", "invalid_request", "not a current token of the tenant"},
		"a hint at its limit":      {"id_token_hint", strings.Repeat("x", 8<<10), "invalid_request", "not a current token of the tenant"},
		"a nonce at its limit":     {"nonce", strings.Repeat("n", 1<<10), "invalid_request", "not a current token of the tenant"},
		"a state at its limit":     {"state", strings.Repeat("x", 4<<10), "invalid_request", "not a current token of the tenant"},
		"claims at their limit":    {"claims", strings.Repeat(" ", 16<<10-len(entra().Get("claims"))) + entra().Get("claims"), "invalid_request", "not a current token of the tenant"},
	} {
		form := entra()
		form.Set(row.parameter, row.value)
		a, err := b.read(form)
		problemtest.WantRefusal(t, err, row.code, row.why)
		if a.Echo != nil || a.ClientID != "entra" {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// A refreshed token has what was granted, or less; what nobody knows is left out.
func TestNarrowed(t *testing.T) {
	granted := []string{"openid", "email", "offline_access"}
	for text, want := range map[string]string{"": "openid email offline_access", " ": "openid email offline_access", "email": "email", "groups email email openid": "email openid"} {
		got, refusal := requests.Narrowed(granted, text)
		if refusal != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %q, %v", text, got, refusal)
		}
	}
	for text, why := range map[string]string{"groups": "None of these scopes was granted", "email phone": "cannot add scopes", "openid\t": "a character that no scope may have"} {
		got, refusal := requests.Narrowed(granted, text)
		if got != nil {
			t.Errorf("%q: %q", text, got)
		}
		problemtest.WantRefusal(t, refusal, "invalid_scope", why)
	}
}

// Nothing of a reader may be missing.
func TestNewNeedsEverything(t *testing.T) {
	b := setUp(t)
	for name, change := range map[string]func(cfg *requests.Config, deps *requests.Deps){
		"issuer":  func(c *requests.Config, _ *requests.Deps) { c.Issuer = "" },
		"clients": func(_ *requests.Config, d *requests.Deps) { d.Clients = nil },
		"keys":    func(_ *requests.Config, d *requests.Deps) { d.Keys = nil },
		"ring":    func(_ *requests.Config, d *requests.Deps) { d.Ring = nil },
		"tenants": func(_ *requests.Config, d *requests.Deps) { d.Tenants = nil },
		"core":    func(_ *requests.Config, d *requests.Deps) { d.Core = nil },
		"clock":   func(_ *requests.Config, d *requests.Deps) { d.Clock = nil },
	} {
		cfg, deps := requests.Config{Issuer: issuer}, b.deps
		change(&cfg, &deps)
		if r, err := requests.New(cfg, deps); err == nil || r != nil || !strings.Contains(err.Error(), "are required") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is wrong with one parameter is said of that one, and an outage of the registry is nobody's mistake.
func TestWhatIsSaidOfARequest(t *testing.T) {
	b := setUp(t)
	for name, row := range map[string]struct{ parameter, value, code, why string }{
		"claims that are none": {"claims", "{", "invalid_request", "claims parameter is malformed"},
		"no scope":             {"scope", "", "invalid_scope", "must contain openid"},
		"a control in a scope": {"scope", "openid\t", "invalid_scope", "a character that no scope may have"},
		"a quote in a scope":   {"scope", "openid \"x\"", "invalid_scope", "a character that no scope may have"},
		"a backslash in it":    {"scope", "openid \\", "invalid_scope", "a character that no scope may have"},
		"DEL in a scope":       {"scope", "openid \x7f", "invalid_scope", "a character that no scope may have"},
		"a letter past ASCII":  {"scope", "openid r\u00f4les", "invalid_scope", "a character that no scope may have"},
		"an essential acr":     {"claims", `{"id_token":{"acr":{"essential":true,"value":"urn:other"}}}`, "unmet_authentication_requirements", "None of the essential acr values"},
		"two accounts":         {"claims", `{"id_token":{"sub":{"values":["ada@example.org","bob@example.org"]}}}`, "invalid_request", "name different accounts"},
		"two more":             {"claims", `{"id_token":{"sub":{"value":"ada@example.org"}},"userinfo":{"sub":{"value":"bob@example.org"}}}`, "invalid_request", "name different accounts"},
		"of a client of none":  {"client_id", "nobody", "invalid_request", "names no registered client"},
		"another account":      {"claims", `{"id_token":{"sub":{"value":"bob@example.org"}}}`, "invalid_request", "login_hint names another account"},
	} {
		t.Run(name, func(t *testing.T) {
			form := request()
			form.Set(row.parameter, row.value)
			_, err := b.read(form)
			problemtest.WantRefusal(t, err, row.code, row.why)
		})
	}
	form := request()
	const claims = `{"id_token":{"sub":{"value":"ada@example.org"}},"userinfo":{"sub":{"value":"ADA@example.org"}}}`
	form.Set("claims", claims+strings.Repeat(" ", 16<<10-len(claims)))
	form.Set("scope", "openid ~ !")
	if a, err := b.read(form); err != nil || !strings.EqualFold(a.Account, "ada@example.org") {
		t.Errorf("of one account: %+v, %v", a, err)
	}
	b.deps.Clients = unreachable{}
	r, err := requests.New(requests.Config{Issuer: issuer}, b.deps)
	b.must(err)
	_, err = r.Client(t.Context(), "main-idp")
	var refused *problem.Error
	if !errors.As(err, &refused) || refused.Code != "temporarily_unavailable" || !errors.Is(err, errDown) {
		t.Errorf("an outage: %v", err)
	}
}

var errDown = errors.New("down")

// unreachable is a registry that does not answer.
type unreachable struct{}

func (unreachable) Client(context.Context, string) (*clients.Client, error) { return nil, errDown }

// Parameters are added behind the query of a registered URI, which stays as it is (RFC 6749 §3.1.2).
func TestWithQuery(t *testing.T) {
	for address, want := range map[string]string{
		"https://c.example/cb": "https://c.example/cb?state=a+b", "https://c.example/cb?": "https://c.example/cb?state=a+b", "https://c.example/cb?a=%zz;b": "https://c.example/cb?a=%zz;b&state=a+b",
		"https://c.example/cb?a=1&": "https://c.example/cb?a=1&state=a+b",
	} {
		if got := (requests.Logout{RedirectURI: address, State: "a b"}).Location(); got != want {
			t.Errorf("%s became %s", address, got)
		}
		if got := (requests.Logout{RedirectURI: address}).Location(); got != address {
			t.Errorf("without a state %s became %s", address, got)
		}
	}
}
