// Package pushed keeps validated authorization requests: from the push of the client to the visit of the browser (RFC 9126),
// and while the person is asked which account is theirs. It counts what each of them opened. It reads no request and grants
// nothing: package requests made what it keeps, and package oauth answers it.
package pushed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"regain/provider/clients"
	"regain/provider/problem"
	"regain/provider/requests"
	"regain/storage"
)

const kindPushed = storage.Kind("par")

// Lifetime is how long after its pushed request a client can send the browser (FAPI 2.0 Security Profile §5.3.2.2 requires
// less than ten minutes). heldLifetime is how long the person has to type the account's name.
const (
	Lifetime     = 5 * time.Minute
	heldLifetime = 15 * time.Minute
)

// Is reports whether a request URI is one of this server's form; others are nobody's to fetch.
func Is(uri string) bool { return strings.HasPrefix(uri, requests.URIPrefix) }

// Requests are the validated requests that wait for the browser, or for the person to name the account.
type Requests struct {
	store storage.Store
	newID NewID
	clock func() time.Time
	visits
}

// NewID makes the random part of a request URI, which nobody can guess (RFC 9126 §7.1).
type NewID func(context.Context) (string, error)

// New returns an error for missing parts.
func New(store storage.Store, newID NewID, clock func() time.Time) (*Requests, error) {
	if store == nil || newID == nil || clock == nil {
		return nil, errors.New("pushed requests: a store, a source of ids and a clock are required")
	}
	visits, err := newVisits(store)
	if err != nil {
		return nil, err
	}
	return &Requests{store, newID, clock, visits}, nil
}

// Push stores a request for Lifetime, and returns its request URI.
func (p *Requests) Push(ctx context.Context, a requests.Authorization) (uri string, err error) {
	return p.create(ctx, a, Lifetime)
}

// Hold stores a validated request while the person is asked for the account, and returns its request URI. A pushed
// request keeps its URI; its lifetime is extended once, since from now on the person's time counts, not the client's.
func (p *Requests) Hold(ctx context.Context, a requests.Authorization) (uri string, err error) {
	if a.Pushed == "" {
		a.Held = true
		return p.create(ctx, a, heldLifetime)
	}
	record, err := p.record(ctx, a.Pushed)
	if err != nil {
		return "", err
	}
	var pushed requests.Authorization
	newer, err := storage.DecodeNewer(record.Data, &pushed)
	if err != nil {
		return "", problem.ServerError(err)
	}
	if pushed.Held {
		return a.Pushed, nil
	}
	pushed.Held = true
	if record.Data, err = storage.EncodeNewer(pushed, newer); err != nil {
		return "", problem.ServerError(err)
	}
	record.ExpiresAt = p.clock().Add(heldLifetime)
	// A concurrent request held it too, or completed it; in that case the submitted form will fail.
	if err := p.store.Update(ctx, record); err != nil && !errors.Is(err, storage.ErrConflict) && !errors.Is(err, storage.ErrNotFound) {
		return "", problem.Unavailable(fmt.Errorf("hold pushed request: %w", err))
	}
	return a.Pushed, nil
}

// create stores a validated request under a new request URI.
func (p *Requests) create(ctx context.Context, a requests.Authorization, life time.Duration) (uri string, err error) {
	id, err := p.newID(ctx)
	if err != nil {
		return "", problem.ServerError(err)
	}
	data, err := storage.Encode(a.Stored())
	if err != nil {
		return "", problem.ServerError(err)
	}
	uri = requests.URIPrefix + id
	err = p.store.Create(ctx, storage.Record{Kind: kindPushed, ID: storage.Digest(uri), Data: data, ExpiresAt: p.clock().Add(life)})
	if err != nil {
		return "", problem.Unavailable(fmt.Errorf("store authorization request: %w", err))
	}
	return uri, nil
}

// Of returns the request with this request URI if the client pushed it.
func (p *Requests) Of(ctx context.Context, client *clients.Client, uri string) (requests.Authorization, error) {
	a, err := p.Load(ctx, uri)
	if err == nil && a.ClientID != client.ID {
		return requests.Authorization{}, unknown() // RFC 9126 §4: bound to the client that pushed it; a visit by another client does not use it up
	}
	return a, err
}

// Load returns the request with this request URI, of any client.
func (p *Requests) Load(ctx context.Context, uri string) (requests.Authorization, error) {
	record, err := p.record(ctx, uri)
	if err != nil {
		return requests.Authorization{}, err
	}
	var a requests.Authorization
	if err := storage.Decode(record.Data, &a); err != nil {
		return requests.Authorization{}, problem.ServerError(err)
	}
	return a.Restored(), nil
}

func (p *Requests) record(ctx context.Context, uri string) (storage.Record, error) {
	record, err := p.store.Get(ctx, kindPushed, storage.Digest(uri))
	if errors.Is(err, storage.ErrNotFound) {
		return record, unknown()
	}
	if err != nil {
		return record, problem.Unavailable(err)
	}
	return record, nil
}

// CodeUnknown is the error of a request URI of no request: invalid_request_uri (RFC 9101 §7).
const CodeUnknown = "invalid_request_uri"

func unknown() error {
	return problem.New(http.StatusBadRequest, CodeUnknown, "The request_uri is unknown, expired or was used already. Start again at your organisation's sign-in page.")
}

// Delete deletes a request that was answered, with the next change of the request that answers it. Its URI may be visited repeatedly until the authorization is completed, but not
// after (FAPI 2.0 Security Profile §5.3.2.2 Note 3).
func (p *Requests) Delete(ctx context.Context, a requests.Authorization) error {
	if a.Pushed == "" {
		return nil
	}
	return storage.Postpone(ctx, p.store, storage.Postponed{Change: storage.Deleting(kindPushed, storage.Digest(a.Pushed)), Again: func(_ context.Context, failed error) (storage.Change, error) {
		return storage.Change{}, fmt.Errorf("forget pushed request: %w", failed)
	}})
}
