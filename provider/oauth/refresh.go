package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ory/fosite"
	fositeoauth2 "github.com/ory/fosite/handler/oauth2"

	"regain/provider/clients"
	"regain/provider/problem"
	"regain/provider/requests"
	"regain/storage"
)

const kindRefresh = storage.Kind("refresh")

// refreshLifetime is how long a refresh token is valid. Refresh tokens are not rotated: every client authenticates,
// so the token is bound to its client (RFC 9700 §2.2.2, FAPI 2.0 Security Profile §5.3.2.1).
const refreshLifetime = 30 * 24 * time.Hour

// refreshTokens are kept by their digests.
type refreshTokens struct {
	store storage.Store
	codes fositeoauth2.CoreStrategy
	clock func() time.Time
}

// add adds a refresh token to a token response if the scope offline_access was granted.
func (r refreshTokens) add(ctx context.Context, requester fosite.Requester, answer map[string]any) error {
	if !requester.GetGrantedScopes().Has(clients.ScopeOffline) {
		return nil
	}
	token, _, err := r.codes.GenerateRefreshToken(ctx, requester)
	if err != nil {
		return problem.ServerError(err)
	}
	data, err := storage.Encode(grantOf(requester))
	if err != nil {
		return problem.ServerError(err)
	}
	err = r.store.Create(ctx, storage.Record{
		Kind: kindRefresh, ID: storage.Digest(token), Group: requester.GetID(), Data: data, ExpiresAt: r.clock().Add(refreshLifetime),
	})
	if err != nil {
		return problem.Unavailable(fmt.Errorf("store refresh token: %w", err))
	}
	answer["refresh_token"] = token
	return nil
}

// find returns the grant of a refresh token of this client, or nil.
func (r refreshTokens) find(ctx context.Context, client *clients.Client, token string) (*grant, error) {
	record, err := r.store.Get(ctx, kindRefresh, storage.Digest(token))
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil //nolint:nilnil // nil means no such token
	}
	if err != nil {
		return nil, problem.Unavailable(err)
	}
	var g grant
	if err := storage.Decode(record.Data, &g); err != nil {
		return nil, problem.ServerError(err)
	}
	if g.Client != client.ID || g.Session == nil {
		return nil, nil //nolint:nilnil // another client's token, or nobody's
	}
	return &g, nil
}

// Refresh issues a new access token for a refresh token (RFC 6749 §6), with the same scopes or fewer, as
// long as the account may have one.
func (s *Server) Refresh(r *http.Request, form url.Values) (map[string]any, error) {
	client, err := s.Authenticate(r, form)
	if err != nil {
		return nil, err
	}
	g, err := s.refresh.find(r.Context(), client, form.Get("refresh_token"))
	if err != nil {
		return nil, err
	}
	if g == nil || !client.Refreshes() {
		return nil, problem.InvalidGrant("The refresh token is unknown, expired, revoked, or another client's.")
	}
	if _, err := s.holder(r.Context(), client, g.Session); err != nil {
		return nil, ineligibleIs(problem.InvalidGrant("The account behind the refresh token may have no tokens any more."), err)
	}
	scopes, refusal := requests.Narrowed(g.Scopes, form.Get("scope"))
	if refusal != nil {
		return nil, refusal
	}
	g.Scopes = scopes
	if g.Session.Binding, err = s.possession.Bind(r, client, ""); err != nil {
		return nil, err
	}
	return s.issueAccessToken(r.Context(), client, *g)
}

// issueAccessToken issues and stores the access token.
func (s *Server) issueAccessToken(ctx context.Context, client *clients.Client, g grant) (map[string]any, error) {
	sess := g.Session.hydrate()
	sess.SetExpiresAt(fosite.AccessToken, s.clock().Add(tokenLifetime))
	requester := &fosite.Request{
		ID: g.ID, RequestedAt: s.clock(), Client: fositeClient{client}, RequestedScope: g.Scopes, GrantedScope: g.Scopes, Form: g.Form, Session: sess,
	}
	token, signature, err := s.codes.GenerateAccessToken(ctx, requester)
	if err != nil {
		return nil, problem.ServerError(err)
	}
	if err := s.records.CreateAccessTokenSession(ctx, signature, requester); err != nil {
		return nil, problem.Unavailable(err)
	}
	return map[string]any{
		"access_token": token, "token_type": sess.Binding.TokenType(), "expires_in": int(tokenLifetime / time.Second), "scope": strings.Join(g.Scopes, " "),
	}, nil
}
