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
	retryAfter   = 3 * time.Second // a document that could not be had is not asked for again before
)

// Fetcher fetches documents; *fetch.Fetcher in production. It must not follow redirects: whoever finds an open one on a
// host would speak for that host.
type Fetcher interface {
	Get(ctx context.Context, address, accept string) (fetch.Response, error)
}

// Config are the bounds within which a server is believed about how long its document may be kept, and the parts. A key
// that was withdrawn is good for as long as its document is kept.
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

// New refuses missing parts.
func New(cfg Config) (*Resolver, error) {
	if cfg.Fetch == nil || cfg.Clock == nil || cfg.MinTTL < 0 || cfg.MaxTTL < cfg.MinTTL || cfg.MaxTTL <= 0 {
		return nil, errors.New("DID resolver: Fetch, Clock and 0 ≤ MinTTL ≤ MaxTTL are required")
	}
	documents, err := cache.New[*Document](cache.Config{Size: maxDocuments, RetryAfter: retryAfter, Clock: cfg.Clock})
	if err != nil {
		return nil, fmt.Errorf("DID resolver: %w", err)
	}
	return &Resolver{cfg: cfg, documents: documents}, nil
}

// Resolve returns the document of a DID. For did:web that is a request to a host that the DID's author chose; for the
// other methods nothing leaves this machine. Its errors are ErrMalformed, ErrUnsupported and ErrUnresolvable.
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
