package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	fositeoauth2 "github.com/ory/fosite/handler/oauth2"

	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/problem"
	"regain/provider/requests"
	"regain/storage"
)

// requestURIPrefix is the prefix of request URIs (RFC 9126 §2.2).
const requestURIPrefix = "urn:ietf:params:oauth:request_uri:"

// Pushed is the response of the PAR endpoint (RFC 9126 §2.2).
type Pushed struct {
	RequestURI string `json:"request_uri"`
	ExpiresIn  int    `json:"expires_in"` // seconds
}

// Push handles a pushed authorization request (RFC 9126 §2.1): it authenticates the client and validates the whole
// request, so that mistakes appear in the back channel and not in the person's browser.
func (s *Server) Push(r *http.Request, form url.Values) (Pushed, error) {
	client, err := s.Authenticate(r, form)
	if err != nil {
		return Pushed{}, err
	}
	if requests.IsJSON(r) && client.Contract != contract.OktaIDV {
		return Pushed{}, problem.InvalidRequest("The body must be application/x-www-form-urlencoded.")
	}
	if form.Has("request_uri") {
		return Pushed{}, problem.InvalidRequest("request_uri cannot be pushed.")
	}
	a, err := s.read(r.Context(), client, form)
	if err != nil {
		return Pushed{}, asError(err)
	}
	if a.CodeKey, err = s.pushedKey(r, client, a.CodeKey); err != nil {
		return Pushed{}, err
	}
	uri, err := s.storePushed(r.Context(), a, pushedLifetime)
	return Pushed{RequestURI: uri, ExpiresIn: int(pushedLifetime / time.Second)}, err
}

// pushedRequests are the validated requests that wait for the browser, or for the person to name the account.
type pushedRequests struct {
	store storage.Store
	codes fositeoauth2.CoreStrategy // makes the random part of request URIs
	clock func() time.Time
}

// Hold stores a validated request while the person is asked for the account, and returns its request URI. A pushed
// request keeps its URI; its lifetime is extended once, since from now on the person's time counts, not the client's.
func (p pushedRequests) Hold(ctx context.Context, a requests.Authorization) (uri string, err error) {
	if a.Pushed == "" {
		a.Held = true
		return p.storePushed(ctx, a, heldLifetime)
	}
	record, err := p.loadPushedRecord(ctx, a.Pushed)
	if err != nil {
		return "", err
	}
	var pushed requests.Authorization
	if err := storage.Decode(record.Data, &pushed); err != nil {
		return "", problem.ServerError(err)
	}
	if pushed.Held {
		return a.Pushed, nil
	}
	pushed.Held = true
	if record.Data, err = storage.Encode(pushed); err != nil {
		return "", problem.ServerError(err)
	}
	record.ExpiresAt = p.clock().Add(heldLifetime)
	// A concurrent request held it too, or completed it; in that case the submitted form will fail.
	if err := p.store.Update(ctx, record); err != nil && !errors.Is(err, storage.ErrConflict) && !errors.Is(err, storage.ErrNotFound) {
		return "", problem.Unavailable(fmt.Errorf("hold pushed request: %w", err))
	}
	return a.Pushed, nil
}

// storePushed stores a validated request under a new request URI.
func (p pushedRequests) storePushed(ctx context.Context, a requests.Authorization, life time.Duration) (uri string, err error) {
	id, _, err := p.codes.GenerateAuthorizeCode(ctx, nil)
	if err != nil {
		return "", problem.ServerError(err)
	}
	data, err := storage.Encode(a)
	if err != nil {
		return "", problem.ServerError(err)
	}
	uri = requestURIPrefix + id
	err = p.store.Create(ctx, storage.Record{Kind: kindPushed, ID: storage.Digest(uri), Data: data, ExpiresAt: p.clock().Add(life)})
	if err != nil {
		return "", problem.Unavailable(fmt.Errorf("store authorization request: %w", err))
	}
	return uri, nil
}

// pushed returns the request with this request URI if the client pushed it.
func (p pushedRequests) pushed(ctx context.Context, client *clients.Client, uri string) (requests.Authorization, error) {
	a, err := p.loadPushed(ctx, uri)
	if err == nil && a.ClientID != client.ID {
		return requests.Authorization{}, unknownRequestURI() // RFC 9126 §4: bound to the client that pushed it; a visit by another client does not use it up
	}
	return a, err
}

// loadPushed returns the request with this request URI, of any client.
func (p pushedRequests) loadPushed(ctx context.Context, uri string) (requests.Authorization, error) {
	record, err := p.loadPushedRecord(ctx, uri)
	if err != nil {
		return requests.Authorization{}, err
	}
	var a requests.Authorization
	if err := storage.Decode(record.Data, &a); err != nil {
		return requests.Authorization{}, problem.ServerError(err)
	}
	return a, nil
}

func (p pushedRequests) loadPushedRecord(ctx context.Context, uri string) (storage.Record, error) {
	record, err := p.store.Get(ctx, kindPushed, storage.Digest(uri))
	if errors.Is(err, storage.ErrNotFound) {
		return record, unknownRequestURI()
	}
	if err != nil {
		return record, problem.Unavailable(err)
	}
	return record, nil
}

// codeRequestURI is invalid_request_uri (RFC 9101 §7).
const codeRequestURI = "invalid_request_uri"

func unknownRequestURI() error {
	return problem.New(http.StatusBadRequest, codeRequestURI, "The request_uri is unknown, expired or was used already. Start again at your organisation's sign-in page.")
}

// deletePushed deletes the pushed request. Its URI may be visited repeatedly until the authorization is completed, but not
// after (FAPI 2.0 Security Profile §5.3.2.2 Note 3).
func (p pushedRequests) deletePushed(ctx context.Context, a requests.Authorization) error {
	if a.Pushed == "" {
		return nil
	}
	if err := p.store.Delete(ctx, kindPushed, storage.Digest(a.Pushed)); err != nil {
		return fmt.Errorf("forget pushed request: %w", err)
	}
	return nil
}
