package status

import (
	"context"
	"errors"
	"fmt"
	"time"

	"regain/internal/cache"
	"regain/internal/fetch"
	"regain/verifier/internal/jws"
)

const (
	maxLists   = 256
	retryAfter = 3 * time.Second // no retry sooner after a failed fetch
)

// Fetcher fetches status lists. In production it is a *fetch.Fetcher.
type Fetcher interface {
	Get(ctx context.Context, address, accept string) (fetch.Response, error)
}

// Trusted verifies a list's signature. The list's certificates must chain to an anchor for the type of the credential.
type Trusted func(token jws.JWS) error

// Config has the bounds to which a list's ttl is clamped (Token Status List §11.5), and the dependencies.
type Config struct {
	MinTTL, MaxTTL time.Duration
	Fetch          Fetcher
	Clock          func() time.Time
}

// Lists fetches and caches status lists. It is safe for concurrent use.
type Lists struct {
	cfg    Config
	cached *cache.Cache[list]
}

// list is a fetched status list. Its signature is verified per credential, since the trusted signers depend on the
// type.
type list struct {
	token   jws.JWS
	bits    int
	entries []byte
}

// New returns an error when a dependency is missing or the TTL bounds are invalid.
func New(cfg Config) (*Lists, error) {
	if cfg.Fetch == nil || cfg.Clock == nil || cfg.MinTTL < 0 || cfg.MaxTTL < cfg.MinTTL || cfg.MaxTTL <= 0 {
		return nil, errors.New("status lists: Fetch, Clock and 0 ≤ MinTTL ≤ MaxTTL are required")
	}
	cached, err := cache.New[list](cache.Config{Size: maxLists, RetryAfter: retryAfter, Clock: cfg.Clock})
	if err != nil {
		return nil, fmt.Errorf("status lists: %w", err)
	}
	return &Lists{cfg: cfg, cached: cached}, nil
}

// Look returns a credential's status. Every error is an ErrUnavailable. It calls trusted each time, also for a cached
// list, since credentials of different types may name the same list.
func (l *Lists) Look(ctx context.Context, r Reference, trusted Trusted) (Status, error) {
	fetched, err := l.cached.Get(ctx, r.URI, func(ctx context.Context) (list, time.Duration, error) { return l.fetch(ctx, r.URI) })
	if err != nil {
		return Invalid, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if err := trusted(fetched.token); err != nil {
		l.cached.Shorten(r.URI) // its ttl is not authenticated, so it must not keep a forged list in the cache
		return Invalid, fmt.Errorf("%w: list: %w", ErrUnavailable, err)
	}
	return fetched.at(r.Index)
}

// at returns one entry. The first entry is in the least significant bits of the first byte (Token Status List §4.1).
func (l list) at(index int64) (Status, error) {
	perByte := int64(8 / l.bits)
	if index/perByte >= int64(len(l.entries)) {
		return Invalid, fmt.Errorf("%w: idx is beyond the end of the list", ErrUnavailable)
	}
	shift := int(index%perByte) * l.bits
	return Status(l.entries[index/perByte] >> shift & (1<<l.bits - 1)), nil
}

func (l *Lists) fetch(ctx context.Context, uri string) (list, time.Duration, error) {
	now := l.cfg.Clock()
	response, err := l.cfg.Fetch.Get(ctx, uri, MediaType)
	if err != nil {
		return list{}, 0, err
	}
	if response.MediaType != MediaType {
		return list{}, 0, errors.New("the media type is not that of a status list")
	}
	token, said, err := Parse(string(response.Body))
	if err != nil {
		return list{}, 0, err
	}
	life, err := said.life(uri, now)
	if err != nil {
		return list{}, 0, err
	}
	life = min(max(life, l.cfg.MinTTL), l.cfg.MaxTTL)
	if !said.expires.IsZero() {
		life = min(life, said.expires.Sub(now)) // MinTTL must not extend it: an expired list is invalid (Token Status List §8.3)
	}
	return list{token: token, bits: said.bits, entries: said.entries}, life, nil
}
