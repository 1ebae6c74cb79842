package oauth_test

import (
	"errors"
	"testing"
	"time"

	"regain/provider/oauth"
	"regain/provider/remotekeys"
)

// A request of a client whose keys cannot be had now is not refused for what it says: the client may try again.
func TestRequestsOfClientsWhoseKeysCannotBeHad(t *testing.T) {
	b := setUp(t)
	b.newKey("publishing")
	for name, parameter := range map[string]string{"request object": "request", "hint": "id_token_hint"} {
		form := request()
		form.Set("client_id", "publishing")
		form.Del("login_hint")
		form.Set(parameter, b.sign("publishing", map[string]any{
			"iss": "publishing", "sub": "ada@example.org", "aud": issuer, "iat": b.now.Unix(), "exp": b.now.Add(time.Minute).Unix(),
		}))
		_, err := b.Authorize(t.Context(), form)
		var refused *oauth.AuthorizeError
		if !asAuthorize(err, &refused) || refused.Problem.Code != "temporarily_unavailable" || !errors.Is(refused.Problem, remotekeys.ErrUnavailable) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// unprepared is for a redemption that needs nothing before its code is claimed.
func unprepared(oauth.Redemption) error { return nil }
