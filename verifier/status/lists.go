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
	maxMemory  = 64 << 20        // bytes: ten of the largest lists, or all 256 of a million credentials at two bits
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
	text    string // compressed, as in the token
	bits    int
	entries entries // nil until the signature has verified for the first time
}

// bytes estimates the memory of a list.
func (l list) bytes() int { return l.token.Bytes() + len(l.text) + len(l.entries)*chunkSize }

// New returns an error when a dependency is missing or the TTL bounds are invalid.
func New(cfg Config) (*Lists, error) {
	if cfg.Fetch == nil || cfg.Clock == nil || cfg.MinTTL < 0 || cfg.MaxTTL < cfg.MinTTL || cfg.MaxTTL <= 0 {
		return nil, errors.New("status lists: Fetch, Clock and 0 ≤ MinTTL ≤ MaxTTL are required")
	}
	cached, err := cache.New(cache.Config[list]{Size: maxLists, MaxBytes: maxMemory, Bytes: list.bytes, RetryAfter: retryAfter, Clock: cfg.Clock})
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
	if fetched.entries == nil {
		if fetched, err = l.inflated(r.URI, fetched); err != nil {
			return Invalid, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	return fetched.at(r.Index)
}

// inflated decompresses a list whose signature has verified, once: what a host serves that is not the issuer's must not
// take more memory than it sends.
func (l *Lists) inflated(uri string, fetched list) (list, error) {
	var err error
	if fetched.entries, err = inflate(fetched.text); err != nil {
		l.cached.Shorten(uri) // its issuer will want to mend it before it expires
		return list{}, err
	}
	l.cached.Change(uri, func(kept list) list {
		if kept.text == fetched.text && kept.bits == fetched.bits { // else it was renewed meanwhile
			kept.entries = fetched.entries
		}
		return kept
	})
	return fetched, nil
}

// at returns one entry. The first entry is in the least significant bits of the first byte (Token Status List §4.1).
func (l list) at(index int64) (Status, error) {
	perByte := int64(8 / l.bits)
	octet, ok := l.entries.at(index / perByte)
	if !ok {
		return Invalid, fmt.Errorf("%w: idx is beyond the end of the list", ErrUnavailable)
	}
	shift := int(index%perByte) * l.bits
	return Status(octet >> shift & (1<<l.bits - 1)), nil
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
	token.Payload = nil // it holds the list once more; the signature is over the text
	return list{token: token, bits: said.bits, text: said.entries}, life, nil
}
