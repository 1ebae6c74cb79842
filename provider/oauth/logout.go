package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"

	"regain/internal/publickey"
	"regain/provider/clients"
	"regain/provider/jwa"
	"regain/provider/problem"
)

// Logout is a validated request to end a session (OpenID Connect RP-Initiated Logout 1.0 §2).
type Logout struct {
	Client      *clients.Client // nil if the request names none
	Subject     string          // sub of the id_token_hint, "" without one
	Session     string          // sid of the id_token_hint, "" without one
	RedirectURI string          // registered for Client; "" shows our own page
	State       string
}

// Location returns the URL to which the browser is redirected after the logout.
func (l Logout) Location() (string, error) {
	u, err := url.Parse(l.RedirectURI)
	if err != nil {
		return "", fmt.Errorf("parse post_logout_redirect_uri: %w", err)
	}
	if l.State != "" {
		query := u.Query()
		query.Set("state", l.State)
		u.RawQuery = query.Encode()
	}
	return u.String(), nil
}

// ReadLogout validates a logout request. It accepts a post_logout_redirect_uri only with an id_token_hint, which
// proves that the request comes from the client of that ID token, and only if that client registered the URI:
// otherwise the endpoint would be an open redirector.
func (s *Server) ReadLogout(ctx context.Context, form url.Values) (Logout, error) {
	l := Logout{State: form.Get("state")}
	if len(l.State) > maxState || len(form.Get("id_token_hint")) > maxHint {
		return l, problem.InvalidRequest("The state or the id_token_hint is too long.")
	}
	if hint := form.Get("id_token_hint"); hint != "" {
		if err := s.readLogoutHint(ctx, hint, &l); err != nil {
			return l, err
		}
	}
	uri := form.Get("post_logout_redirect_uri")
	switch {
	case l.Client != nil && form.Has("client_id") && form.Get("client_id") != l.Client.ID:
		return l, problem.InvalidRequest("client_id is not the client that the id_token_hint was issued to.")
	case uri == "":
		return l, nil
	case l.Client == nil:
		return l, problem.InvalidRequest("A post_logout_redirect_uri needs an id_token_hint.")
	case !slices.Contains(l.Client.PostLogoutRedirectURIs, uri):
		return l, problem.InvalidRequest("The post_logout_redirect_uri is not registered for this client.")
	}
	l.RedirectURI = uri
	return l, nil
}

func (s *Server) readLogoutHint(ctx context.Context, hint string, l *Logout) error {
	refused := problem.InvalidRequest("The id_token_hint is not an ID token of this server.")
	token, err := publickey.ParseToken(hint, jwa.All())
	if err != nil {
		return refused.WithCause(err)
	}
	var claims struct {
		jwt.Claims
		SessionID string `json:"sid"`
	}
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil { // verified below
		return refused.WithCause(err)
	}
	if claims.Issuer != s.issuer || len(claims.Audience) != 1 {
		return refused.WithCause(errors.New("iss is not ours, or aud is not one client"))
	}
	if err := s.checkOwnToken(token, claims.Claims, claims.Audience[0]); err != nil {
		return refused.WithCause(err)
	}
	if l.Client, err = s.Client(ctx, claims.Audience[0]); err != nil {
		return err
	}
	l.Subject, l.Session = claims.Subject, claims.SessionID
	return nil
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
