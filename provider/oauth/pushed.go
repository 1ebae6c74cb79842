package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/problem"
	"regain/storage"
)

// requestURIPrefix is RFC 9126 §2.2.
const requestURIPrefix = "urn:ietf:params:oauth:request_uri:"

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
	if isJSON(r) && client.Contract != contract.OktaIDV {
		return Pushed{}, problem.InvalidRequest("The body must be application/x-www-form-urlencoded.")
	}
	if client.Contract == contract.EntraExternalMethod {
		return Pushed{}, problem.New(http.StatusBadRequest, "unauthorized_client", "Requests of this client come from the browser.")
	}
	if form.Has("request_uri") {
		return Pushed{}, problem.InvalidRequest("request_uri cannot be pushed.")
	}
	a, err := s.validate(r.Context(), client, form)
	if err != nil {
		return Pushed{}, asError(err)
	}
	if a.CodeKey, err = s.pushedKey(r, client, a.CodeKey); err != nil {
		return Pushed{}, err
	}
	uri, err := s.keep(r.Context(), a, pushedLifetime)
	return Pushed{RequestURI: uri, ExpiresIn: int(pushedLifetime / time.Second)}, err
}

// Hold keeps a validated request while the person is asked for the account, and returns the request URI that it has
// meanwhile. A pushed one keeps its own: from here on its time is the person's, not the client's.
func (s *Server) Hold(ctx context.Context, a Authorization) (uri string, err error) {
	if a.Pushed == "" {
		return s.keep(ctx, a, heldLifetime)
	}
	record, err := s.keptRecord(ctx, a.Pushed)
	if err != nil {
		return "", err
	}
	record.ExpiresAt = s.clock().Add(heldLifetime)
	// Somebody who changed it in the meantime held it too, or finished it, which the form will find out.
	if err := s.store.Update(ctx, record); err != nil && !errors.Is(err, storage.ErrConflict) && !errors.Is(err, storage.ErrNotFound) {
		return "", problem.Unavailable(fmt.Errorf("hold pushed request: %w", err))
	}
	return a.Pushed, nil
}

// keep stores a validated request under a fresh request URI.
func (s *Server) keep(ctx context.Context, a Authorization, life time.Duration) (uri string, err error) {
	id, _, err := s.codes.GenerateAuthorizeCode(ctx, nil)
	if err != nil {
		return "", problem.ServerError(err)
	}
	data, err := storage.Encode(a)
	if err != nil {
		return "", problem.ServerError(err)
	}
	uri = requestURIPrefix + id
	err = s.store.Create(ctx, storage.Record{Kind: kindPushed, ID: storage.Digest(uri), Data: data, ExpiresAt: s.clock().Add(life)})
	if err != nil {
		return "", problem.Unavailable(fmt.Errorf("store authorization request: %w", err))
	}
	return uri, nil
}

// pushed returns the request behind a request URI of this client.
func (s *Server) pushed(ctx context.Context, client *clients.Client, uri string) (Authorization, error) {
	a, err := s.kept(ctx, uri)
	if err == nil && a.ClientID != client.ID {
		return Authorization{}, unknownRequestURI() // RFC 9126 §4: bound to the client that pushed; a stranger's visit burns nothing
	}
	return a, err
}

// kept returns the request behind a request URI, whoever's it is.
func (s *Server) kept(ctx context.Context, uri string) (Authorization, error) {
	record, err := s.keptRecord(ctx, uri)
	if err != nil {
		return Authorization{}, err
	}
	var a Authorization
	if err := storage.Decode(record.Data, &a); err != nil {
		return Authorization{}, problem.ServerError(err)
	}
	return a, nil
}

func (s *Server) keptRecord(ctx context.Context, uri string) (storage.Record, error) {
	record, err := s.store.Get(ctx, kindPushed, storage.Digest(uri))
	if errors.Is(err, storage.ErrNotFound) {
		return record, unknownRequestURI()
	}
	if err != nil {
		return record, problem.Unavailable(err)
	}
	return record, nil
}

func unknownRequestURI() error {
	return problem.New(http.StatusBadRequest, "invalid_request_uri", "The request_uri is unknown, expired or was used already. Start again at your organisation's sign-in page.")
}

// finish forgets the pushed request: it may be visited again until the authorization completes, and never after.
func (s *Server) finish(ctx context.Context, a Authorization) error {
	if a.Pushed == "" {
		return nil
	}
	if err := s.store.Delete(ctx, kindPushed, storage.Digest(a.Pushed)); err != nil {
		return fmt.Errorf("forget pushed request: %w", err)
	}
	return nil
}
