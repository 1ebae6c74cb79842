package requests_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/provider/problem/problemtest"
	"regain/provider/requests"
)

// Each parameter of a request has an end, one octet before which it is taken.
func TestLimitsOfParameters(t *testing.T) {
	b := setUp(t)
	for name, row := range map[string]struct {
		most int
		why  string
	}{"state": {4 << 10, "state is too long"}, "nonce": {1 << 10, "nonce is too long"}, "login_hint": {320, "name is too long"}} {
		form := request()
		form.Set(name, strings.Repeat("x", row.most))
		if _, err := b.read(form); err != nil {
			t.Errorf("%s of %d: %v", name, row.most, err)
		}
		form.Set(name, strings.Repeat("x", row.most+1))
		_, err := b.read(form)
		problemtest.WantRefusal(t, err, "invalid_request", row.why)
	}
	for name, row := range map[string]struct{ value, code, why string }{
		"claims":        {strings.Repeat("x", 16<<10+1), "invalid_request", "claims parameter is too long"},
		"login_hint":    {strings.Repeat("x", 8<<10+1), "invalid_request", "hint is too long"},
		"id_token_hint": {strings.Repeat("x", 8<<10+1), "invalid_request", "hint is too long"},
		"registration":  {"{}", "registration_not_supported", "registration parameter is not supported"},
	} {
		form := request()
		form.Set(name, row.value)
		_, err := b.read(form)
		problemtest.WantRefusal(t, err, row.code, row.why)
	}
	for name, why := range map[string]string{"login_hint": "name is too long", "id_token_hint": "is neither an ID token"} {
		form := request()
		form.Del("login_hint")
		form.Set(name, strings.Repeat("x", 8<<10))
		_, err := b.read(form)
		problemtest.WantRefusal(t, err, "invalid_request", why)
	}
	form := request()
	form.Del("login_hint")
	_, err := b.read(form) // a client that may not leave it to the person
	problemtest.WantRefusal(t, err, "invalid_request", "Name the account to recover")
	_, err = b.read(url.Values{"client_id": {"nobody"}})
	problemtest.WantRefusal(t, err, "invalid_request", "names no registered client")
}

// A scope that the client did not register for is refused with the cure, and each mode of an answer says how it travels.
func TestScopesAndModes(t *testing.T) {
	b := setUp(t)
	form := request()
	form.Set("scope", "openid email")
	_, err := b.read(form)
	problemtest.WantRefusal(t, err, "invalid_scope", "scope 'email'; register it for the client")
	for _, mode := range append(requests.ResponseModes(), "") {
		if posted := mode == "form_post" || mode == "form_post.jwt"; mode.Posted() != posted {
			t.Errorf("%q is posted: %t", mode, mode.Posted())
		}
	}
}

// How old an authentication may be, to the second, and what a request may say about it (OpenID Connect Core 1.0 §3.1.2.1).
func TestAuthenticationRequirements(t *testing.T) {
	now := time.Unix(1_900_000_000, 0)
	minute, none := int64(60), int64(0)
	for name, row := range map[string]struct {
		d    requests.AuthnRequirements
		age  time.Duration
		good bool
	}{
		"nothing":        {requests.AuthnRequirements{}, 1000 * time.Hour, true},
		"fresh":          {requests.AuthnRequirements{Fresh: true}, 0, false},
		"at max_age":     {requests.AuthnRequirements{MaxAge: &minute}, time.Minute, true},
		"past max_age":   {requests.AuthnRequirements{MaxAge: &minute}, time.Minute + 1, false},
		"max_age 0":      {requests.AuthnRequirements{MaxAge: &none}, 1, false},
		"fresh, max_age": {requests.AuthnRequirements{Fresh: true, MaxAge: &minute}, 0, false},
	} {
		if row.d.Allow(now.Add(-row.age), now) != row.good {
			t.Errorf("%s: %s old is not %t", name, row.age, row.good)
		}
	}
	b := setUp(t)
	for _, row := range []struct {
		prompt, age, why string
		want             requests.AuthnRequirements
	}{
		{"none", "", "", requests.AuthnRequirements{Silent: true}}, {"login", "", "", requests.AuthnRequirements{Fresh: true}}, {"consent select_account", "", "", requests.AuthnRequirements{Fresh: true}},
		{"none login", "", "cannot be combined", requests.AuthnRequirements{}}, {"create", "", "The prompt is unknown", requests.AuthnRequirements{}},
		{"", "60", "", requests.AuthnRequirements{MaxAge: &minute}}, {"login", "60", "", requests.AuthnRequirements{MaxAge: &minute, Fresh: true}}, {"", "0", "", requests.AuthnRequirements{MaxAge: &none, Fresh: true}}, {"", "-1", "max_age must be", requests.AuthnRequirements{}}, {"", "x", "max_age must be", requests.AuthnRequirements{}},
		{"", "3153600001", "max_age must be", requests.AuthnRequirements{}},
	} {
		form := request()
		form.Set("prompt", row.prompt)
		form.Set("max_age", row.age)
		a, err := b.read(form)
		if row.why != "" {
			problemtest.WantRefusal(t, err, "invalid_request", row.why)
			continue
		}
		got := a.AuthnRequirements
		if err != nil || got.Silent != row.want.Silent || got.Fresh != row.want.Fresh || (got.MaxAge == nil) != (row.want.MaxAge == nil) || got.MaxAge != nil && *got.MaxAge != *row.want.MaxAge {
			t.Errorf("prompt %q, max_age %q: %+v, %v", row.prompt, row.age, got, err)
		}
	}
	form := request()
	form.Set("max_age", "3153600000") // a hundred years
	if _, err := b.read(form); err != nil {
		t.Errorf("the longest max_age: %v", err)
	}
	for acr, why := range map[string]string{"urn:acr": "", "urn:other": "None of the essential acr values"} {
		form := request()
		form.Set("claims", `{"id_token":{"acr":{"essential":true,"value":"`+acr+`"}}}`)
		if _, err := b.read(form); why == "" && err != nil || why != "" && (err == nil || !strings.Contains(err.Error(), why)) {
			t.Errorf("acr %s: %v", acr, err)
		}
	}
}
