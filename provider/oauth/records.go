package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/openid"

	"regain/provider/clients"
	"regain/provider/possession"
	"regain/provider/problem"
	"regain/storage"
)

const (
	kindCode  = storage.Kind("code")
	kindToken = storage.Kind("token")
)

// session is the authentication that a code or access token represents. It implements fosite's OpenID session.
type session struct {
	*openid.DefaultSession `json:"-"`

	Transaction string    `json:"txn"`
	Account     string    `json:"account,omitempty"` // the directory's id of the account; "" if none was approved
	Subject     string    `json:"sub"`
	AuthTime    time.Time `json:"auth_time"`
	Nonce       string    `json:"nonce,omitempty"`
	ACR         string    `json:"acr"`
	AMR         []string  `json:"amr"`
	CodeExpiry  time.Time `json:"code_expiry"`
	TokenExpiry time.Time `json:"token_expiry"`

	Profile       string `json:"profile,omitempty"`
	SessionID     string `json:"sid,omitempty"`
	ClaimsRequest string `json:"claims,omitempty"`
	Failed        bool   `json:"failed,omitempty"` // okta-idv: the person was not approved
	FromSession   bool   `json:"from_session,omitempty"`

	CodeKey string             `json:"code_key,omitempty"` // thumbprint of the DPoP key that the code is bound to
	Binding possession.Binding `json:"cnf,omitzero"`       // of the access token
}

// grant is a stored code or access token. Form includes the code's PKCE challenge and nonce: one record cannot lose
// them, which would allow a PKCE downgrade (RFC 9700 §4.8.2, docs/decisions/0001-fosite.md).
type grant struct {
	ID          string     `json:"id"`
	Client      string     `json:"client"`
	RequestedAt time.Time  `json:"requested_at"`
	Scopes      []string   `json:"scopes"`
	Form        url.Values `json:"form"`
	Session     *session   `json:"session"`
	Claimed     bool       `json:"claimed,omitempty"`
}

// records implements fosite's storage. There are no separate records for PKCE and OpenID sessions: the code's record
// contains them.
type records struct {
	store   storage.Store
	clients clients.Registry
	clock   func() time.Time
}

func (s *session) hydrate() *session {
	s.DefaultSession = openid.NewDefaultSession()
	s.DefaultSession.Subject = s.Subject
	s.Claims.Subject = s.Subject
	s.DefaultSession.SetExpiresAt(fosite.AuthorizeCode, s.CodeExpiry)
	if !s.TokenExpiry.IsZero() {
		s.DefaultSession.SetExpiresAt(fosite.AccessToken, s.TokenExpiry)
	}
	return s
}

// GetSubject implements fosite.Session, as do SetExpiresAt and Clone.
func (s *session) GetSubject() string { return s.Subject }

// Clone returns a copy that shares nothing mutable.
func (s *session) Clone() fosite.Session {
	c := *s
	return c.hydrate()
}

// SetExpiresAt also stores the expiry in the encoded fields.
func (s *session) SetExpiresAt(kind fosite.TokenType, at time.Time) {
	switch kind {
	case fosite.AuthorizeCode:
		s.CodeExpiry = at
	case fosite.AccessToken:
		s.TokenExpiry = at
	}
	s.DefaultSession.SetExpiresAt(kind, at)
}

func (r *records) GetClient(ctx context.Context, id string) (fosite.Client, error) {
	client, err := r.clients.Client(ctx, id)
	if errors.Is(err, clients.ErrUnknown) {
		return nil, fosite.ErrNotFound
	}
	if err != nil {
		return nil, problem.Unavailable(err)
	}
	return fositeClient{client}, nil
}

// ClientAssertionJWTValid is never called: clients are authenticated before fosite is.
func (r *records) ClientAssertionJWTValid(context.Context, string) error {
	return errors.New("client assertions are not fosite's business here")
}

// SetClientAssertionJWT is never called, see ClientAssertionJWTValid.
func (r *records) SetClientAssertionJWT(context.Context, string, time.Time) error {
	return errors.New("client assertions are not fosite's business here")
}

func (r *records) CreateAuthorizeCodeSession(ctx context.Context, signature string, request fosite.Requester) error {
	return r.create(ctx, kindCode, signature, grantOf(request), codeLifetime)
}

// GetAuthorizeCodeSession returns ErrInvalidatedAuthorizeCode for a claimed code; fosite then revokes the tokens that
// were issued for it (RFC 6749 §4.1.2). Within one token request the code is read once, so that all of fosite's steps
// see the record that was checked and claimed.
func (r *records) GetAuthorizeCodeSession(ctx context.Context, signature string, _ fosite.Session) (fosite.Requester, error) {
	t := tokenRequestOf(ctx)
	if t.row.ID == storage.Digest(signature) {
		return r.requester(ctx, *t.code)
	}
	row, g, err := r.get(ctx, kindCode, signature)
	if err != nil {
		return nil, err
	}
	request, err := r.requester(ctx, g)
	if err == nil && g.Claimed {
		return request, fosite.ErrInvalidatedAuthorizeCode
	}
	t.row, t.code = row, &g
	return request, err
}

// InvalidateAuthorizeCodeSession does nothing: Server.claim invalidates the code, atomically, before fosite issues
// tokens.
func (r *records) InvalidateAuthorizeCodeSession(context.Context, string) error { return nil }

func (r *records) CreatePKCERequestSession(context.Context, string, fosite.Requester) error {
	return nil
}

func (r *records) GetPKCERequestSession(ctx context.Context, signature string, s fosite.Session) (fosite.Requester, error) {
	return r.GetAuthorizeCodeSession(ctx, signature, s)
}

func (r *records) DeletePKCERequestSession(context.Context, string) error { return nil }

func (r *records) CreateOpenIDConnectSession(context.Context, string, fosite.Requester) error {
	return nil
}

// GetOpenIDConnectSession is called after the code was checked, with the request that the check loaded.
func (r *records) GetOpenIDConnectSession(_ context.Context, _ string, request fosite.Requester) (fosite.Requester, error) {
	return request, nil
}

func (r *records) DeleteOpenIDConnectSession(context.Context, string) error { return nil }

func (r *records) CreateAccessTokenSession(ctx context.Context, signature string, request fosite.Requester) error {
	return r.create(ctx, kindToken, signature, grantOf(request), tokenLifetime)
}

func (r *records) GetAccessTokenSession(ctx context.Context, signature string, _ fosite.Session) (fosite.Requester, error) {
	_, g, err := r.get(ctx, kindToken, signature)
	if err != nil {
		return nil, err
	}
	return r.requester(ctx, g)
}

func (r *records) DeleteAccessTokenSession(ctx context.Context, signature string) error {
	return r.store.Delete(ctx, kindToken, storage.Digest(signature))
}

// RevokeAccessToken is called with the request id of a code that was redeemed twice.
func (r *records) RevokeAccessToken(ctx context.Context, requestID string) error {
	return r.deleteGroup(ctx, kindToken, requestID)
}

func (r *records) RevokeRefreshToken(ctx context.Context, requestID string) error {
	return r.deleteGroup(ctx, kindRefresh, requestID)
}

func (r *records) deleteGroup(ctx context.Context, kind storage.Kind, group string) error {
	const page = 100
	for {
		list, err := r.store.List(ctx, kind, group, "", page)
		if err != nil {
			return fmt.Errorf("list %s: %w", kind, err)
		}
		for _, record := range list {
			if err := r.store.Delete(ctx, kind, record.ID); err != nil {
				return fmt.Errorf("revoke %s: %w", kind, err)
			}
		}
		if len(list) < page {
			return nil
		}
	}
}

// CreateRefreshTokenSession and the methods below are never called: refresh tokens are implemented in refresh.go.
func (r *records) CreateRefreshTokenSession(context.Context, string, string, fosite.Requester) error {
	return errors.New("refresh tokens are not fosite's business here")
}

func (r *records) GetRefreshTokenSession(context.Context, string, fosite.Session) (fosite.Requester, error) {
	return nil, fosite.ErrNotFound
}

func (r *records) DeleteRefreshTokenSession(context.Context, string) error { return nil }

func (r *records) RotateRefreshToken(context.Context, string, string) error {
	return fosite.ErrNotFound
}

func grantOf(request fosite.Requester) grant {
	return grant{
		ID: request.GetID(), Client: request.GetClient().GetID(), RequestedAt: request.GetRequestedAt(),
		Scopes: request.GetGrantedScopes(), Form: request.GetRequestForm(), Session: request.GetSession().(*session), //nolint:forcetypeassert // only this package creates sessions
	}
}

// create stores a grant with the next change of the request, and at the latest before its answer: until then nobody has
// the code or token.
func (r *records) create(ctx context.Context, kind storage.Kind, signature string, g grant, life time.Duration) error {
	data, err := storage.Encode(g)
	if err != nil {
		return fmt.Errorf("encode %s: %w", kind, err)
	}
	made := storage.Record{Kind: kind, ID: storage.Digest(signature), Group: g.ID, Data: data, ExpiresAt: r.clock().Add(life)}
	return storage.Postpone(ctx, r.store, storage.Postponed{Change: storage.Creating(made), Again: func(_ context.Context, failed error) (storage.Change, error) {
		return storage.Change{}, problem.ServerError(fmt.Errorf("store %s: %w", kind, failed))
	}})
}

func (r *records) get(ctx context.Context, kind storage.Kind, signature string) (storage.Record, grant, error) {
	row, err := r.store.Get(ctx, kind, storage.Digest(signature))
	if errors.Is(err, storage.ErrNotFound) {
		return storage.Record{}, grant{}, fosite.ErrNotFound
	}
	if err != nil {
		return storage.Record{}, grant{}, problem.Unavailable(fmt.Errorf("read %s: %w", kind, err)) // fosite hands it on as its cause
	}
	var g grant
	if err := storage.Decode(row.Data, &g); err != nil {
		return storage.Record{}, grant{}, problem.ServerError(fmt.Errorf("decode %s: %w", kind, err))
	}
	return row, g, nil
}

// requester rebuilds fosite's request from a stored grant. It fails for a client that was removed from the
// configuration.
func (r *records) requester(ctx context.Context, g grant) (fosite.Requester, error) {
	client, err := r.GetClient(ctx, g.Client)
	if err != nil {
		return nil, err
	}
	if g.Session == nil {
		return nil, fosite.ErrNotFound
	}
	return &fosite.Request{
		ID: g.ID, RequestedAt: g.RequestedAt, Client: client, RequestedScope: g.Scopes, GrantedScope: g.Scopes,
		Form: g.Form, Session: g.Session.Clone(),
	}, nil
}
