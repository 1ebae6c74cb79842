// Package clientauth authenticates clients at the back-channel endpoints: PAR, token, introspection, revocation. Each
// client has one authentication method, and a request must use it exactly once.
package clientauth

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/provider/clients"
	"regain/provider/mtls"
	"regain/provider/problem"
	"regain/provider/published"
	"regain/provider/remotekeys"
	"regain/storage"
)

// Authenticator authenticates clients.
type Authenticator struct {
	issuer    string
	endpoints published.Bases
	registry  clients.Registry
	store     storage.Store
	keys      *clients.KeySource
	source    *mtls.Source
	clock     func() time.Time
	notBefore time.Time
}

// Config holds the dependencies of an Authenticator; all are required.
type Config struct {
	Issuer    string // the audience of assertions, as are Endpoints for clients that may
	Endpoints published.Bases
	Registry  clients.Registry
	Keys      *clients.KeySource
	Source    *mtls.Source  // client certificates
	Store     storage.Store // used assertions
	Clock     func() time.Time
	// NotBefore is when the store was filled from a copy, which does not know the assertions that were used after it was made:
	// those that may have been made before are refused. The zero time is never.
	NotBefore time.Time
}

// New returns an error if a dependency is missing.
func New(cfg Config) (*Authenticator, error) {
	if cfg.Issuer == "" || cfg.Registry == nil || cfg.Keys == nil || cfg.Store == nil || cfg.Source == nil || cfg.Clock == nil {
		return nil, errors.New("client authentication: Issuer, Registry, Keys, Source, Store and Clock are required")
	}
	return &Authenticator{issuer: cfg.Issuer, endpoints: cfg.Endpoints, registry: cfg.Registry, keys: cfg.Keys, store: cfg.Store, source: cfg.Source, clock: cfg.Clock, notBefore: cfg.NotBefore}, nil
}

// Authenticate authenticates the client of a POST to a back-channel endpoint by the one method that is registered for
// it. form must hold each parameter once. Every error is a *problem.Error.
func (a *Authenticator) Authenticate(r *http.Request, form url.Values) (*clients.Client, error) {
	basicID, secret, basic := r.BasicAuth()
	methods := 0
	for _, used := range []bool{r.Header.Get("Authorization") != "", form.Has("client_secret"), form.Has("client_assertion")} {
		if used {
			methods++
		}
	}
	switch {
	case methods > 1 || len(r.Header.Values("Authorization")) > 1:
		return nil, problem.InvalidClient(errors.New("two client authentications at once")) // RFC 6749 §2.3
	case basic:
		id, err1 := url.QueryUnescape(basicID) // RFC 6749 §2.3.1: form-encoded inside Basic
		secret, err2 := url.QueryUnescape(secret)
		if err := errors.Join(err1, err2); err != nil {
			return nil, problem.InvalidClient(err)
		}
		return a.authenticateSecret(r, form, credentials{clients.ClientSecretBasic, id, secret})
	case form.Has("client_secret"):
		return a.authenticateSecret(r, form, credentials{clients.ClientSecretPost, form.Get("client_id"), form.Get("client_secret")})
	case form.Has("client_assertion"):
		return a.authenticateAssertion(r, form.Get("client_assertion"), form)
	}
	return a.authenticateTLS(r, form.Get("client_id"))
}

// authenticateTLS authenticates a client by its certificate (RFC 8705 §2): the request names the client, the TLS
// connection proves it.
func (a *Authenticator) authenticateTLS(r *http.Request, id string) (*clients.Client, error) {
	client, err := a.registry.Client(r.Context(), id)
	if err != nil && !errors.Is(err, clients.ErrUnknown) {
		return nil, problem.Unavailable(err)
	}
	if err != nil || !client.AuthMethod.TLS() {
		return nil, problem.InvalidClient(errors.New("no client authentication, and no such client with a certificate"))
	}
	chain, err := a.source.Certificate(r)
	switch {
	case err != nil:
	case client.AuthMethod == clients.TLSClientAuth:
		err = a.source.Authenticate(chain, client.TLSIdentity, a.clock())
	default:
		err = a.authenticateSelfSigned(r.Context(), client, chain)
	}
	if err != nil {
		return nil, refused(err)
	}
	return client, nil
}

// authenticateSelfSigned checks a self-signed certificate against the client's JWK Set (RFC 8705 §2.2).
func (a *Authenticator) authenticateSelfSigned(ctx context.Context, client *clients.Client, chain []*x509.Certificate) error {
	return a.keys.Try(ctx, client, "", func(keys []jose.JSONWebKey) error {
		return mtls.AuthenticateSelfSigned(chain, keys, a.clock())
	})
}

// refused returns invalid_client, or temporarily_unavailable if the client's keys could not be fetched: the client
// may then try again.
func refused(err error) error {
	if errors.Is(err, remotekeys.ErrUnavailable) {
		return problem.Unavailable(err)
	}
	return problem.InvalidClient(err)
}

// credentials are a client id and secret as sent in a request.
type credentials struct {
	method     clients.AuthMethod
	id, secret string
}

func (a *Authenticator) authenticateSecret(r *http.Request, form url.Values, c credentials) (*clients.Client, error) {
	client, err := a.registry.Client(r.Context(), c.id)
	switch {
	case errors.Is(err, clients.ErrUnknown):
		client = &clients.Client{AuthMethod: c.method} // same time as for a client that exists
	case err != nil:
		return nil, problem.Unavailable(err)
	}
	if !client.CheckSecret(c.secret) || client.ID == "" || client.AuthMethod != c.method {
		return nil, problem.InvalidClient(errors.New("wrong id, secret or method"))
	}
	return matched(client, form)
}

// matched returns the authenticated client, or an error if the client_id parameter names another.
func matched(client *clients.Client, form url.Values) (*clients.Client, error) {
	if id := form.Get("client_id"); id != "" && id != client.ID {
		return nil, problem.InvalidClient(errors.New("client_id is not the authenticated client"))
	}
	return client, nil
}
