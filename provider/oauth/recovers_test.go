package oauth_test

import (
	"net/url"
	"strings"
	"testing"

	"regain/provider/oauth"
	"regain/provider/requests"
)

func stored(t testing.TB, a requests.Authorization) []byte {
	t.Helper()
	data, err := oauth.EncodeAuthorization(a)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// What Recovers says of a stored authorization is what the whole of it says.
func TestRecoversIsWhatTheAuthorizationSays(t *testing.T) {
	for _, form := range []url.Values{
		nil, {}, {"scope": {}}, {"scope": {""}}, {"scope": {"openid"}}, {"scope": {"recovery"}}, {"scope": {"openid recovery"}},
		{"scope": {"openid", "recovery"}}, {"scope": {"recovery", "openid"}}, {"scope": {"openid recovery2"}}, {"state": {"recovery"}}, {"Scope": {"recovery"}},
	} {
		a := requests.Authorization{ClientID: "main-idp", State: "recovery", Form: form, Account: "maria.garcia@example.org"}
		if got, err := oauth.Recovers(stored(t, a)); err != nil || got != a.Recovers() {
			t.Errorf("%v: %t, %v, want %t", form, got, err, a.Recovers())
		}
	}
	whole := stored(t, requests.Authorization{Form: url.Values{"scope": {"recovery"}}})
	for _, broken := range [][]byte{nil, whole[:len(whole)-1], append(append([]byte{}, whole...), 0)} {
		if _, err := oauth.Recovers(broken); err == nil || !strings.Contains(err.Error(), "decode authorization request") {
			t.Errorf("%x: %v, want an error", broken, err)
		}
	}
}

func BenchmarkRecovers(b *testing.B) {
	data := stored(b, requests.Authorization{
		ClientID: "main-idp", RedirectURI: "https://idp.example.org/callback", State: strings.Repeat("s", 32), Account: "maria.garcia@example.org",
		Form: url.Values{
			"client_id": {"main-idp"}, "redirect_uri": {"https://idp.example.org/callback"}, "response_type": {"code"}, "scope": {"openid recovery"},
			"state": {strings.Repeat("s", 32)}, "nonce": {strings.Repeat("n", 32)}, "code_challenge": {strings.Repeat("c", 43)}, "code_challenge_method": {"S256"},
		},
	})
	b.Run("whole", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if a, err := oauth.DecodeAuthorization(data); err != nil || !a.Recovers() {
				b.Fatal(err)
			}
		}
	})
	b.Run("scope", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if recovers, err := oauth.Recovers(data); err != nil || !recovers {
				b.Fatal(err)
			}
		}
	})
}
