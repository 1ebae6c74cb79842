package oauth

import (
	"context"
	"net/http"
	"net/url"

	"github.com/ory/fosite"

	"regain/provider/clients"
	"regain/storage"
)

// tokenRequest is one call of the token endpoint with a code, as far as it got.
//
// fosite calls back with nothing but a context: to authenticate the client, to find the code, to sign the ID token. What
// those need, and fosite does not pass on, they find here. It is the only value of ours in any context, and is put there in
// this file, around the two calls of fosite that need it:
//
//	member     set by                           read by
//	client     Redeem                           authenticatedClient: fosite authenticates nobody itself
//	row, code  GetAuthorizeCodeSession          GetAuthorizeCodeSession at fosite's further steps, checkVerifier, claim
//	extra      Tokens                           idTokens, which signs
type tokenRequest struct {
	client *clients.Client
	row    storage.Record // the code's
	code   *grant         // what the row says; nil until it was read
	extra  map[string]any // further claims of the ID token
}

type tokenRequestKey struct{}

// context is for fosite alone: whatever it calls finds the request in it.
func (t *tokenRequest) context(ctx context.Context) context.Context {
	return context.WithValue(ctx, tokenRequestKey{}, t)
}

// read has fosite check code, redirect_uri and verifier.
func (t *tokenRequest) read(s *Server, r *http.Request) (fosite.AccessRequester, error) {
	ctx := t.context(r.Context())
	return s.fosite.NewAccessRequest(ctx, r.WithContext(ctx), (&session{}).hydrate())
}

// answer has fosite make the tokens of what was read.
func (t *tokenRequest) answer(ctx context.Context, s *Server, read fosite.AccessRequester) (fosite.AccessResponder, error) {
	return s.fosite.NewAccessResponse(t.context(ctx), read)
}

// tokenRequestOf returns what a context has, and an empty one for a call of fosite from elsewhere: introspection and
// userinfo have no code.
func tokenRequestOf(ctx context.Context) *tokenRequest {
	if t, ok := ctx.Value(tokenRequestKey{}).(*tokenRequest); ok {
		return t
	}
	return &tokenRequest{}
}

// authenticatedClient tells fosite's token endpoint whom Authenticate found.
func authenticatedClient(ctx context.Context, _ *http.Request, _ url.Values) (fosite.Client, error) {
	client := tokenRequestOf(ctx).client
	if client == nil {
		return nil, fosite.ErrInvalidClient
	}
	return fositeClient{client}, nil
}
