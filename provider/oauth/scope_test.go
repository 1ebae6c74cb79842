package oauth_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"regain/provider/oauth"
	"regain/provider/problem/problemtest"
)

// unknownScopes are what stock clients send to any provider.
func unknownScopes() []string {
	return []string{"groups", "User.Read", "https://graph.example/.default", "roles", "OPENID", "recovery2", "urn:x:y", "!#$%&'()*+,-./:;<=>?@[]^_`{|}~"}
}

// Scopes that the server does not know are ignored (OpenID Connect Core 1.0 §3.1.2.1), by each way in, and the answer
// says which were granted.
func TestUnknownScopesAreIgnored(t *testing.T) {
	b := setUp(t)
	for _, unknown := range append(unknownScopes(), strings.Join(unknownScopes(), " ")) {
		for _, scope := range []string{"openid recovery " + unknown, unknown + " openid recovery", "openid  " + unknown + " recovery openid"} {
			form := request()
			form.Set("scope", scope)
			a, err := b.Authorize(t.Context(), form)
			if err != nil || a.Form.Get("scope") != "openid recovery" && a.Form.Get("scope") != "recovery openid" || !a.Recovers() {
				t.Errorf("by value, %q: %v, %v", scope, a.Form, err)
				continue
			}
			pushed, err := b.push(b.authenticated("main-idp", form))
			b.must(err)
			a, err = b.Authorize(t.Context(), url.Values{"client_id": {"main-idp"}, "request_uri": {pushed.RequestURI}})
			b.must(err)
			response, err := b.Grant(t.Context(), a, oauth.Grant{Transaction: "txn", Subject: "ada@example.org", AuthTime: b.now})
			b.must(err)
			tokens, err := b.redeem(b.authenticated("main-idp", tokenRequest(response.Parameters.Get("code"))))
			if granted, _ := tokens["scope"].(string); err != nil || len(strings.Fields(granted)) != 2 || !strings.Contains(granted, "openid") || !strings.Contains(granted, "recovery") {
				t.Errorf("%q: granted %v, %v", scope, tokens["scope"], err)
			}
		}
	}
	k := openBank(t) // inside a request object, too
	object := k.requestOf(k.requestClaims("openid recovery groups", 60))
	if _, err := k.Push(k.at(http.MethodPost, alias+"/par", object, shown{certificate: k.certificate})); err != nil {
		t.Errorf("in a request object: %v", err)
	}
	if form := request(); true { // what only looks like a scope grants nothing
		form.Set("scope", "openid RECOVERY recovery:all recovery/")
		if a := b.authorized(form); a.Recovers() {
			t.Errorf("asks for recovery: %v", a.Form)
		}
	}
}

// A scope that the server knows and the client may not have is refused for that reason, and so is what is no scope.
func TestScopesThatAreRefused(t *testing.T) {
	b := setUp(t)
	for scope, why := range map[string]string{
		"openid recovery email": "not allowed to request scope 'email'", "openid offline_access": "not allowed to request scope 'offline_access'", "recovery": "must contain openid",
		"groups": "must contain openid", "openid\trecovery": "a character that no scope may have", "openid recovery \"x\"": "a character that no scope may have",
		"openid recovery r\u00f4les": "a character that no scope may have", "openid \\": "a character that no scope may have",
	} {
		form := request()
		form.Set("scope", scope)
		_, err := b.Authorize(t.Context(), form)
		problemtest.WantRefusal(t, err, "invalid_scope", why)
		_, err = b.push(b.authenticated("main-idp", form))
		problemtest.WantRefusal(t, err, "invalid_scope", why)
	}
}

// A refresh may repeat what the authorization request asked for, with what was ignored in it.
func TestUnknownScopesAtARefresh(t *testing.T) {
	b := setUp(t)
	form := stock()
	form.Set("scope", "openid email offline_access groups")
	code := b.grant(form).Parameters.Get("code")
	tokens, err := b.redeem(b.broker(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"https://broker.example.org/callback"}}))
	b.must(err)
	for scope, want := range map[string]string{"openid email offline_access groups": "openid email offline_access", "groups email": "email", "": "openid email offline_access"} {
		refresh := b.broker(refreshRequest(tokens["refresh_token"]))
		refresh.Set("scope", scope)
		if again, err := b.refresh(refresh); err != nil || again["scope"] != want {
			t.Errorf("%q: %v, %v", scope, again["scope"], err)
		}
	}
	for scope, why := range map[string]string{"groups": "None of these scopes was granted", "phone groups": "cannot add scopes", "openid\n": "a character that no scope may have"} {
		refresh := b.broker(refreshRequest(tokens["refresh_token"]))
		refresh.Set("scope", scope)
		_, err := b.refresh(refresh)
		problemtest.WantRefusal(t, err, "invalid_scope", why)
	}
}

// A code_challenge is 43 characters of base64url, which every S256 hash is (RFC 7636 §4.2); no client is let through
// with less, also not one that may leave it out.
func TestCodeChallenges(t *testing.T) {
	b := setUp(t)
	good := request().Get("code_challenge")
	for _, challenge := range []string{
		"abc", good[:42], good + "A", good + "=", good[:42] + "=", good[:42] + "+", good[:42] + "/", good[:42] + ".", good[:42] + "~", good[:42] + " ", strings.Repeat("a", 128), good[:40] + "\u00e9x",
	} {
		form, broker := request(), stock()
		form.Set("code_challenge", challenge)
		broker.Set("code_challenge", challenge)
		broker.Set("code_challenge_method", "S256")
		for _, form := range []url.Values{form, broker} {
			_, err := b.Authorize(t.Context(), form)
			problemtest.WantRefusal(t, err, "invalid_request", "43 characters of base64url")
		}
		_, err := b.push(b.authenticated("main-idp", form))
		problemtest.WantRefusal(t, err, "invalid_request", "43 characters of base64url")
	}
	broker := stock()
	broker.Set("code_challenge_method", "S256")
	_, err := b.Authorize(t.Context(), broker) // a method without a challenge is a mistake, not a client without PKCE
	problemtest.WantRefusal(t, err, "invalid_request", "PKCE is required")
	broker = stock()
	broker.Set("code_challenge", good) // without a method it would be plain (RFC 7636 §4.3)
	_, err = b.Authorize(t.Context(), broker)
	problemtest.WantRefusal(t, err, "invalid_request", "PKCE is required")
}

// A code_verifier is 43 to 128 unreserved characters (RFC 7636 §4.1), and the one of the challenge.
func TestCodeVerifiers(t *testing.T) {
	b := setUp(t)
	code := b.code()
	for text, why := range map[string]string{
		verifier[:42]: "at least 43 characters", strings.Repeat("v", 129): "can not be longer than 128", verifier + "+": "must only contain", verifier + " ": "must only contain",
		verifier + "A": "did not match", strings.ToUpper(verifier): "did not match", "": "at least 43 characters",
	} {
		form := tokenRequest(code)
		form.Set("code_verifier", text)
		_, err := b.redeem(b.authenticated("main-idp", form))
		problemtest.WantRefusal(t, err, "invalid_grant", why)
	}
	if _, err := b.redeem(b.authenticated("main-idp", tokenRequest(code))); err != nil {
		t.Errorf("the right one, after wrong ones: %v", err)
	}
}
