package status

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"regain/conformance/proofing/web"
)

// ErrUnknownCredential means that no credential with that name was issued here.
var ErrUnknownCredential = errors.New("no such credential")

// Config says what Lists need. All of it is required.
type Config struct {
	BaseURL string // the lists stand below it, at /status/
	// TTL is how long a list may be kept by who fetched it.
	TTL time.Duration
	// Sign signs a Status List Token: a JWT with this typ.
	Sign   func(mediaType string, claims any) (string, error)
	Clock  func() time.Time
	Random io.Reader
	Errors web.Errors
}

// Lists are the status lists of all credentials. They are safe for concurrent use.
type Lists struct {
	config Config

	mu      sync.Mutex
	lists   []*list
	entries map[string]Entry // by what names the credential in receipts
}

// New makes Lists without a credential in them.
func New(config Config) *Lists { return &Lists{config: config, entries: map[string]Entry{}} }

// Entry is where the status of one credential stands.
type Entry struct {
	URI   string
	Index int

	list *list
}

// Enroll finds a place in a status list for a new credential. One for a document that was reported lost gets an entry
// that has said so since the list began.
func (l *Lists) Enroll(reported bool) (Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.lists); n == 0 || l.lists[n-1].used >= listLength/2 || reported && len(l.lists[n-1].decoys) == 0 {
		next, err := newList(l.config.BaseURL+"/status/"+strconv.Itoa(n+1), l.config.Random)
		if err != nil {
			return Entry{}, err
		}
		l.lists = append(l.lists, next)
	}
	in := l.lists[len(l.lists)-1]
	if reported {
		last := len(in.decoys) - 1
		index := in.decoys[last]
		in.decoys = in.decoys[:last]
		return Entry{URI: in.uri, Index: index, list: in}, nil
	}
	index, err := in.draw(l.config.Random)
	if err != nil {
		return Entry{}, err
	}
	return Entry{URI: in.uri, Index: index, list: in}, nil
}

// Remember lets a credential's status be changed by what names the credential.
func (l *Lists) Remember(id string, at Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries[id] = at
}

// Revoke marks a credential as invalid for good.
func (l *Lists) Revoke(id string) error { return l.mark(id, statusInvalid) }

// Suspend marks a credential as not valid for now.
func (l *Lists) Suspend(id string) error { return l.mark(id, statusSuspended) }

// Restore makes a suspended or revoked credential valid again. Tests use it.
func (l *Lists) Restore(id string) error { return l.mark(id, statusValid) }

func (l *Lists) mark(id string, value byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, found := l.entries[id]
	if !found {
		return fmt.Errorf("setting the status of %q: %w", id, ErrUnknownCredential)
	}
	at.list.set(at.Index, value)
	return nil
}
