package oauth

import (
	"context"
	"net/http"
	"net/url"

	"github.com/ory/fosite"

	"regain/provider/clients"
	"regain/storage"
)

// tokenRequest is the state of one request to the token endpoint with a code.
//
// fosite passes nothing but a context to its callbacks that authenticate the client, load the code and sign the ID token.
// They find here what else they need. It is the only value that this module stores in a context, and only this file does
// so, around the two calls of fosite that need it:
//
//	member     set by                           read by
//	client     Redeem                           authenticatedClient: fosite does not authenticate clients itself
//	row, code  GetAuthorizeCodeSession          GetAuthorizeCodeSession at fosite's further steps, checkChallenge, claim
//	extra      Tokens                           idTokens, which signs
type tokenRequest struct {
	client *clients.Client
	row    storage.Record // the code's record
	code   *grant         // the decoded record; nil until it was read
	extra  map[string]any // further claims of the ID token
}

type tokenRequestKey struct{}

// context returns a context with t, for fosite's callbacks only.
func (t *tokenRequest) context(ctx context.Context) context.Context {
	return context.WithValue(ctx, tokenRequestKey{}, t)
}

// read has fosite check code, redirect_uri and PKCE verifier.
func (t *tokenRequest) read(s *Server, r *http.Request) (fosite.AccessRequester, error) {
	ctx := t.context(r.Context())
	return s.core.fosite.NewAccessRequest(ctx, r.WithContext(ctx), (&session{}).hydrate())
}

// answer has fosite issue the tokens.
func (t *tokenRequest) answer(ctx context.Context, s *Server, read fosite.AccessRequester) (fosite.AccessResponder, error) {
	return s.core.fosite.NewAccessResponse(t.context(ctx), read)
}

// tokenRequestOf returns the tokenRequest of a context, or an empty one for calls of fosite without a code:
// introspection and userinfo.
func tokenRequestOf(ctx context.Context) *tokenRequest {
	if t, ok := ctx.Value(tokenRequestKey{}).(*tokenRequest); ok {
		return t
	}
	return &tokenRequest{}
}

// authenticatedClient returns the client that Redeem authenticated to fosite's token endpoint.
func authenticatedClient(ctx context.Context, _ *http.Request, _ url.Values) (fosite.Client, error) {
	client := tokenRequestOf(ctx).client
	if client == nil {
		return nil, fosite.ErrInvalidClient
	}
	return fositeClient{client}, nil
}
