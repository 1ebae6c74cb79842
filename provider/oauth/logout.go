package oauth

import (
	"context"
	"net/url"
	"time"

	"regain/provider/clients"
	"regain/provider/requests"
)

// ReadLogout reads and validates a request to end a session.
func (s *Server) ReadLogout(ctx context.Context, form url.Values) (requests.Logout, error) {
	return s.requests.Logout(ctx, form)
}

const logoutTokenLifetime = 2 * time.Minute // OpenID Connect Back-Channel Logout 1.0 §4 recommends two at most

// LogoutToken returns the logout token that tells a client that a session ended (OpenID Connect Back-Channel Logout
// 1.0 §2.4).
func (s *Server) LogoutToken(client *clients.Client, session, subject, id string) (string, error) {
	now := s.clock()
	return s.ring.MintWith(client.Algorithm(), "logout+jwt", map[string]any{
		"iss": s.issuer, "sub": subject, "aud": client.ID, "iat": now.Unix(), "exp": now.Add(logoutTokenLifetime).Unix(), "jti": id, "sid": session,
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": struct{}{}},
	})
}
