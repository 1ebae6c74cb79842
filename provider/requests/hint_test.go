package requests_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/provider/problem"
	"regain/provider/problem/problemtest"
	"regain/provider/remotekeys"
	"regain/provider/requests"
)

// A request of a client whose keys cannot be had now is not refused for what it says: the client may try again.
func TestRequestsOfClientsWhoseKeysCannotBeHad(t *testing.T) {
	b := setUp(t)
	for name, parameter := range map[string]string{"request object": "request", "hint": "id_token_hint"} {
		form := request()
		form.Set("client_id", "publishing")
		form.Del("login_hint")
		form.Set(parameter, b.sign("publishing", map[string]any{
			"iss": "publishing", "sub": "ada@example.org", "aud": issuer, "iat": b.now.Unix(), "exp": b.now.Add(time.Minute).Unix(),
		}))
		_, err := b.read(form)
		var refused *problem.Error
		if !errors.As(err, &refused) || refused.Code != "temporarily_unavailable" || !errors.Is(refused, remotekeys.ErrUnavailable) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A hint that is no token names nobody, and a client whose form asks for the account may leave it to the person.
func TestWhoIsNamed(t *testing.T) {
	b := setUp(t)
	form := request()
	for name, row := range map[string]struct{ hint, why string }{
		"no token": {"x", "parse id_token_hint"}, "another typ": {b.mint("logout+jwt", nil), "is no ID token's"},
		"exp past":      {b.sign("main-idp", map[string]any{"iss": "main-idp", "sub": "ada@example.org", "aud": issuer, "iat": b.now.Unix(), "exp": b.now.Unix()}), "exp is missing or past"},
		"no exp":        {b.sign("main-idp", map[string]any{"iss": "main-idp", "sub": "ada@example.org", "aud": issuer, "iat": b.now.Unix()}), "exp is missing or past"},
		"no iat":        {b.sign("main-idp", map[string]any{"iss": "main-idp", "sub": "ada@example.org", "aud": issuer, "exp": b.now.Unix() + 1}), "iat is missing or in the future"},
		"iat ahead":     {b.sign("main-idp", map[string]any{"iss": "main-idp", "sub": "ada@example.org", "aud": issuer, "iat": b.now.Unix() + 11, "exp": b.now.Unix() + 60}), "iat is missing or in the future"},
		"another iss":   {b.sign("main-idp", map[string]any{"iss": "other", "sub": "ada@example.org", "aud": issuer, "iat": b.now.Unix(), "exp": b.now.Unix() + 60}), "iss is not the client id"},
		"another aud":   {b.sign("main-idp", map[string]any{"iss": "main-idp", "sub": "ada@example.org", "aud": "other", "iat": b.now.Unix(), "exp": b.now.Unix() + 60}), "aud is not the issuer"},
		"two audiences": {b.sign("main-idp", map[string]any{"iss": "main-idp", "sub": "ada@example.org", "aud": []string{issuer, "other"}, "iat": b.now.Unix(), "exp": b.now.Unix() + 60}), "aud is not the issuer"},
	} {
		form.Set("id_token_hint", row.hint)
		if _, err := b.read(form); err == nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v, want %q", name, err, row.why)
		}
	}
	good := map[string]any{"iss": "main-idp", "sub": "ada@example.org", "aud": issuer, "iat": b.now.Unix() + 10, "exp": b.now.Unix() + 1}
	form.Set("id_token_hint", b.sign("main-idp", good))
	form.Set("login_hint", "ADA@example.org") // A to Z alone may differ
	if a, err := b.read(form); err != nil || a.Account != "ada@example.org" {
		t.Errorf("%+v, %v", a, err)
	}
	form.Set("login_hint", "bob@example.org")
	_, err := b.read(form)
	problemtest.WantRefusal(t, err, "invalid_request", "login_hint names another account")
	form.Del("login_hint")
	form.Set("claims", `{"userinfo":{"sub":{"value":"bob@example.org"}}}`)
	_, err = b.read(form)
	problemtest.WantRefusal(t, err, "invalid_request", "name different accounts")
	form = request()
	form.Set("client_id", "asks")
	form.Set("scope", "openid")
	form.Del("login_hint")
	if a, err := b.read(form); err != nil || a.Account != "" {
		t.Errorf("a client that asks: %+v, %v", a, err)
	}
	for _, name := range []string{"a\x00b", "a\u202eb", strings.Repeat("x", 321)} {
		form.Set("login_hint", name)
		_, err := b.read(form)
		problemtest.WantRefusal(t, err, "invalid_request", "characters that do not show")
	}
}

// FuzzHint: an account is named by nobody but the client's keys and ours, and only by the sub that was signed.
func FuzzHint(f *testing.F) {
	for _, payload := range []string{
		`{"iss":"main-idp","aud":"https://recover.example.org","sub":"ada@example.org","iat":1,"exp":4000000000}`,
		`{"iss":"https://recover.example.org","aud":"main-idp","sub":"ada@example.org"}`, `{"iss":"main-idp","sub":7}`, `{}`,
	} {
		for signer := range 3 {
			f.Add(payload, signer)
		}
	}
	f.Fuzz(func(t *testing.T, payload string, signer int) {
		b := setUp(t)
		name := []string{"main-idp", "other-idp", "server"}[max(signer, 0)%3]
		token := b.signText(name, []byte(payload))
		var signed struct{ Sub string }
		_ = json.Unmarshal([]byte(payload), &signed)
		form := request()
		form.Del("login_hint")
		form.Set("id_token_hint", token)
		if a, err := b.read(form); err == nil && (name == "other-idp" || a.Account == "" || a.Account != signed.Sub) {
			t.Errorf("%s, signed by %s, names %q", payload, name, a.Account)
		}
		logout, err := b.Logout(t.Context(), url.Values{"id_token_hint": {token}})
		if err == nil && (name != "server" || logout.Client == nil) {
			t.Errorf("%s, signed by %s, signs out %+v", payload, name, logout)
		}
	})
}

// The seeds of FuzzHint are hints that name somebody, so that it fuzzes what lies behind the signature.
func TestHintsThatTheFuzzerStartsFrom(t *testing.T) {
	b := setUp(t)
	form := request()
	form.Del("login_hint")
	form.Set("id_token_hint", b.signText("main-idp", []byte(`{"iss":"main-idp","aud":"https://recover.example.org","sub":"ada@example.org","iat":1,"exp":4000000000}`)))
	if a, err := b.read(form); err != nil || a.Account != "ada@example.org" {
		t.Errorf("the client's: %v, %v", a, err)
	}
	own := b.signText("server", []byte(`{"iss":"https://recover.example.org","aud":"main-idp","sub":"ada@example.org","sid":"s"}`))
	form.Set("id_token_hint", own)
	if a, err := b.read(form); err != nil || a.Account != "ada@example.org" {
		t.Errorf("ours: %v, %v", a, err)
	}
	if got, err := b.Logout(t.Context(), url.Values{"id_token_hint": {own}}); err != nil || got.Subject != "ada@example.org" || got.Session != "s" || got.Client.ID != "main-idp" {
		t.Errorf("sign-out: %+v, %v", got, err)
	}
	for name, row := range map[string]struct{ signer, payload, why string }{
		"another's":    {"other-idp", `{"iss":"main-idp","aud":"https://recover.example.org","sub":"ada","iat":1,"exp":4000000000}`, "no registered key verifies the signature"},
		"not ours":     {"main-idp", `{"iss":"https://recover.example.org","aud":"main-idp","sub":"ada"}`, "no key of ours verifies the signature"},
		"for another":  {"server", `{"iss":"https://recover.example.org","aud":"other-idp","sub":"ada"}`, "was made for another client"},
		"for two":      {"server", `{"iss":"https://recover.example.org","aud":["main-idp","other-idp"],"sub":"ada"}`, "was made for another client"},
		"without sub":  {"server", `{"iss":"https://recover.example.org","aud":"main-idp"}`, "sub is missing"},
		"sub a number": {"main-idp", `{"iss":"main-idp","aud":"https://recover.example.org","sub":7,"iat":1,"exp":4000000000}`, "read id_token_hint"},
	} {
		form.Set("id_token_hint", b.signText(row.signer, []byte(row.payload)))
		if _, err := b.read(form); err == nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v, want %q", name, err, row.why)
		}
	}
	var none requests.Logout
	for name, payload := range map[string]string{"another iss": `{"iss":"main-idp","aud":"main-idp","sub":"ada"}`, "two audiences": `{"iss":"https://recover.example.org","aud":["main-idp","x"],"sub":"ada"}`, "none": `{"iss":"https://recover.example.org","sub":"ada"}`} {
		got, err := b.Logout(t.Context(), url.Values{"id_token_hint": {b.signText("server", []byte(payload))}})
		problemtest.WantRefusal(t, err, "invalid_request", "iss is not ours, or aud is not one client")
		if got != none {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
