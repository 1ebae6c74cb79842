// Package remotekeys keeps the JWK Sets that others publish: the jwks_uri of a registered client, the keys of a tenant.
// A set is fetched when it is first needed, kept as long as its server lets it be, within bounds, and fetched again
// when a signature names a key that it does not have, though not more often than every few seconds, whoever asks.
package remotekeys

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"

	"regain/internal/fetch"
	"regain/internal/publickey"
)

// The bounds.
const (
	minAge     = 10 * time.Second // also how long a failure stands, and how long an unknown kid is not asked for again
	maxAge     = 24 * time.Hour
	defaultAge = 5 * time.Minute // when the server does not say
	maxSets    = 1024
)

// ErrUnavailable means that the keys cannot be had now.
var ErrUnavailable = errors.New("JWK set is not available")

// Fetcher fetches documents; *fetch.Fetcher in production.
type Fetcher interface {
	Get(ctx context.Context, address, accept string) (fetch.Response, error)
}

// Store keeps sets. It is safe for concurrent use.
type Store struct {
	fetch  Fetcher
	clock  func() time.Time
	flight singleflight.Group

	mu   sync.Mutex
	kept map[string]entry
}

type entry struct {
	set     jose.JSONWebKeySet
	err     error
	fetched time.Time
	until   time.Time
}

// New refuses missing parts.
func New(fetcher Fetcher, clock func() time.Time) (*Store, error) {
	if fetcher == nil || clock == nil {
		return nil, errors.New("remote keys: a fetcher and a clock are required")
	}
	return &Store{fetch: fetcher, clock: clock, kept: make(map[string]entry)}, nil
}

// Keys returns the set at address. If kid is not empty and the kept set lacks it, the set is fetched again first.
// Every error is an ErrUnavailable.
func (s *Store) Keys(ctx context.Context, address, kid string) (jose.JSONWebKeySet, error) {
	return s.look(ctx, address, kid, s.get)
}

// IssuerKeys returns the set of an issuer, found by its discovery document (OpenID Connect Discovery 1.0 §4). Discovery
// is repeated as often as the set is fetched.
func (s *Store) IssuerKeys(ctx context.Context, issuer, kid string) (jose.JSONWebKeySet, error) {
	return s.look(ctx, "issuer "+issuer, kid, func(ctx context.Context, _ string) (jose.JSONWebKeySet, time.Duration, error) {
		address, err := s.discover(ctx, issuer)
		if err != nil {
			return jose.JSONWebKeySet{}, 0, err
		}
		return s.get(ctx, address)
	})
}

// getter fetches a set, and says how long it is good: 0 for what the server did not say.
type getter func(ctx context.Context, address string) (jose.JSONWebKeySet, time.Duration, error)

func (s *Store) look(ctx context.Context, address, kid string, get getter) (jose.JSONWebKeySet, error) {
	now := s.clock()
	s.mu.Lock()
	e, there := s.kept[address]
	s.mu.Unlock()
	recent := there && now.Before(e.fetched.Add(minAge))
	known := kid == "" || len(e.set.Key(kid)) > 0
	if !there || !recent && (!now.Before(e.until) || !known) {
		e = s.load(ctx, address, get)
	}
	if e.err != nil {
		return jose.JSONWebKeySet{}, fmt.Errorf("%w: %w", ErrUnavailable, e.err)
	}
	return e.set, nil
}

// load fetches once for all who wait. A caller that gives up cancels nobody else's fetch: the fetcher has its own limit.
func (s *Store) load(ctx context.Context, address string, get getter) entry {
	loaded, _, _ := s.flight.Do(address, func() (any, error) {
		now := s.clock()
		e := entry{fetched: now, until: now.Add(minAge)}
		var age time.Duration
		if e.set, age, e.err = get(context.WithoutCancel(ctx), address); e.err == nil {
			e.until = now.Add(min(max(age, minAge), maxAge))
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		// A set that is still good outlives a fetch that was only made for a kid which nobody knows.
		if old, there := s.kept[address]; there && e.err != nil && old.err == nil && now.Before(old.until) {
			e = entry{set: old.set, fetched: now, until: old.until}
		}
		if len(s.kept) >= maxSets {
			clear(s.kept) // rare, and the sets come back as they are needed
		}
		s.kept[address] = e
		return e, nil
	})
	e, _ := loaded.(entry)
	return e
}

func (s *Store) get(ctx context.Context, address string) (set jose.JSONWebKeySet, age time.Duration, err error) {
	response, err := s.fetch.Get(ctx, address, "application/jwk-set+json, application/json")
	if err != nil {
		return set, 0, err
	}
	read, err := publickey.ParseSet(response.Body)
	if err != nil {
		return set, 0, err
	}
	if response.MaxAge == 0 {
		return read.JSONWebKeySet, defaultAge, nil
	}
	return read.JSONWebKeySet, response.MaxAge, nil
}

func (s *Store) discover(ctx context.Context, issuer string) (string, error) {
	response, err := s.fetch.Get(ctx, issuer+"/.well-known/openid-configuration", "application/json")
	if err != nil {
		return "", fmt.Errorf("discovery: %w", err)
	}
	var document struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(response.Body, &document); err != nil {
		return "", fmt.Errorf("discovery: %w", err)
	}
	if document.Issuer != issuer || document.JWKSURI == "" { // §4.3
		return "", errors.New("discovery: the document is another issuer's, or has no jwks_uri")
	}
	return document.JWKSURI, nil
}
