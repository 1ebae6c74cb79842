package status

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"regain/internal/fetch"
	"regain/verifier/internal/jws"
)

const (
	maxLists   = 256
	retryAfter = 3 * time.Second // a failed list is not asked for again before
)

// Fetcher fetches lists; *fetch.Fetcher in production.
type Fetcher interface {
	Get(ctx context.Context, address, accept string) (fetch.Response, error)
}

// Trusted verifies a list's signature: its certificates must lead to an anchor of the credential's own type.
type Trusted func(token jws.JWS) error

// Config are the bounds within which a list's ttl is believed, and the parts.
type Config struct {
	MinTTL, MaxTTL time.Duration
	Fetch          Fetcher
	Clock          func() time.Time
}

// Lists fetches and keeps lists. It is safe for concurrent use.
type Lists struct {
	cfg    Config
	flight singleflight.Group

	mu   sync.Mutex
	kept map[string]entry
}

// entry is a list, or the reason why there is none.
type entry struct {
	token jws.JWS
	bits  int
	list  []byte
	until time.Time
	err   error
}

// New refuses missing parts.
func New(cfg Config) (*Lists, error) {
	if cfg.Fetch == nil || cfg.Clock == nil || cfg.MinTTL < 0 || cfg.MaxTTL < cfg.MinTTL || cfg.MaxTTL <= 0 {
		return nil, errors.New("status lists: Fetch, Clock and 0 ≤ MinTTL ≤ MaxTTL are required")
	}
	return &Lists{cfg: cfg, kept: make(map[string]entry)}, nil
}

// Look returns a credential's status. Every failure is an ErrUnavailable. trusted is asked each time, since credentials
// of different types may name the same list.
func (l *Lists) Look(ctx context.Context, r Reference, trusted Trusted) (Status, error) {
	e, ok := l.cached(r.URI)
	if !ok {
		e = l.load(ctx, r.URI)
	}
	if e.err != nil {
		return Invalid, fmt.Errorf("%w: %w", ErrUnavailable, e.err)
	}
	if err := trusted(e.token); err != nil {
		l.distrust(r.URI)
		return Invalid, fmt.Errorf("%w: list: %w", ErrUnavailable, err)
	}
	return e.at(r.Index)
}

// at reads one entry: the first in the lowest bits of the first byte (§4.1).
func (e entry) at(index int64) (Status, error) {
	perByte := int64(8 / e.bits)
	if index/perByte >= int64(len(e.list)) {
		return Invalid, fmt.Errorf("%w: idx is beyond the end of the list", ErrUnavailable)
	}
	shift := int(index%perByte) * e.bits
	return Status(e.list[index/perByte] >> shift & (1<<e.bits - 1)), nil
}

func (l *Lists) cached(uri string) (entry, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.kept[uri]
	return e, ok && l.cfg.Clock().Before(e.until)
}

// distrust lets a list that somebody did not believe be asked for again soon. Its ttl is no reason to wait: it was
// read before the signature was.
func (l *Lists) distrust(uri string) {
	soon := l.cfg.Clock().Add(retryAfter)
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.kept[uri]; ok && e.until.After(soon) {
		e.until = soon
		l.kept[uri] = e
	}
}

// load fetches a list once for all who wait for it. The fetch does not end because the first who asked went away, and
// whoever goes away does not wait for it.
func (l *Lists) load(ctx context.Context, uri string) entry {
	flight := l.flight.DoChan(uri, func() (any, error) {
		if e, ok := l.cached(uri); ok {
			return e, nil
		}
		e := l.fetch(context.WithoutCancel(ctx), uri)
		l.keep(uri, e)
		return e, nil
	})
	select {
	case result := <-flight:
		return result.Val.(entry) //nolint:forcetypeassert // what the function above returns
	case <-ctx.Done():
		return entry{err: ctx.Err()}
	}
}

func (l *Lists) keep(uri string, e entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.kept) >= maxLists {
		now := l.cfg.Clock()
		for u, old := range l.kept {
			if !now.Before(old.until) {
				delete(l.kept, u)
			}
		}
		if len(l.kept) >= maxLists {
			clear(l.kept)
		}
	}
	l.kept[uri] = e
}

func (l *Lists) fetch(ctx context.Context, uri string) entry {
	now := l.cfg.Clock()
	failed := func(err error) entry { return entry{err: err, until: l.cfg.Clock().Add(retryAfter)} } // from when it failed
	response, err := l.cfg.Fetch.Get(ctx, uri, MediaType)
	if err != nil {
		return failed(err)
	}
	if response.MediaType != MediaType {
		return failed(errors.New("served with another media type"))
	}
	token, list, err := Parse(string(response.Body))
	if err != nil {
		return failed(err)
	}
	life, err := list.life(uri, now)
	if err != nil {
		return failed(err)
	}
	life = min(max(life, l.cfg.MinTTL), l.cfg.MaxTTL)
	if !list.expires.IsZero() {
		life = min(life, list.expires.Sub(now)) // exp is no hint: after it the list means nothing
	}
	return entry{token: token, bits: list.bits, list: list.entries, until: now.Add(life)}
}
