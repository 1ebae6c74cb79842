package oauth_test

import (
	"crypto/sha256"
	"net/url"
	"strings"
	"testing"

	"regain/provider/clients"
	"regain/provider/oauth"
	"regain/provider/problem"
	"regain/provider/requests"
)

// oddRedirects are legal redirect URIs (RFC 3986 §3.3, §3.4) that net/url would read, sort or encode in its own way.
func oddRedirects() []string {
	return []string{
		"https://c.example/cb?a=1;b=2", "https://c.example/cb;v=1?tenant=x", "https://c.example/cb?z=1&a=2&z=3", "https://c.example/cb?flag", "https://c.example/cb?",
		"https://c.example/cb?a=1&", "https://c.example/cb?q=%7e%2F/~", "https://c.example/a%2Fb/c", "https://c.example/cb?next=/x?y=1", "https://c.example/cb?a=%zz",
		"https://c.example/cb?a=b+c%20d", "https://c.example/cb?a='(b)*c!$,:@", "https://c.example", "https://C.example:443/./cb", "http://127.0.0.1:3000/cb?a=1;b",
		"https://c.example/cb?=&&=", "https://c.example/cb?json=%7B%22a%22%3A1%7D",
	}
}

// The query of a redirect URI is retained when parameters are added (RFC 6749 §3.1.2), to the byte, in every mode.
func TestRedirectURIsAreKept(t *testing.T) {
	b := serverWith(t, func(*bench) []*clients.Client {
		return []*clients.Client{{
			ID: "odd", Name: "Odd", AuthMethod: clients.ClientSecretPost, SecretDigest: sha256.Sum256([]byte(secret)), AllowUnpushed: true,
			RedirectURIs: oddRedirects(), PostLogoutRedirectURIs: oddRedirects(), Scopes: []string{"openid"},
		}}
	})
	for _, uri := range oddRedirects() {
		for _, mode := range requests.ResponseModes() {
			form := request()
			form.Set("client_id", "odd")
			form.Set("scope", "openid")
			form.Set("redirect_uri", uri)
			form.Set("response_mode", string(mode))
			read, err := b.query(form)
			b.must(err)
			a, err := b.Authorize(t.Context(), read)
			if err != nil {
				t.Errorf("%s: %v", uri, err)
				continue
			}
			granted, err := b.Grant(t.Context(), a, oauth.Grant{Transaction: "txn", Subject: "ada@example.org", AuthTime: b.now})
			b.must(err)
			refused, err := b.Reject(t.Context(), a, problem.AccessDenied("no"))
			b.must(err)
			for _, response := range []oauth.Response{granted, refused} {
				checkLocation(t, uri, response)
			}
			if mode == requests.ModeQuery {
				redeem := tokenRequest(granted.Parameters.Get("code"))
				redeem.Set("redirect_uri", uri)
				redeem.Set("client_id", "odd")
				redeem.Set("client_secret", secret)
				if _, err := b.redeem(redeem); err != nil {
					t.Errorf("%s: redeem: %v", uri, err)
				}
			}
		}
		if got := (requests.Logout{RedirectURI: uri}).Location(); got != uri {
			t.Errorf("after a sign-out: %s became %s", uri, got)
		}
		if got := (requests.Logout{RedirectURI: uri, State: "a b"}).Location(); !strings.HasPrefix(got, uri) || !strings.HasSuffix(got, "state=a+b") {
			t.Errorf("after a sign-out with state: %s became %s", uri, got)
		}
	}
}

func checkLocation(t *testing.T, uri string, response oauth.Response) {
	t.Helper()
	if response.RedirectURI != uri {
		t.Errorf("%s became %s", uri, response.RedirectURI)
	}
	if response.Mode.Posted() {
		return
	}
	added, kept := strings.CutPrefix(response.Location(), uri)
	if !kept {
		t.Fatalf("%s became %s", uri, response.Location())
	}
	values, err := url.ParseQuery(strings.TrimLeft(added, "?&"))
	if err != nil || values.Encode() != response.Parameters.Encode() {
		t.Errorf("%s: %s was added, not %s: %v", uri, added, response.Parameters.Encode(), err)
	}
	want := "?"
	switch {
	case strings.HasSuffix(uri, "?"), strings.HasSuffix(uri, "&"):
		want = ""
	case strings.Contains(uri, "?"):
		want = "&"
	}
	if separator := added[:len(added)-len(strings.TrimLeft(added, "?&"))]; separator != want {
		t.Errorf("%s: %q separates %s", uri, separator, added)
	}
}
