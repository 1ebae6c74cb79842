package requests_test

import (
	"maps"
	"net/url"
	"reflect"
	"slices"
	"testing"

	"regain/provider/requests"
)

// What is left out of a stored request comes back as it was, whatever the client sent, and is not stored.
func TestAStoredRequestIsWhole(t *testing.T) {
	usual := func() url.Values {
		return url.Values{
			"client_id": {"main-idp"}, "redirect_uri": {"https://idp.example.org/callback"}, "response_type": {"code"}, "scope": {"openid recovery"},
			"state": {"state-is-kept-outside"}, "nonce": {"n"}, "code_challenge": {"c"}, "code_challenge_method": {"S256"},
		}
	}
	for name, row := range map[string]struct {
		change func(url.Values)
		stored []string // the parameters that are stored
	}{
		"as usual":                 {func(url.Values) {}, []string{"code_challenge", "nonce", "scope"}},
		"without PKCE":             {func(v url.Values) { v.Del("code_challenge"); v.Del("code_challenge_method") }, []string{"nonce", "scope"}},
		"another client":           {func(v url.Values) { v.Set("client_id", "other") }, nil},
		"another response type":    {func(v url.Values) { v.Set("response_type", "code id_token") }, nil},
		"without response type":    {func(v url.Values) { v.Del("response_type") }, nil},
		"another redirect URI":     {func(v url.Values) { v.Set("redirect_uri", "https://idp.example.org/other") }, nil},
		"without redirect URI":     {func(v url.Values) { v.Del("redirect_uri") }, nil},
		"a state":                  {func(v url.Values) { v.Set("state", "s") }, nil},
		"without state":            {func(v url.Values) { v.Del("state") }, nil},
		"another challenge method": {func(v url.Values) { v.Set("code_challenge_method", "plain") }, nil},
		"a challenge alone":        {func(v url.Values) { v.Del("code_challenge_method") }, nil},
		"a method alone":           {func(v url.Values) { v.Del("code_challenge") }, []string{"code_challenge_method", "nonce", "scope"}},
		"as for Entra": {func(v url.Values) {
			maps.DeleteFunc(v, func(name string, _ []string) bool { return name != "client_id" })
		}, []string{"client_id"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := requests.Authorization{ClientID: "main-idp", RedirectURI: "https://idp.example.org/callback", State: "s", Form: usual(), Account: "a", Pushed: requests.URIPrefix + "p"}
			row.change(a.Form)
			before := maps.Clone(a.Form)
			stored := a.Stored()
			if !reflect.DeepEqual(a.Form, before) {
				t.Errorf("to store the request changed it to %v", a.Form)
			}
			want := row.stored
			if want == nil { // nothing can be left out
				want = slices.Sorted(maps.Keys(before))
			}
			if got := slices.Sorted(maps.Keys(stored.Form)); !slices.Equal(got, want) {
				t.Errorf("stored are %v, want %v", got, want)
			}
			if stored.Pushed != "p" {
				t.Errorf("stored of the request URI is %q", stored.Pushed)
			}
			if back := stored.Restored(); !reflect.DeepEqual(back, a) {
				t.Errorf("it comes back as %+v, was %+v", back, a)
			}
		})
	}
}
