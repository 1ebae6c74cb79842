package idp_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"regain/conformance/browser"
)

// post sends JSON as a script of the page that the browser shows.
func (w *env) post(b *browser.Browser, path, body string) *browser.Page {
	w.t.Helper()
	page, err := b.Fetch(w.t.Context(), browser.Request{Method: "POST", Address: path, ContentType: "application/json", Body: []byte(body)})
	if err != nil {
		w.t.Fatal(err)
	}
	return page
}

func refused(t *testing.T, page *browser.Page, status int, code string) {
	t.Helper()
	var answer struct {
		Error string `json:"error"`
	}
	if err := json.Unmarshal(page.Body, &answer); err != nil || page.Status != status || answer.Error != code {
		t.Errorf("status %d: %s; want %d %s", page.Status, page.Body, status, code)
	}
}

// key is one passkey in hand, with the knobs that an attacker turns.
type key struct {
	rp         virtualwebauthn.RelyingParty
	credential virtualwebauthn.Credential
	options    virtualwebauthn.AuthenticatorOptions
}

func (w *env) key() *key {
	return &key{rp: virtualwebauthn.RelyingParty{ID: "idp.localhost", Origin: w.url}, credential: virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeRSA)}
}

func (k *key) create(t *testing.T, options []byte) string {
	t.Helper()
	asked, err := virtualwebauthn.ParseAttestationOptions(string(options))
	if err != nil {
		t.Fatalf("%v: %s", err, options)
	}
	k.options.UserHandle = []byte(asked.UserID)
	return virtualwebauthn.CreateAttestationResponse(k.rp, virtualwebauthn.NewAuthenticatorWithOptions(k.options), k.credential, *asked)
}

func (k *key) get(t *testing.T, options []byte) string {
	t.Helper()
	asked, err := virtualwebauthn.ParseAssertionOptions(string(options))
	if err != nil {
		t.Fatalf("%v: %s", err, options)
	}
	return virtualwebauthn.CreateAssertionResponse(k.rp, virtualwebauthn.NewAuthenticatorWithOptions(k.options), k.credential, *asked)
}

// enrolled gives ada a passkey that the test holds in hand.
func (w *env) enrolled() *key {
	w.t.Helper()
	v, k := w.visitor(), w.key()
	if _, err := v.UsePass(w.t.Context(), ada, w.regain.give(ada)); err != nil {
		w.t.Fatal(err)
	}
	options := w.post(v.Browser, "/passkey/register/begin", "{}")
	if done := w.post(v.Browser, "/passkey/register/finish", k.create(w.t, options.Body)); done.Status != http.StatusOK {
		w.t.Fatalf("%s", done.Body)
	}
	return k
}

// login begins and finishes a sign-in in a browser of its own, and returns both.
func (w *env) login(k *key, account string) (*browser.Browser, *browser.Page) {
	w.t.Helper()
	b := w.browser()
	w.open(b, "/")
	begun := w.post(b, "/passkey/login/begin", `{"account":"`+account+`"}`)
	return b, w.post(b, "/passkey/login/finish", k.get(w.t, begun.Body))
}

func TestRegistrationNeedsAPass(t *testing.T) {
	for name, prepare := range map[string]func(w *env) *browser.Browser{
		"nobody":                func(w *env) *browser.Browser { return w.browser() },
		"signed in by passkey":  func(w *env) *browser.Browser { b, _ := w.login(w.enrolled(), ""); return b },
		"recovered, not signed": func(w *env) *browser.Browser { v := w.visitor(); w.recover(v, ada); return v.Browser },
		"created one already": func(w *env) *browser.Browser {
			v := w.visitor()
			w.enrol(v, ada)
			return v.Browser
		},
		"another pass session of the account came first": func(w *env) *browser.Browser {
			v := w.visitor()
			if _, err := v.UsePass(w.t.Context(), ada, w.regain.give(ada)); err != nil {
				w.t.Fatal(err)
			}
			w.enrol(w.visitor(), ada)
			return v.Browser
		},
		"too late": func(w *env) *browser.Browser {
			v := w.visitor()
			if _, err := v.UsePass(w.t.Context(), ada, w.regain.give(ada)); err != nil {
				w.t.Fatal(err)
			}
			w.clock.forward(11 * time.Minute)
			return v.Browser
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			b := prepare(w)
			w.open(b, "/")
			refused(t, w.post(b, "/passkey/register/begin", "{}"), http.StatusForbidden, "no_session")
			refused(t, w.post(b, "/passkey/register/finish", "{}"), http.StatusForbidden, "no_session")
			want(t, w.open(b, "/passkey/new"), http.StatusForbidden, "no-session")
		})
	}
}

// TestRefusedRegistrations breaks one thing of a good registration, and then does it right: a mistake ends nothing.
func TestRefusedRegistrations(t *testing.T) {
	for name, c := range map[string]struct {
		change func(k *key)
		body   func(response string) string
	}{
		"another origin":        {change: func(k *key) { k.rp.Origin = "http://evil.localhost" }},
		"another relying party": {change: func(k *key) { k.rp.ID = "evil.localhost" }},
		"no user verification":  {change: func(k *key) { k.options.UserNotVerified = true }},
		"no user presence":      {change: func(k *key) { k.options.UserNotPresent = true }},
		"not a credential":      {body: func(string) string { return `{"id":"x"}` }},
		"not JSON":              {body: func(string) string { return "x" }},
		"empty":                 {body: func(string) string { return "" }},
		"another ceremony":      {body: func(r string) string { return strings.Replace(r, `"clientDataJSON":"`, `"clientDataJSON":"AAAA`, 1) }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			v, k := w.visitor(), w.key()
			if _, err := v.UsePass(t.Context(), ada, w.regain.give(ada)); err != nil {
				t.Fatal(err)
			}
			options := w.post(v.Browser, "/passkey/register/begin", "{}")
			if c.change != nil {
				c.change(k)
			}
			response := k.create(t, options.Body)
			if c.body != nil {
				response = c.body(response)
			}
			refused(t, w.post(v.Browser, "/passkey/register/finish", response), http.StatusForbidden, "passkey_refused")
			good := w.key()
			refused(t, w.post(v.Browser, "/passkey/register/finish", good.create(t, options.Body)), http.StatusForbidden, "passkey_refused") // a challenge works once
			if _, err := v.CreatePasskey(t.Context()); err != nil {
				t.Errorf("the right was lost: %v", err)
			}
		})
	}
}

// TestCredentialOfAnotherAccount registers a credential id that somebody else has.
func TestCredentialOfAnotherAccount(t *testing.T) {
	w := newWorld(t)
	k := w.enrolled()
	v := w.visitor()
	if _, err := v.UsePass(t.Context(), bob, w.regain.give(bob)); err != nil {
		t.Fatal(err)
	}
	options := w.post(v.Browser, "/passkey/register/begin", "{}")
	refused(t, w.post(v.Browser, "/passkey/register/finish", k.create(t, options.Body)), http.StatusForbidden, "passkey_refused")
}

// TestNewPasskeyReplacesTheOld also ends the sessions that the old one opened.
func TestNewPasskeyReplacesTheOld(t *testing.T) {
	w := newWorld(t)
	old := w.enrolled()
	thief, page := w.login(old, ada)
	if page.Status != http.StatusOK {
		t.Fatalf("%s", page.Body)
	}
	owner := w.visitor()
	w.enrol(owner, ada)
	want(t, w.open(thief, "/home"), http.StatusForbidden, "no-session")
	_, page = w.login(old, ada)
	refused(t, page, http.StatusForbidden, "passkey_refused")
	if _, err := owner.With(w.browser()).SignInWithPasskey(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRefusedLogins(t *testing.T) {
	for name, c := range map[string]struct {
		account string
		change  func(w *env, k *key)
		ok      bool
	}{
		"good":                     {account: ada, ok: true},
		"no account named":         {ok: true},
		"another account named":    {account: bob},
		"an account that is none":  {account: "nobody@example.org"},
		"an unknown credential":    {change: func(w *env, k *key) { k.credential = w.key().credential }},
		"an unknown user handle":   {change: func(_ *env, k *key) { k.options.UserHandle = []byte("somebody") }},
		"no user handle":           {change: func(_ *env, k *key) { k.options.UserHandle = nil }},
		"another key":              {change: func(w *env, k *key) { k.credential.Key = w.key().credential.Key }},
		"another origin":           {change: func(_ *env, k *key) { k.rp.Origin = "http://evil.localhost" }},
		"another relying party":    {change: func(_ *env, k *key) { k.rp.ID = "evil.localhost" }},
		"no user verification":     {change: func(_ *env, k *key) { k.options.UserNotVerified = true }},
		"a counter that goes back": {change: func(w *env, k *key) { k.credential.Counter = 7; w.login(k, ""); k.credential.Counter = 6 }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			k := w.enrolled()
			if c.change != nil {
				c.change(w, k)
			}
			b, page := w.login(k, c.account)
			if c.ok {
				if home := w.open(b, "/home"); page.Status != http.StatusOK || !home.Has("signed-in") {
					t.Errorf("status %d: %s", page.Status, page.Body)
				}
				return
			}
			refused(t, page, http.StatusForbidden, "passkey_refused")
			w.nothing(b)
		})
	}
}

// TestLoginWorksOnce replays an answer, takes it to another browser, and comes too late with it.
func TestLoginWorksOnce(t *testing.T) {
	w := newWorld(t)
	k := w.enrolled()
	b := w.browser()
	w.open(b, "/")
	answer := k.get(t, w.post(b, "/passkey/login/begin", "{}").Body)
	other := w.browser()
	w.open(other, "/")
	refused(t, w.post(other, "/passkey/login/finish", answer), http.StatusForbidden, "passkey_refused")
	w.post(other, "/passkey/login/begin", "{}")
	refused(t, w.post(other, "/passkey/login/finish", answer), http.StatusForbidden, "passkey_refused")
	if page := w.post(b, "/passkey/login/finish", answer); page.Status != http.StatusOK {
		t.Errorf("%s", page.Body)
	}
	refused(t, w.post(b, "/passkey/login/finish", answer), http.StatusForbidden, "passkey_refused")
	late := k.get(t, w.post(b, "/passkey/login/begin", "{}").Body)
	w.clock.forward(5 * time.Minute)
	refused(t, w.post(b, "/passkey/login/finish", late), http.StatusForbidden, "passkey_refused")
}

// TestNoPasskeysAreNamed asks for the passkeys of an account that has one, and of one that does not exist.
func TestNoPasskeysAreNamed(t *testing.T) {
	w := newWorld(t)
	w.enrolled()
	b := w.browser()
	w.open(b, "/")
	for _, account := range []string{ada, bob, "nobody@example.org"} {
		page := w.post(b, "/passkey/login/begin", `{"account":"`+account+`"}`)
		if page.Status != http.StatusOK || strings.Contains(string(page.Body), "allowCredentials") {
			t.Errorf("%s: %s", account, page.Body)
		}
	}
}

func TestRequestsThatAreNotAScripts(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	w.open(b, "/")
	for _, r := range []browser.Request{
		{ContentType: "application/x-www-form-urlencoded", Body: []byte("account=x")}, {ContentType: "text/plain", Body: []byte("{}")}, {Body: []byte("{}")},
		{ContentType: "application/json", Body: []byte("[]")}, {ContentType: "application/json", Body: []byte(`{"account":"a\u0000b"}`)},
		{ContentType: "application/json", Body: []byte(`{"account":"` + strings.Repeat("a", 70<<10) + `"}`)},
	} {
		r.Method, r.Address = http.MethodPost, "/passkey/login/begin"
		page, err := b.Fetch(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		refused(t, page, http.StatusBadRequest, "invalid_request")
	}
}
