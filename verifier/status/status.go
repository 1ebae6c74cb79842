// Package status finds out whether a credential is still valid, by Token Status Lists (JWT form): the credential names
// a list and its place in it, the list is a signed, compressed array of a few bits each.
//
// Lists are fetched through the hardened fetcher, once for however many ask at the same time, and believed for as long
// as their ttl says, within bounds of ours. A list that cannot be had is an error, never a yes: recovery fails closed.
package status

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"regain/internal/fetch"
	"regain/verifier/internal/jws"
)

// Status is a credential's entry in its list (Token Status List §7.1).
type Status uint8

// The two statuses that mean something to everybody. Everything but Valid is not valid.
const (
	Valid   Status = 0
	Invalid Status = 1
)

// ErrUnavailable means that the status could not be found out.
var ErrUnavailable = errors.New("status is not available")

// MediaType of a status list token, and its typ.
const (
	MediaType = "application/statuslist+jwt"
	tokenType = "statuslist+jwt"
)

const (
	maxInflated = 32 << 20 // a list of a hundred million credentials at two bits
	maxLists    = 256
	retryAfter  = 3 * time.Second // a failed list is not asked for again before
	clockAhead  = time.Minute
)

// Reference is where a credential's status is: `status.status_list`.
type Reference struct {
	URI   string
	Index int64
}

// ReferenceIn reads the reference of a credential's claims. It returns false when the credential has no status.
func ReferenceIn(claims map[string]any) (Reference, bool, error) {
	value, there := claims["status"]
	if !there {
		return Reference{}, false, nil
	}
	status, _ := value.(map[string]any)
	list, ok := status["status_list"].(map[string]any)
	if !ok {
		return Reference{}, true, errors.New("status has no status_list")
	}
	uri, _ := list["uri"].(string)
	number, _ := list["idx"].(json.Number)
	index, err := number.Int64()
	if uri == "" || err != nil || index < 0 {
		return Reference{}, true, errors.New("status_list has no uri, or its idx is not a whole number")
	}
	return Reference{URI: uri, Index: index}, true, nil
}

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
	shift := uint(index%perByte) * uint(e.bits)
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

// List is what a status list token says.
type List struct {
	subject string
	bits    int
	entries []byte
	issued  time.Time
	expires time.Time // zero: never
	ttl     time.Duration
}

// life is how long the list says that it may be kept (§8.3: sub, exp and ttl).
func (l List) life(uri string, now time.Time) (time.Duration, error) {
	switch {
	case l.subject != uri:
		return 0, errors.New("sub is not the list's URI")
	case l.issued.After(now.Add(clockAhead)):
		return 0, errors.New("iat is in the future")
	case !l.expires.IsZero() && !now.Before(l.expires):
		return 0, errors.New("list has expired")
	}
	return l.ttl, nil
}

// Parse reads a status list token. Its signature is not verified.
func Parse(compact string) (jws.JWS, List, error) {
	token, err := jws.ParseInsecure(compact, tokenType)
	if err != nil {
		return jws.JWS{}, List{}, err
	}
	list, err := readList(token.Payload)
	return token, list, err
}

func readList(payload map[string]any) (List, error) {
	var l List
	issued, err := jws.NumericDate(payload["iat"])
	if err != nil {
		return l, fmt.Errorf("iat: %w", err)
	}
	l.issued = time.Unix(issued, 0)
	if value, there := payload["exp"]; there {
		expires, err := jws.NumericDate(value)
		if err != nil {
			return l, fmt.Errorf("exp: %w", err)
		}
		l.expires = time.Unix(expires, 0)
	}
	if value, there := payload["ttl"]; there {
		seconds, err := jws.NumericDate(value)
		if err != nil || seconds == 0 {
			return l, fmt.Errorf("%w: ttl is not a positive number", jws.ErrMalformed)
		}
		const year = 365 * 24 * 3600
		l.ttl = time.Duration(min(seconds, year)) * time.Second
	}
	l.subject, _ = payload["sub"].(string)
	content, _ := payload["status_list"].(map[string]any)
	number, _ := content["bits"].(json.Number)
	switch number.String() {
	case "1", "2", "4", "8":
		l.bits = int(number.String()[0] - '0')
	default:
		return l, fmt.Errorf("%w: bits is not 1, 2, 4 or 8", jws.ErrMalformed)
	}
	text, _ := content["lst"].(string)
	l.entries, err = inflate(text)
	return l, err
}

// inflate decompresses the entries, up to a limit: a few bytes can be gigabytes.
func inflate(text string) ([]byte, error) {
	raw, err := jws.Decode(text)
	if err != nil {
		return nil, fmt.Errorf("lst: %w", err)
	}
	r, err := zlib.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%w: lst is not zlib", jws.ErrMalformed)
	}
	entries, err := io.ReadAll(io.LimitReader(r, maxInflated+1))
	if err != nil {
		return nil, fmt.Errorf("%w: lst does not decompress", jws.ErrMalformed)
	}
	if len(entries) > maxInflated {
		return nil, fmt.Errorf("%w: lst is larger than %d bytes", jws.ErrMalformed, maxInflated)
	}
	return entries, nil
}
