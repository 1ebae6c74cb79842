// Package remotekeys fetches and caches JWK Sets that other parties publish: the jwks_uri of a registered client, the keys
// of an Entra tenant. A set is fetched when it is first needed and cached as long as its server allows, within bounds. It
// is fetched again when a signature names a key that the set lacks, or when none of its keys verifies the signature, but
// at most once in ten seconds, so that forged tokens cannot cause a flood of requests. Where that fails, the keys that are
// kept still count, and of any other nothing is known: that is ErrUnavailable, and no verdict about whoever signed.
package remotekeys

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/cache"
	"regain/internal/fetch"
	"regain/internal/publickey"
)

// Bounds of the cache.
const (
	minAge     = 10 * time.Second // also how long a failure is cached, and the least time between two fetches for an unknown kid
	maxAge     = 24 * time.Hour
	defaultAge = 5 * time.Minute // if the server does not set one
	maxSets    = 1024
	maxMemory  = 16 << 20 // bytes
)

// ErrUnavailable means that the keys cannot be fetched now.
var ErrUnavailable = errors.New("JWK set is not available")

// Fetcher fetches documents; *fetch.Fetcher in production.
type Fetcher interface {
	Get(ctx context.Context, address, accept string) (fetch.Response, error)
}

// Store fetches and caches JWK Sets. It is safe for concurrent use.
type Store struct {
	fetch Fetcher
	kept  *cache.Cache[jose.JSONWebKeySet]
}

// New returns an error if a dependency is missing.
func New(fetcher Fetcher, clock func() time.Time) (*Store, error) {
	if fetcher == nil || clock == nil {
		return nil, errors.New("remote keys: a fetcher and a clock are required")
	}
	kept, err := cache.New(cache.Config[jose.JSONWebKeySet]{Size: maxSets, MaxBytes: maxMemory, Bytes: bytesOf, RetryAfter: minAge, Clock: clock})
	if err != nil {
		return nil, fmt.Errorf("remote keys: %w", err)
	}
	return &Store{fetch: fetcher, kept: kept}, nil
}

// bytesOf estimates the memory of a set: a key of 8192 bits has a kilobyte, a parsed certificate several times its DER.
func bytesOf(set jose.JSONWebKeySet) (n int) {
	const key, parsed = 2 << 10, 4
	for _, k := range set.Keys {
		n += key
		for _, certificate := range k.Certificates {
			n += parsed * len(certificate.Raw)
		}
	}
	return n
}

// Keys returns the set at address. If kid is not empty and the cached set lacks it, the set is fetched again first.
// Every error is an ErrUnavailable.
func (s *Store) Keys(ctx context.Context, address, kid string) (jose.JSONWebKeySet, error) {
	return s.look(ctx, address, kid, s.at(address))
}

// Renew returns the set at address for a caller that the cached set did not suffice: it is fetched again unless that
// happened very recently. Every error is an ErrUnavailable.
func (s *Store) Renew(ctx context.Context, address string) (jose.JSONWebKeySet, error) {
	set, err := s.kept.Renew(ctx, address, s.at(address))
	if err != nil {
		return jose.JSONWebKeySet{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return set, nil
}

func (s *Store) at(address string) cache.Load[jose.JSONWebKeySet] {
	return func(ctx context.Context) (jose.JSONWebKeySet, time.Duration, error) { return s.get(ctx, address) }
}

// IssuerKeys returns the set of an issuer, found through its discovery document (OpenID Connect Discovery 1.0 §4).
// Discovery is repeated whenever the set is fetched.
func (s *Store) IssuerKeys(ctx context.Context, issuer, kid string) (jose.JSONWebKeySet, error) {
	return s.look(ctx, "issuer "+issuer, kid, func(ctx context.Context) (jose.JSONWebKeySet, time.Duration, error) {
		address, err := s.discover(ctx, issuer)
		if err != nil {
			return jose.JSONWebKeySet{}, 0, err
		}
		return s.get(ctx, address)
	})
}

func (s *Store) look(ctx context.Context, name, kid string, load cache.Load[jose.JSONWebKeySet]) (jose.JSONWebKeySet, error) {
	set, err := s.kept.Get(ctx, name, load)
	if err == nil && kid != "" && len(set.Key(kid)) == 0 {
		set, err = s.kept.Renew(ctx, name, load)
	}
	if err != nil {
		return jose.JSONWebKeySet{}, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return set, nil
}

// get fetches a set and returns its lifetime in the cache.
func (s *Store) get(ctx context.Context, address string) (set jose.JSONWebKeySet, age time.Duration, err error) {
	response, err := s.fetch.Get(ctx, address, "application/jwk-set+json, application/json")
	if err != nil {
		return set, 0, err
	}
	read, err := publickey.ParseSet(response.Body)
	if err != nil {
		return set, 0, err
	}
	age = response.MaxAge
	if age == 0 {
		age = defaultAge
	}
	return read.JSONWebKeySet, min(max(age, minAge), maxAge), nil
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
	if document.Issuer != issuer || document.JWKSURI == "" { // OpenID Connect Discovery 1.0 §4.3
		return "", errors.New("discovery: the document is another issuer's, or has no jwks_uri")
	}
	return document.JWKSURI, nil
}
