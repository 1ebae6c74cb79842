package oauth

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ory/fosite"

	"regain/provider/clients"
)

// fosite is configured to authenticate no client, to see no assertion and to issue no refresh token. Should a new version of
// it try, it is refused: nothing of that is left open.
func TestFositeIsAskedNothingElse(t *testing.T) {
	if client, err := authenticatedClient(t.Context(), nil, nil); !errors.Is(err, fosite.ErrInvalidClient) || client != nil {
		t.Errorf("a client that nobody authenticated: %v, %v", client, err)
	}
	known := &clients.Client{ID: "a"}
	if client, err := authenticatedClient((&tokenRequest{client: known}).context(t.Context()), nil, nil); err != nil || client.GetID() != "a" || client.IsPublic() || client.GetHashedSecret() != nil || len(client.GetAudience()) != 0 {
		t.Errorf("the client that was: %v, %v", client, err)
	}
	r := &records{}
	for name, err := range map[string]error{
		"assertions": r.ClientAssertionJWTValid(t.Context(), "j"), "a used assertion": r.SetClientAssertionJWT(t.Context(), "j", time.Time{}),
		"refresh tokens": r.CreateRefreshTokenSession(t.Context(), "r", "a", nil),
	} {
		if err == nil || !strings.Contains(err.Error(), "not fosite's business here") {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := r.GetRefreshTokenSession(t.Context(), "r", nil)
	if again := r.RotateRefreshToken(t.Context(), "i", "r"); !errors.Is(err, fosite.ErrNotFound) || !errors.Is(again, fosite.ErrNotFound) || r.DeleteRefreshTokenSession(t.Context(), "r") != nil {
		t.Errorf("fosite finds a refresh token: %v, %v", err, again)
	}
	if s := (&session{Subject: "ada"}).hydrate(); s.GetSubject() != "ada" || s.Clone().GetSubject() != "ada" {
		t.Error("a session without its subject")
	}
}
