package requests

import (
	"context"
	"errors"
	"net/url"
	"time"

	"regain/provider/clients"
	"regain/provider/contract"
	"regain/provider/keys"
	"regain/provider/problem"
)

// Core is the OAuth core, which makes the codes for these requests. It sees of a request what no other check here is about,
// and checks that itself.
type Core interface {
	// Registered reports whether the address is not empty, and one of the client's redirect URIs.
	Registered(client *clients.Client, address string) bool
	// Check validates the parameters of Authorization.Form: the response_type, a registered redirect_uri, the scope.
	Check(ctx context.Context, form url.Values) *problem.Error
}

// Config holds the operator's settings.
type Config struct {
	Issuer string // https URL without a trailing slash: the audience of what clients sign
	ACR    string // the acr of every authentication
}

// Deps holds the dependencies; all are required.
type Deps struct {
	Clients clients.Registry
	Keys    *clients.KeySource // keys of the clients
	Ring    *keys.Ring         // verifies ID tokens of ours, as hints
	Tenants *contract.Tenants
	Core    Core
	Clock   func() time.Time
}

// Reader reads the requests of registered clients.
type Reader struct {
	issuer  string
	acr     string
	clients clients.Registry
	keys    *clients.KeySource
	ring    *keys.Ring
	tenants *contract.Tenants
	core    Core
	clock   func() time.Time
}

// New returns an error for missing dependencies or settings.
func New(cfg Config, deps Deps) (*Reader, error) {
	if cfg.Issuer == "" || deps.Clients == nil || deps.Keys == nil || deps.Ring == nil || deps.Tenants == nil || deps.Core == nil || deps.Clock == nil {
		return nil, errors.New("reader of requests: Issuer, Clients, Keys, Ring, Tenants, Core and Clock are required")
	}
	return &Reader{cfg.Issuer, cfg.ACR, deps.Clients, deps.Keys, deps.Ring, deps.Tenants, deps.Core, deps.Clock}, nil
}

// Client returns a registered client. Its errors are *problem.Error: the client is unknown, or the registry is
// unavailable.
func (r *Reader) Client(ctx context.Context, id string) (*clients.Client, error) {
	client, err := r.clients.Client(ctx, id)
	if errors.Is(err, clients.ErrUnknown) {
		return nil, problem.InvalidRequest("The client_id is missing or names no registered client.")
	}
	if err != nil {
		return nil, problem.Unavailable(err)
	}
	return client, nil
}
