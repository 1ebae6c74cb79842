package oauth_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"regain/provider/oauth"
)

// readForm reads a form as the endpoints do, from the query or from the body.
func readForm(t *testing.T, method, raw string) (url.Values, error) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, issuer+"/authorize", nil)
	if method == http.MethodPost {
		r = httptest.NewRequestWithContext(t.Context(), method, issuer+"/authorize", strings.NewReader(raw))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		r.URL.RawQuery = raw
	}
	return oauth.ReadForm(httptest.NewRecorder(), r)
}

// A parameter without a value is as if it had not been sent (RFC 6749 §3.1), whichever it is.
func TestEmptyParametersAreNotSent(t *testing.T) {
	names := slices.Sorted(maps.Keys(request()))
	names = append(names, "request", "request_uri", "registration", "prompt", "max_age", "claims", "client_secret", "client_assertion", "response_mode", "dpop_jkt", "unknown")
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for _, name := range names {
			for _, spelling := range []string{name, name + "="} {
				form, err := readForm(t, method, spelling+"&other=1")
				if err != nil || form.Has(name) || form.Get("other") != "1" {
					t.Errorf("%s %s: %v, %v", method, spelling, form, err)
				}
			}
			for _, twice := range []string{name + "=&" + name + "=x", name + "=x&" + name + "=", name + "&" + name} {
				_, err := readForm(t, method, twice)
				wantRefusal(t, err, "invalid_request", "The parameter "+name+" occurs more than once")
			}
		}
	}
}

// Empty parameters that would change what is asked, or how the client authenticates, change neither.
func TestEmptyParametersChangeNothing(t *testing.T) {
	b := setUp(t)
	legacy := request()
	legacy.Set("client_id", "legacy idp")
	for _, name := range []string{"client_secret", "client_assertion", "client_assertion_type", "request", "request_uri", "registration", "prompt", "max_age", "claims", "id_token_hint", "dpop_jkt", "response_mode"} {
		form := cloned(legacy)
		form.Set(name, "")
		r, read, err := b.post(form)
		b.must(err)
		r.SetBasicAuth(url.QueryEscape("legacy idp"), secret)
		if _, err := b.Push(r, read); err != nil {
			t.Errorf("pushed with %s=: %v", name, err)
		}
		byValue := request()
		byValue.Set(name, "")
		read, err = readForm(t, http.MethodGet, byValue.Encode())
		b.must(err)
		if _, err := b.Authorize(t.Context(), read); err != nil {
			t.Errorf("by value with %s=: %v", name, err)
		}
	}
	for _, name := range []string{"client_secret", "client_assertion", "scope", "refresh_token"} {
		form := tokenRequest(b.code())
		form.Set(name, "")
		if name == "client_assertion" {
			continue // the client authenticates by it
		}
		if _, err := b.redeem(b.authenticated("main-idp", form)); err != nil {
			t.Errorf("redeemed with %s=: %v", name, err)
		}
	}
	form := tokenRequest(b.code())
	form.Set("code_verifier", "") // as if not sent: PKCE is still required
	_, err := b.redeem(b.authenticated("main-idp", form))
	wantRefusal(t, err, "invalid_grant", "code verifier must be at least 43 characters")
}

// A semicolon is a character of a value like others, encoded or not.
func TestSemicolonsInForms(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for raw, want := range map[string]string{
			"redirect_uri=https://c.example/cb?a=1;b=2": "https://c.example/cb?a=1;b=2", "redirect_uri=https%3A%2F%2Fc.example%2Fcb%3Fa%3D1%3Bb%3D2&x=1": "https://c.example/cb?a=1;b=2",
			"x=1;redirect_uri=https://evil.example": "", "redirect_uri=a+b;%20c": "a b; c",
		} {
			form, err := readForm(t, method, raw)
			if err != nil || form.Get("redirect_uri") != want {
				t.Errorf("%s %s: %q, %v", method, raw, form.Get("redirect_uri"), err)
			}
		}
	}
}
