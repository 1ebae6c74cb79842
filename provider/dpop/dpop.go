// Package dpop checks DPoP proofs (RFC 9449), by which the sender of a request proves possession of the private key that
// an access token is bound to. A proof is a JWT made for one request, with the public key in its header; it is accepted
// once.
//
// The order of the checks matters: a proof's jti is recorded only after all other checks passed, together with the proof's
// key, so that an attacker cannot use up another client's jti.
package dpop

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"regain/internal/clock"
	"regain/storage"
)

// Header is the request header with a proof, NonceHeader the response header with a nonce.
const (
	Header      = "DPoP"
	NonceHeader = "DPoP-Nonce"
)

const (
	kindProof = storage.Kind("dpop")

	// window is how far iat may differ from now in either direction: clocks differ, and a proof is made for one
	// request.
	window = time.Duration(clock.Proofs)
)

var (
	// ErrInvalid means invalid_dpop_proof (RFC 9449 §5, §7.1).
	ErrInvalid = errors.New("DPoP proof is invalid")
	// ErrNonce means use_dpop_nonce (RFC 9449 §8): the proof lacks a current nonce of this server.
	ErrNonce = errors.New("DPoP proof needs the server's nonce")
)

// Config holds the dependencies of a Checker; all but Others and NotBefore are required.
type Config struct {
	Store storage.Store // used proofs
	Clock func() time.Time
	Key   []byte // 32 bytes, the same on every node: HMAC key of the nonces
	// Others are keys whose nonces are accepted beside those of Key: while keys rotate, of nodes that use another one.
	Others [][]byte
	// NotBefore is when the store was filled from a copy, which does not know the proofs that were used after it was made:
	// those that may have been made before are refused. The zero time is never.
	NotBefore time.Time
}

// Checker checks proofs.
type Checker struct {
	store     storage.Store
	clock     func() time.Time
	nonces    nonces
	notBefore time.Time
}

// New returns an error if a dependency is missing.
func New(cfg Config) (*Checker, error) {
	if cfg.Store == nil || cfg.Clock == nil || len(cfg.Key) != sha256.Size {
		return nil, errors.New("dpop: Store, Clock and a Key of 32 bytes are required")
	}
	for _, key := range cfg.Others {
		if len(key) != sha256.Size {
			return nil, errors.New("dpop: every Key has 32 bytes")
		}
	}
	all := nonces{append([][]byte{cfg.Key}, cfg.Others...)}
	return &Checker{store: cfg.Store, clock: cfg.Clock, nonces: all, notBefore: cfg.NotBefore}, nil
}

// Expect holds what a proof is checked against.
type Expect struct {
	Method      string
	URLs        []string // published URLs of the endpoint, one of which htu must be; see published.Bases.Called
	AccessToken string   // the presented access token, if any: ath must be its hash
	Thumbprint  string   // thumbprint of the required key; "" for any
	Nonce       bool     // whether the proof must contain a nonce of this server
}

// Present reports whether a request has a proof, valid or not.
func Present(header http.Header) bool { return len(header.Values(Header)) > 0 }

// Nonce returns a nonce for the DPoP-Nonce header, valid for some minutes on every node.
func (c *Checker) Nonce() string { return c.nonces.at(c.clock()) }

// Check verifies the request's proof, consumes its jti, and returns the thumbprint of its key (RFC 7638, SHA-256,
// base64url). Its errors are ErrInvalid, ErrNonce, or an outage of the store.
func (c *Checker) Check(ctx context.Context, header http.Header, e Expect) (string, error) {
	proofs := header.Values(Header)
	if len(proofs) != 1 {
		return "", fmt.Errorf("%w: there must be one proof, not %d", ErrInvalid, len(proofs))
	}
	p, err := parse(proofs[0])
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	now := c.clock()
	if err := p.check(e, now); err != nil {
		return "", fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if !c.notBefore.IsZero() && !clock.Proofs.InFuture(p.issuedAt, c.notBefore) { // whose clock may be ahead
		return "", fmt.Errorf("%w: it may have been used before the store was filled from a copy at %s", ErrInvalid, c.notBefore.UTC().Format(time.RFC3339))
	}
	if p.Nonce != "" || e.Nonce {
		if !c.nonces.good(p.Nonce, now) {
			return "", ErrNonce
		}
	}
	err = c.store.Create(ctx, storage.Record{Kind: kindProof, ID: storage.Digest(p.thumbprint + "\x00" + p.ID), ExpiresAt: p.issuedAt.Add(2 * window)})
	if errors.Is(err, storage.ErrExists) {
		return "", fmt.Errorf("%w: jti was used before", ErrInvalid)
	}
	if err != nil {
		return "", fmt.Errorf("record DPoP proof: %w", err)
	}
	return p.thumbprint, nil
}

// check compares a parsed proof, whose signature is valid, with the request (RFC 9449 §4.3).
func (p proof) check(e Expect, now time.Time) error {
	switch {
	case p.Method != e.Method:
		return errors.New("htm is another method")
	case !slices.ContainsFunc(e.URLs, func(address string) bool { return sameURL(p.URL, address) }):
		return fmt.Errorf("htu is not %s", strings.Join(e.URLs, " or "))
	case p.issuedAt.Before(now.Add(-window)) || clock.Proofs.InFuture(p.issuedAt, now):
		return fmt.Errorf("iat is more than %s away", window)
	case p.Expiry != nil && clock.Over(p.Expiry.Time(), now):
		return errors.New("exp is past")
	case clock.Proofs.InFuture(p.NotBefore.Time(), now): // a date that is absent is long ago
		return errors.New("nbf is in the future")
	case e.AccessToken != "" && !equal(p.TokenHash, hash(e.AccessToken)):
		return errors.New("ath is not the access token's")
	case e.Thumbprint != "" && !equal(p.thumbprint, e.Thumbprint):
		return errors.New("another key is bound")
	}
	return nil
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
