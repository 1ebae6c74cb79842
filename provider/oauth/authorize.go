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

	"regain/storage"
)

// Authorization is a validated authorization request of a registered client. It is kept, encrypted, with the
// transaction and answered once, by Grant or Reject.
type Authorization struct {
	ClientID    string     `json:"client_id"`
	RedirectURI string     `json:"redirect_uri"`
	State       string     `json:"state,omitempty"`
	Form        url.Values `json:"form"`    // what fosite validated, and will validate again when the code is made
	Account     string     `json:"account"` // from login_hint or id_token_hint; "" when the client named none
	Pushed      string     `json:"pushed,omitempty"`
}

// Encode returns the stored form.
func (a Authorization) Encode() ([]byte, error) { return storage.Encode(a) }

// DecodeAuthorization reads what Encode wrote.
func DecodeAuthorization(data []byte) (Authorization, error) {
	var a Authorization
	if err := storage.Decode(data, &a); err != nil {
		return Authorization{}, fmt.Errorf("decode authorization request: %w", err)
	}
	return a, nil
}

// Client returns the registered client with this id, or nil.
func (s *Server) Client(id string) *Client { return s.clients[id] }

// requestURIPrefix is RFC 9126 §2.2.
const requestURIPrefix = "urn:ietf:params:oauth:request_uri:"

// Authorize reads the request of GET or POST /authorize: pushed (the default) or by value. Errors are
// *AuthorizeError; only those with a Redirect may reach the client.
func (s *Server) Authorize(ctx context.Context, form url.Values) (Authorization, error) {
	client := s.clients[form.Get("client_id")]
	if client == nil {
		return Authorization{}, &AuthorizeError{Problem: InvalidRequest("The client_id is missing or names no registered client.")}
	}
	uri := form.Get("request_uri")
	if uri == "" {
		return s.validate(ctx, client, form)
	}
	if !strings.HasPrefix(uri, requestURIPrefix) {
		return s.refuse(client, form, newError(http.StatusBadRequest, "request_uri_not_supported", "Only request URIs of this server's PAR endpoint are supported."))
	}
	a, err := s.pushed(ctx, client, uri)
	if err != nil {
		return Authorization{}, &AuthorizeError{Problem: asError(err)}
	}
	a.Pushed = uri // validated when it was pushed, and by fosite once more when the code is made
	return a, nil
}

// validate cleans the form and lets fosite check the rest.
func (s *Server) validate(ctx context.Context, client *Client, form url.Values) (Authorization, error) {
	cleaned, problem := s.clean(client, form)
	if problem != nil {
		return s.refuse(client, form, problem)
	}
	requester, err := s.fositeRequest(ctx, cleaned)
	if err != nil {
		return s.refuse(client, form, asError(err))
	}
	account, err := s.namedAccount(client, form)
	if err != nil {
		return s.refuse(client, form, asError(err))
	}
	return Authorization{
		ClientID: client.ID, RedirectURI: requester.GetRedirectURI().String(), State: form.Get("state"), Form: cleaned, Account: account,
	}, nil
}

// refuse redirects the error if, and only if, the redirect_uri is registered for the client.
func (s *Server) refuse(client *Client, form url.Values, problem *Error) (Authorization, error) {
	a := Authorization{ClientID: client.ID, RedirectURI: form.Get("redirect_uri"), State: form.Get("state")}
	uri, err := fosite.MatchRedirectURIWithClientRedirectURIs(a.RedirectURI, fositeClient{client})
	if a.RedirectURI == "" || err != nil || !fosite.IsValidRedirectURI(uri) || len(a.State) > maxState {
		return Authorization{}, &AuthorizeError{Problem: problem}
	}
	redirect, err := s.redirect(a, url.Values{"error": {problem.Code}, "error_description": {problem.Description}})
	if err != nil {
		return Authorization{}, &AuthorizeError{Problem: ServerError(err)}
	}
	return Authorization{}, &AuthorizeError{Problem: problem, Redirect: redirect}
}

// fositeRequest runs fosite's validation over a form that holds only what fosite may see.
func (s *Server) fositeRequest(ctx context.Context, cleaned url.Values) (fosite.AuthorizeRequester, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.issuer+"/authorize?"+cleaned.Encode(), nil)
	if err != nil {
		return nil, fmt.Errorf("rebuild authorization request: %w", err)
	}
	return s.fosite.NewAuthorizeRequest(ctx, r)
}

// Grant is what a successful recovery says about the person.
type Grant struct {
	Transaction string
	Subject     string
	AuthTime    time.Time
	ACR         string
	AMR         []string
}

// Grant makes a code for the transaction and returns the redirect that carries it to the client.
func (s *Server) Grant(ctx context.Context, a Authorization, g Grant) (*url.URL, error) {
	requester, err := s.fositeRequest(ctx, a.Form)
	if err != nil {
		return nil, fmt.Errorf("check the authorization request again: %w", err)
	}
	for _, scope := range requester.GetRequestedScopes() {
		requester.GrantScope(scope)
	}
	sess := &session{
		Transaction: g.Transaction, Subject: g.Subject, AuthTime: g.AuthTime, ACR: g.ACR, AMR: g.AMR, Nonce: a.Form.Get("nonce"),
	}
	response, err := s.fosite.NewAuthorizeResponse(ctx, requester, sess.hydrate())
	if err != nil {
		return nil, fmt.Errorf("make authorization code: %w", err)
	}
	if err := s.finish(ctx, a); err != nil {
		return nil, err
	}
	return s.redirect(a, url.Values{"code": {response.GetCode()}})
}

// Reject ends the authorization with an error and returns the redirect that carries it.
func (s *Server) Reject(ctx context.Context, a Authorization, problem *Error) (*url.URL, error) {
	if err := s.finish(ctx, a); err != nil {
		return nil, err
	}
	return s.redirect(a, url.Values{"error": {problem.Code}, "error_description": {problem.Description}})
}

// finish forgets the pushed request: it may be visited again until the authorization completes, and never after.
func (s *Server) finish(ctx context.Context, a Authorization) error {
	if a.Pushed == "" {
		return nil
	}
	if err := s.store.Delete(ctx, kindPushed, digest(a.Pushed)); err != nil {
		return fmt.Errorf("forget pushed request: %w", err)
	}
	return nil
}

// redirect adds the response parameters, with state and iss (RFC 9207 §2, errors included), to the redirect_uri.
func (s *Server) redirect(a Authorization, parameters url.Values) (*url.URL, error) {
	u, err := url.Parse(a.RedirectURI)
	if err != nil {
		return nil, fmt.Errorf("parse redirect_uri: %w", err)
	}
	query := u.Query()
	for name, values := range parameters {
		query.Set(name, values[0])
	}
	if a.State != "" {
		query.Set("state", a.State)
	}
	query.Set("iss", s.issuer)
	u.RawQuery = query.Encode()
	return u, nil
}

// Pushed is the answer of the PAR endpoint (RFC 9126 §2.2).
type Pushed struct {
	RequestURI string `json:"request_uri"`
	ExpiresIn  int    `json:"expires_in"` // seconds
}

// Push takes a pushed authorization request (RFC 9126 §2.1): the client is authenticated and the whole request
// validated here, so that mistakes show in the back channel and not in the person's browser.
func (s *Server) Push(r *http.Request, form url.Values) (Pushed, error) {
	client, err := s.Authenticate(r, form)
	if err != nil {
		return Pushed{}, err
	}
	if form.Has("request_uri") {
		return Pushed{}, InvalidRequest("request_uri cannot be pushed.")
	}
	a, err := s.validate(r.Context(), client, form)
	if err != nil {
		return Pushed{}, asError(err)
	}
	return s.keepPushed(r.Context(), a)
}

// keepPushed stores a validated request under a fresh request URI.
func (s *Server) keepPushed(ctx context.Context, a Authorization) (Pushed, error) {
	id, _, err := s.codes.GenerateAuthorizeCode(ctx, nil)
	if err != nil {
		return Pushed{}, ServerError(err)
	}
	data, err := storage.Encode(a)
	if err != nil {
		return Pushed{}, ServerError(err)
	}
	uri := requestURIPrefix + id
	err = s.store.Create(ctx, storage.Record{Kind: kindPushed, ID: digest(uri), Data: data, ExpiresAt: s.clock().Add(pushedLifetime)})
	if err != nil {
		return Pushed{}, Unavailable(fmt.Errorf("store pushed request: %w", err))
	}
	return Pushed{RequestURI: uri, ExpiresIn: int(pushedLifetime / time.Second)}, nil
}

// pushed returns the request behind a request URI of this client.
func (s *Server) pushed(ctx context.Context, client *Client, uri string) (Authorization, error) {
	gone := newError(http.StatusBadRequest, "invalid_request_uri", "The request_uri is unknown, expired or was used already. Start again at your organisation's sign-in page.")
	record, err := s.store.Get(ctx, kindPushed, digest(uri))
	if errors.Is(err, storage.ErrNotFound) {
		return Authorization{}, gone
	}
	if err != nil {
		return Authorization{}, Unavailable(err)
	}
	var a Authorization
	if err := storage.Decode(record.Data, &a); err != nil {
		return Authorization{}, ServerError(err)
	}
	if a.ClientID != client.ID {
		return Authorization{}, gone // RFC 9126 §4: bound to the client that pushed; a stranger's visit burns nothing
	}
	return a, nil
}
