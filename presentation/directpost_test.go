package presentation_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/presentation"
)

// An answer in the clear is a form of vp_token, as JSON, and state (OpenID4VP 1.0 §8.2). What else is in it is ignored.
func TestOpenDirectPost(t *testing.T) {
	r := requestOf(t, plainProfile())
	sent := answerTo(t, r)
	for _, more := range []string{"", "iss", "id_token", "error", "response"} { // the last two empty, so not there (RFC 6749 §3.1)
		if more != "" {
			sent.Set(more, map[string]string{"iss": "https://wallet.example", "id_token": "e30.e30.AA"}[more])
		}
		got, err := r.Open(sent, noon)
		if err != nil || got.Presentations["verified_id"][0] != "a~b" || got.Presentations["face_check"][0] != "c~" || got.Error != nil {
			t.Errorf("with %q: %v, %v", more, got, err)
		}
	}
	got, err := r.Open(url.Values{"error": {"access_denied"}, "state": {r.State}, "error_description": {"no"}}, noon)
	if err != nil || got.Error == nil || got.Error.Code != presentation.CodeAccessDenied || got.Error.Description != "no" {
		t.Errorf("an error: %v, %v", got, err)
	}
}

// Each row starts from a good form and breaks one thing.
func TestDirectPostFormsThatAreRefused(t *testing.T) {
	other := newRequest(t)
	sealed := seal(t, key(t, other), jose.A128GCM, answer(other))
	set := func(name string, values ...string) func(url.Values) {
		return func(f url.Values) { f[name] = values }
	}
	only := func(change ...string) func(url.Values) {
		return func(f url.Values) {
			clear(f)
			for i := 0; i < len(change); i += 2 {
				f.Set(change[i], change[i+1])
			}
		}
	}
	for name, row := range map[string]struct {
		change func(url.Values)
		err    error
		why    string // part of the error
	}{
		"nothing":              {only(), presentation.ErrMalformed, "malformed wallet message: neither an answer nor an error, or both"},
		"no state":             {func(f url.Values) { delete(f, "state") }, presentation.ErrState, "response belongs to another request"},
		"an empty state":       {set("state", ""), presentation.ErrState, "response belongs to another request"},
		"another state":        {set("state", other.State), presentation.ErrState, "response belongs to another request"},
		"two states":           {func(f url.Values) { f.Add("state", f.Get("state")) }, presentation.ErrMalformed, "malformed wallet message: a parameter stands twice"},
		"no vp_token":          {func(f url.Values) { delete(f, "vp_token") }, presentation.ErrMalformed, "malformed wallet message: neither an answer nor an error, or both"},
		"an empty vp_token":    {set("vp_token", ""), presentation.ErrMalformed, "malformed wallet message: neither an answer nor an error, or both"},
		"two vp_tokens":        {func(f url.Values) { f.Add("vp_token", "{}") }, presentation.ErrMalformed, "malformed wallet message: a parameter stands twice"},
		"vp_token is no JSON":  {set("vp_token", "a~b"), presentation.ErrMalformed, "malformed wallet message: vp_token: not strict JSON: no value"},
		"vp_token is a text":   {set("vp_token", `"a~b"`), presentation.ErrMalformed, "malformed wallet message: vp_token: not strict JSON: not an object"},
		"vp_token is a list":   {set("vp_token", `["a~b"]`), presentation.ErrMalformed, "malformed wallet message: vp_token: not strict JSON: not an object"},
		"vp_token is null":     {set("vp_token", `null`), presentation.ErrMalformed, "malformed wallet message: vp_token: not strict JSON: not an object"},
		"vp_token and more":    {set("vp_token", `{} {}`), presentation.ErrMalformed, "malformed wallet message: vp_token: not strict JSON: something follows the value"},
		"a name twice":         {set("vp_token", `{"verified_id":["a"],"verified_id":["b"],"face_check":["c"]}`), presentation.ErrMalformed, "malformed wallet message: vp_token: not strict JSON: a name stands twice"},
		"endless depth":        {set("vp_token", strings.Repeat(`{"a":`, 100)+"1"+strings.Repeat("}", 100)), presentation.ErrMalformed, "malformed wallet message: vp_token: not strict JSON: nested too deep"},
		"a large vp_token":     {set("vp_token", strings.Repeat("a", 300<<10)), presentation.ErrTooLarge, "wallet message is too large: vp_token"},
		"a large state":        {set("state", strings.Repeat("a", 5<<10)), presentation.ErrTooLarge, "wallet message is too large: state"},
		"another twice":        {set("x", "1", "2"), presentation.ErrMalformed, "malformed wallet message: a parameter stands twice"},
		"many parameters":      {func(f url.Values) { addMany(f) }, presentation.ErrTooLarge, "wallet message is too large: number of parameters"},
		"an encrypted one too": {set("response", sealed), presentation.ErrMalformed, "malformed wallet message: neither an answer nor an error, or both"},
		"an encrypted one":     {only("response", sealed), presentation.ErrAlgorithm, "response is encrypted in a way that was not offered: no encryption was offered"},
		"an error too":         {set("error", "access_denied"), presentation.ErrMalformed, "malformed wallet message: neither an answer nor an error, or both"},
		"an error of no one":   {only("error", "access_denied"), presentation.ErrState, "response belongs to another request"},
		"an error of another":  {only("error", "access_denied", "state", other.State), presentation.ErrState, "response belongs to another request"},
		"a browser's answer":   {only("protocol", "openid4vp-v1-unsigned", "data", "{}"), presentation.ErrMalformed, "malformed wallet message: neither an answer nor an error, or both"},
	} {
		t.Run(name, func(t *testing.T) {
			r := requestOf(t, plainProfile())
			broken := answerTo(t, r)
			row.change(broken)
			if _, err := r.Open(broken, noon); !errors.Is(err, row.err) || err != nil && !strings.Contains(err.Error(), row.why) {
				t.Errorf("got %v, want %v", err, row.err)
			} else if status, body := presentation.ErrorBody(err, "ref"); status != http.StatusBadRequest || fmt.Sprint(body) == "" {
				t.Errorf("the wallet is told %d %v", status, body)
			}
			if _, err := r.Open(answerTo(t, r), noon); err != nil {
				t.Errorf("the honest answer was spoiled: %v", err)
			}
		})
	}
	r := requestOf(t, plainProfile())
	if _, err := r.Open(answerTo(t, r), r.ExpiresAt); !errors.Is(err, presentation.ErrExpired) {
		t.Errorf("too late: %v", err)
	}
	p := inBrowser(plainProfile(), presentation.Unsigned)
	r = browserRequestOf(t, p)
	if _, err := r.Open(url.Values{"vp_token": {text(t, answer(r)["vp_token"])}}, noon); !errors.Is(err, presentation.ErrMalformed) {
		t.Errorf("a browser's request was answered by POST: %v", err)
	}
}

// Whatever is posted, Open does not panic, and takes nothing without the state, nor anything but what was asked for.
func FuzzOpenDirectPost(f *testing.F) {
	p := plainProfile() // its state is the same in every process that fuzzes
	r, err := p.NewRequest(presentation.RequestParams{ResponseURI: responseURI, Query: recoveryQuery(f), Lifetime: time.Minute}, strings.NewReader(strings.Repeat("x", 64)), noon)
	must(f, r, err)
	f.Add(answerTo(f, r).Get("vp_token"), r.State, "", "")
	f.Add("", r.State, "access_denied", "")
	f.Add(`{"verified_id":["a"],"face_check":["b","c"]}`, r.State, "", "")
	f.Add(`{"verified_id":["a"],"face_check":[{}],"x":[]}`, r.State, "", "x")
	f.Fuzz(func(t *testing.T, token, state, code, response string) {
		sent := url.Values{"vp_token": {token}, "state": {state}, "error": {code}, "response": {response}}
		got, err := r.Open(sent, noon)
		if err != nil {
			if got.Presentations != nil || got.Error != nil {
				t.Error("an error, and an answer too")
			}
			return
		}
		if state != r.State || response != "" || (token == "") == (code == "") {
			t.Errorf("accepted with state %q, vp_token %q, error %q, response %q", state, token, code, response)
		}
		if got.Error == nil && !slices.Equal(got.Presentations.IDs(), []string{"face_check", "verified_id"}) {
			t.Errorf("accepted %v", got.Presentations.IDs())
		}
	})
}
