package did

import (
	"context"
	"errors"
	"fmt"
	"time"

	"regain/internal/cache"
	"regain/internal/fetch"
)

const (
	maxDocuments = 256
	maxMemory    = 8 << 20         // bytes
	retryAfter   = 3 * time.Second // no retry sooner after a failed fetch
)

// Fetcher fetches DID documents. In production it is a *fetch.Fetcher. It must not follow redirects: an attacker who
// finds an open redirector on a host could otherwise publish a DID document for that host.
type Fetcher interface {
	Get(ctx context.Context, address, accept string) (fetch.Response, error)
}

// Config has the bounds of how long a document may be cached, whatever its server says, and the dependencies. A key
// that its DID has withdrawn is accepted until the cached document expires.
type Config struct {
	MinTTL, MaxTTL time.Duration
	Fetch          Fetcher
	Clock          func() time.Time
}

// Resolver resolves DIDs. It is safe for concurrent use.
type Resolver struct {
	cfg       Config
	documents *cache.Cache[*Document]
}

// New returns an error when a dependency is missing or the TTL bounds are invalid.
func New(cfg Config) (*Resolver, error) {
	if cfg.Fetch == nil || cfg.Clock == nil || cfg.MinTTL < 0 || cfg.MaxTTL < cfg.MinTTL || cfg.MaxTTL <= 0 {
		return nil, errors.New("DID resolver: Fetch, Clock and 0 ≤ MinTTL ≤ MaxTTL are required")
	}
	documents, err := cache.New(cache.Config[*Document]{Size: maxDocuments, MaxBytes: maxMemory, Bytes: (*Document).bytes, RetryAfter: retryAfter, Clock: cfg.Clock})
	if err != nil {
		return nil, fmt.Errorf("DID resolver: %w", err)
	}
	return &Resolver{cfg: cfg, documents: documents}, nil
}

// Resolve returns the document of a DID. For did:web it sends a request to a host that the author of the DID chose; the
// other methods need no network. Its errors are ErrMalformed, ErrUnsupported and ErrUnresolvable.
func (r *Resolver) Resolve(ctx context.Context, id DID) (*Document, error) {
	switch id.method {
	case "jwk":
		return resolveJWK(id)
	case "ion":
		return resolveION(id)
	case "web":
		return r.web(ctx, id)
	}
	return nil, fmt.Errorf("%w: its method is not jwk, ion or web", ErrUnsupported)
}
