package oauth_test

import (
	"net/url"
	"testing"

	"regain/provider/problem/problemtest"
)

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
		read, err = b.query(byValue)
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
	problemtest.WantRefusal(t, err, "invalid_grant", "code verifier must be at least 43 characters")
}
