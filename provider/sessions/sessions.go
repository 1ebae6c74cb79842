// Package sessions remembers, for clients that allow it, that a browser presented a Verified ID recently. A session serves
// sign-ins only: it recovers no account and issues no pass. It is one stored record with a public id (`sid`). The secret
// half of the browser's cookie opens it; only the secret's SHA-256 is stored, so a copy of the store opens no session.
package sessions

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"regain/storage"
)

// Lifetime is how long a session lasts. Use does not extend it, so a stolen cookie ends with the session.
const Lifetime = 8 * time.Hour

const kind = storage.Kind("session")

// ErrNone means that the session does not exist, has expired, or belongs to another browser.
var ErrNone = errors.New("no session")

// Session is the session of one browser.
type Session struct {
	storage.Kept `json:"-"`

	ID          string    `json:"id"`      // sid (OpenID Connect Back-Channel Logout 1.0 §2.1)
	Account     string    `json:"account"` // the directory's id of the account
	Profile     string    `json:"profile"`
	Transaction string    `json:"txn"` // the transaction in which the Verified ID was presented
	AuthTime    time.Time `json:"auth_time"`
	ACR         string    `json:"acr"`
	AMR         []string  `json:"amr"`
	// Subjects are the clients that got an ID token of this session and must be notified when it ends, each with the
	// sub of that token.
	Subjects map[string]string `json:"subjects"`
	Secret   []byte            `json:"secret"` // SHA-256 of the secret in the cookie
	version  int64
	expires  time.Time
}

// Sessions stores sessions.
type Sessions struct {
	store  storage.Store
	clock  func() time.Time
	random io.Reader
}

// New returns an error if a dependency is missing.
func New(store storage.Store, clock func() time.Time, random io.Reader) (*Sessions, error) {
	if store == nil || clock == nil || random == nil {
		return nil, errors.New("sessions: store, clock and randomness are required")
	}
	return &Sessions{store: store, clock: clock, random: random}, nil
}

// Begin creates a session with the claims in s, and returns it with the value of its cookie. Its id and secret are
// new, so a cookie that was planted before the sign-in cannot become this session (session fixation).
func (all *Sessions) Begin(ctx context.Context, s Session) (Session, string, error) {
	var raw [16 + 32]byte
	if _, err := io.ReadFull(all.random, raw[:]); err != nil {
		return s, "", fmt.Errorf("read randomness: %w", err)
	}
	sum := sha256.Sum256(raw[16:])
	s.ID, s.Secret = base64.RawURLEncoding.EncodeToString(raw[:16]), sum[:]
	s.version, s.expires = 1, all.clock().Add(Lifetime)
	record, err := s.record()
	if err != nil {
		return s, "", err
	}
	if err := all.store.Create(ctx, record); err != nil {
		return s, "", fmt.Errorf("store session: %w", err)
	}
	return s, s.ID + "." + base64.RawURLEncoding.EncodeToString(raw[16:]), nil
}

// Open returns the session of a cookie value, or ErrNone. It compares the secret in constant time.
func (all *Sessions) Open(ctx context.Context, cookie string) (Session, error) {
	id, text, ok := strings.Cut(cookie, ".")
	secret, err := base64.RawURLEncoding.DecodeString(text)
	if !ok || err != nil {
		return Session{}, ErrNone
	}
	s, err := all.Get(ctx, id)
	if err != nil {
		return Session{}, err
	}
	if sum := sha256.Sum256(secret); subtle.ConstantTimeCompare(sum[:], s.Secret) != 1 {
		return Session{}, ErrNone
	}
	return s, nil
}

// Get returns the session with this sid, or ErrNone. The sid is public: Get does not prove that the caller is the
// session's browser.
func (all *Sessions) Get(ctx context.Context, id string) (Session, error) {
	record, err := all.store.Get(ctx, kind, id)
	if errors.Is(err, storage.ErrNotFound) {
		return Session{}, ErrNone
	}
	if err != nil {
		return Session{}, fmt.Errorf("read session: %w", err)
	}
	return read(record)
}

// Join records that a client gets an ID token of the session, with this sub. On a concurrent change it reads the session
// again.
func (all *Sessions) Join(ctx context.Context, s Session, client, subject string) (Session, error) {
	const tries = 5
	for range tries {
		if s.Subjects[client] == subject {
			return s, nil
		}
		changed := s
		changed.Subjects = map[string]string{client: subject}
		for other, known := range s.Subjects {
			if other != client {
				changed.Subjects[other] = known
			}
		}
		record, err := changed.record()
		if err != nil {
			return s, err
		}
		err = all.store.Update(ctx, record)
		if err == nil {
			changed.version++
			return changed, nil
		}
		if !errors.Is(err, storage.ErrConflict) && !errors.Is(err, storage.ErrNotFound) {
			return s, fmt.Errorf("store session: %w", err)
		}
		if s, err = all.Get(ctx, s.ID); err != nil {
			return s, err
		}
	}
	return s, storage.ErrConflict
}

// End deletes and returns a session. One caller gets it, every other one ErrNone, so that each client is notified
// once.
func (all *Sessions) End(ctx context.Context, id string) (Session, error) {
	record, err := all.store.Consume(ctx, kind, id)
	if errors.Is(err, storage.ErrNotFound) {
		return Session{}, ErrNone
	}
	if err != nil {
		return Session{}, fmt.Errorf("end session: %w", err)
	}
	return read(record)
}

func (s Session) record() (storage.Record, error) {
	data, err := storage.Encode(s)
	if err != nil {
		return storage.Record{}, fmt.Errorf("encode session: %w", err)
	}
	return storage.Record{Kind: kind, ID: s.ID, Group: groupOf(s.Account), Version: s.version, Data: data, ExpiresAt: s.expires}, nil
}

func read(record storage.Record) (Session, error) {
	var s Session
	if err := storage.Decode(record.Data, &s); err != nil {
		return s, fmt.Errorf("decode session: %w", err)
	}
	s.version, s.expires = record.Version, record.ExpiresAt
	return s, nil
}
