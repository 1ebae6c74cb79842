package presentation

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"regain/presentation/dcql"
)

// MaxLifetime bounds a request's life: long enough for a Face Check, short enough that a stolen QR
// code is soon worthless.
const MaxLifetime = 15 * time.Minute

const secretSize = 32 // bytes of nonce and state; §5.2 and §5.3 want 16 at least

// Request is one presentation request. It is stored, encrypted, with its transaction, and so
// marshals to JSON with its secrets; logs see nothing of it.
type Request struct {
	Nonce       string        `json:"nonce"` // what the wallet's proof of possession signs
	State       string        `json:"state"` // what comes back inside the encrypted answer
	ResponseURI string        `json:"response_uri"`
	Query       dcql.Query    `json:"query"`
	Key         EncryptionKey `json:"key"`
	IssuedAt    time.Time     `json:"issued_at"` // whole seconds, UTC
	ExpiresAt   time.Time     `json:"expires_at"`
}

// RequestParams say what to ask, where to send the answer, and for how long the request lives.
type RequestParams struct {
	ResponseURI string // https, or http on this machine; no fragment
	Query       dcql.Query
	Lifetime    time.Duration // at least a second, at most MaxLifetime
}

// NewRequest makes a request with a fresh nonce, state and encryption key. random is the source of
// nonce, state and key id.
func NewRequest(p RequestParams, random io.Reader, now time.Time) (Request, error) {
	if err := checkURI(p.ResponseURI); err != nil {
		return Request{}, fmt.Errorf("making a presentation request: response_uri: %w", err)
	}
	if err := p.Query.Validate(); err != nil {
		return Request{}, fmt.Errorf("making a presentation request: %w", err)
	}
	if p.Lifetime < time.Second || p.Lifetime > MaxLifetime {
		return Request{}, fmt.Errorf("making a presentation request: a lifetime of %s is not between 1s and %s", p.Lifetime, MaxLifetime)
	}
	if random == nil {
		return Request{}, errors.New("making a presentation request: no source of randomness")
	}
	nonce, errNonce := randomText(random, secretSize)
	state, errState := randomText(random, secretSize)
	key, errKey := newEncryptionKey(random)
	if err := errors.Join(errNonce, errState, errKey); err != nil {
		return Request{}, fmt.Errorf("making a presentation request: %w", err)
	}
	// Whole seconds, because that is what iat and exp can say.
	issued := now.UTC().Truncate(time.Second)
	return Request{
		Nonce: nonce, State: state, ResponseURI: p.ResponseURI, Query: p.Query, Key: key,
		IssuedAt: issued, ExpiresAt: issued.Add(p.Lifetime),
	}, nil
}

// Expired reports whether the request is over at now. The zero Request is always over.
func (r Request) Expired(now time.Time) bool { return !now.Before(r.ExpiresAt) }

// usable refuses a request that is over or was never made: a zero one would agree with an empty
// state and an empty kid. Its own texts are base64url, so they need no escaping in JSON.
func (r Request) usable(now time.Time) error {
	for _, own := range []string{r.Nonce, r.State, r.Key.ID} {
		if own == "" || strings.ContainsFunc(own, func(c rune) bool { return c != '-' && c != '_' && !isAlphanumeric(c) }) {
			return errors.New("the presentation request was not made by NewRequest")
		}
	}
	if len(r.Key.private) != scalarSize || len(r.Key.point) != pointSize {
		return errors.New("the presentation request has no encryption key")
	}
	if r.Expired(now) {
		return ErrExpired
	}
	return nil
}

// Format keeps the request out of every fmt verb.
func (Request) Format(f fmt.State, _ rune) { redact(f, "Request") }

// LogValue shows slog when the request ends and nothing else.
func (r Request) LogValue() slog.Value {
	return slog.GroupValue(slog.String("request", redacted), slog.Time("expires_at", r.ExpiresAt))
}
