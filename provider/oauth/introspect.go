package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/ory/fosite"

	"regain/provider/clients"
	"regain/provider/possession"
	"regain/provider/problem"
	"regain/recovery"
	"regain/storage"
)

// Introspection is an introspection response (RFC 7662 §2.2). For an inactive token all other members are absent.
type Introspection struct {
	Active    bool                `json:"active"`
	Scope     string              `json:"scope,omitempty"`
	ClientID  string              `json:"client_id,omitempty"`
	TokenType string              `json:"token_type,omitempty"`
	Subject   string              `json:"sub,omitempty"`
	Issuer    string              `json:"iss,omitempty"`
	IssuedAt  int64               `json:"iat,omitempty"`
	Expiry    int64               `json:"exp,omitempty"`
	Binding   *possession.Binding `json:"cnf,omitempty"`
}

// Introspect returns the state of a token to the client that it was issued to. Any other token is reported as
// inactive, so that a client cannot find out about other clients' tokens, and so is a token whose account may have none
// any more.
func (s *Server) Introspect(r *http.Request, form url.Values) (*clients.Client, Introspection, error) {
	client, err := s.Authenticate(r, form)
	if err != nil {
		return nil, Introspection{}, err
	}
	token := form.Get("token")
	if token == "" {
		return nil, Introspection{}, problem.InvalidRequest("The parameter token is required.")
	}
	found, sess, err := s.introspectToken(r.Context(), client, token)
	if sess == nil {
		return client, Introspection{}, err
	}
	switch _, err := s.holder(r.Context(), client, sess); {
	case errors.Is(err, recovery.ErrIneligible):
		return client, Introspection{}, nil
	case err != nil:
		return client, Introspection{}, err
	}
	return client, found, nil
}

// accessToken returns what an access token stands for. The error is invalid_token, or an outage: while the store does not
// answer, no token is called invalid, which its client would throw away, and none revoked.
func (s *Server) accessToken(ctx context.Context, token string) (fosite.AccessRequester, *session, error) {
	_, requester, err := s.core.fosite.IntrospectToken(ctx, token, fosite.AccessToken, (&session{}).hydrate())
	if outage := (*problem.Error)(nil); errors.As(err, &outage) {
		return nil, nil, outage
	}
	if err != nil {
		return nil, nil, problem.New(http.StatusUnauthorized, possession.CodeInvalidToken, "The access token is unknown, expired or revoked.").WithCause(err)
	}
	return requester, requester.GetSession().(*session), nil //nolint:forcetypeassert // only this package creates sessions
}

// notGood reports whether an error of accessToken is a verdict on the token.
func notGood(err error) bool { return asError(err).Code == possession.CodeInvalidToken }

// introspectToken returns what a token of the client stands for, with its session; nil if there is no such token.
func (s *Server) introspectToken(ctx context.Context, client *clients.Client, token string) (Introspection, *session, error) {
	requester, sess, err := s.accessToken(ctx, token)
	switch {
	case err == nil && requester.GetClient().GetID() == client.ID:
		return s.introspection(client, requester, sess), sess, nil
	case err == nil:
		return Introspection{}, nil, nil
	case !notGood(err):
		return Introspection{}, nil, err
	}
	g, err := s.refresh.find(ctx, client, token)
	if g == nil {
		return Introspection{}, nil, err
	}
	return Introspection{
		Active: true, Scope: strings.Join(g.Scopes, " "), ClientID: g.Client, TokenType: "refresh_token", Subject: g.Session.Subject, Issuer: s.issuer,
	}, g.Session, nil
}

func (s *Server) introspection(client *clients.Client, requester fosite.Requester, sess *session) Introspection {
	i := Introspection{
		Active: true, Scope: strings.Join(requester.GetGrantedScopes(), " "), ClientID: client.ID, TokenType: sess.Binding.TokenType(), Subject: sess.Subject,
		Issuer: s.issuer, Expiry: sess.TokenExpiry.Unix(), IssuedAt: sess.TokenExpiry.Add(-tokenLifetime).Unix(),
	}
	if sess.Binding != (possession.Binding{}) {
		i.Binding = &sess.Binding
	}
	return i
}

// SignedIntrospection returns an introspection response as a JWT (RFC 9701 §5).
func (s *Server) SignedIntrospection(client *clients.Client, i Introspection) (string, error) {
	return s.ring.MintWith(client.Algorithm(), "token-introspection+jwt", map[string]any{
		"iss": s.issuer, "aud": client.ID, "iat": s.clock().Unix(), "token_introspection": i,
	})
}

// Revoke revokes a token of the client; for a refresh token, also all access tokens of the same authorization (RFC
// 7009 §2.1). An unknown token, or another client's, is not an error.
func (s *Server) Revoke(r *http.Request, form url.Values) error {
	client, err := s.Authenticate(r, form)
	if err != nil {
		return err
	}
	token := form.Get("token")
	if token == "" {
		return problem.InvalidRequest("The parameter token is required.")
	}
	ctx := r.Context()
	g, err := s.refresh.find(ctx, client, token)
	if err != nil {
		return err
	}
	if g != nil {
		if err = s.records.RevokeAccessToken(ctx, g.ID); err == nil { // the refresh token last: with it a client tries again
			err = s.store.Delete(ctx, kindRefresh, storage.Digest(token))
		}
	} else {
		err = s.revokeAccess(ctx, client, token)
	}
	if err != nil {
		return problem.Unavailable(fmt.Errorf("revoke token: %w", err))
	}
	return nil
}

func (s *Server) revokeAccess(ctx context.Context, client *clients.Client, token string) error {
	requester, _, err := s.accessToken(ctx, token)
	switch {
	case err != nil && !notGood(err):
		return err
	case err != nil, requester.GetClient().GetID() != client.ID:
		return nil //nolint:nilerr // RFC 7009 §2.2: invalid tokens do not cause an error response
	}
	return s.records.DeleteAccessTokenSession(ctx, s.codes.AccessTokenSignature(ctx, token))
}
