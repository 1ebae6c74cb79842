// Package localpass issues Temporary Access Passes and verifies them, for main IdPs that have no such passes of their
// own. It stores a keyed hash (HMAC-SHA-256) of each pass, never the pass.
//
// An account has one pass at a time: issuing a new one voids the previous one. Verify checks and consumes a pass in one
// atomic step, so that of any number of concurrent callers with a one-time pass exactly one succeeds. Five wrong guesses
// void a pass, which makes guessing hopeless: a pass has 40 bits of entropy at least.
package localpass

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"regain/recovery"
)

// Name identifies this issuer in recovery tokens.
const Name = "local"

// maxWrong is the number of wrong guesses that voids a pass.
const maxWrong = 5

// Entry is the stored record of a pass. It does not contain the pass's value.
type Entry struct {
	Key       string // the account's digest
	Version   int64
	Data      []byte
	ExpiresAt time.Time
}

// Store stores one entry for each key. Its errors are recovery.ErrNotFound, ErrExists and ErrConflict.
type Store interface {
	Put(ctx context.Context, e Entry) error // replaces an existing entry
	Get(ctx context.Context, key string) (Entry, error)
	Update(ctx context.Context, e Entry) error // compare-and-swap on Version
	Take(ctx context.Context, key string) (Entry, error)
}

// Config holds the dependencies; all are required.
type Config struct {
	Key    []byte // 32 bytes, keys the hash of passes
	Store  Store
	Clock  func() time.Time
	Random io.Reader
}

// Issuer implements recovery.PassIssuer.
type Issuer struct{ cfg Config }

// New returns an error if a dependency is missing.
func New(cfg Config) (*Issuer, error) {
	if len(cfg.Key) != sha256.Size || cfg.Store == nil || cfg.Clock == nil || cfg.Random == nil {
		return nil, errors.New("local pass issuer: a key of 32 bytes, Store, Clock and Random are required")
	}
	return &Issuer{cfg: cfg}, nil
}

// kept is the content of Entry.Data.
type kept struct {
	ID          string                 `json:"id"`
	Hash        []byte                 `json:"hash"`
	Transaction recovery.TransactionID `json:"txn"`
	Client      recovery.ClientID      `json:"client"`
	StartsAt    time.Time              `json:"starts_at"`
	ExpiresAt   time.Time              `json:"expires_at"`
	UsableOnce  bool                   `json:"usable_once"`
	Wrong       int                    `json:"wrong,omitempty"`
}

func (i *Issuer) Issue(ctx context.Context, order recovery.PassOrder) (recovery.Pass, error) {
	value, err := recovery.GeneratePass(i.cfg.Random, order.Policy.Length)
	if err != nil {
		return recovery.Pass{}, err
	}
	var id [16]byte
	if _, err := io.ReadFull(i.cfg.Random, id[:]); err != nil {
		return recovery.Pass{}, fmt.Errorf("name the pass: %w", err)
	}
	pass := recovery.Pass{
		ID: base64.RawURLEncoding.EncodeToString(id[:]), Value: value, Issuer: Name, UsableOnce: order.Policy.UsableOnce,
		StartsAt: order.Now, ExpiresAt: order.Now.Add(order.Policy.Lifetime),
	}
	key := i.key(order.Account.ID)
	data, err := json.Marshal(kept{
		ID: pass.ID, Hash: i.hash(key, value.Reveal()), Transaction: order.Transaction, Client: order.Client,
		StartsAt: pass.StartsAt, ExpiresAt: pass.ExpiresAt, UsableOnce: pass.UsableOnce,
	})
	if err != nil {
		return recovery.Pass{}, fmt.Errorf("encode pass record: %w", err)
	}
	if err := i.cfg.Store.Put(ctx, Entry{Key: key, Data: data, ExpiresAt: pass.ExpiresAt}); err != nil {
		return recovery.Pass{}, fmt.Errorf("keep the pass: %w", err)
	}
	return pass, nil
}

// Revoke implements recovery.PassIssuer. Revoking a pass that no longer exists succeeds.
func (i *Issuer) Revoke(ctx context.Context, account recovery.AccountID, passID string) error {
	key := i.key(account)
	_, k, err := i.read(ctx, key)
	if errors.Is(err, recovery.ErrNotFound) || err == nil && k.ID != passID {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := i.cfg.Store.Take(ctx, key); err != nil && !errors.Is(err, recovery.ErrNotFound) {
		return fmt.Errorf("revoke the pass: %w", err)
	}
	return nil
}

// Verdict describes a valid pass.
type Verdict struct {
	UsableOnce  bool
	ExpiresAt   time.Time
	Transaction recovery.TransactionID
}

// Verify reports whether pass is the account's current pass, and consumes it if it is usable once. Only the client
// that got the pass may verify it: to any other client the account has none. ok is false for every kind of refusal;
// err is an outage.
func (i *Issuer) Verify(ctx context.Context, client recovery.ClientID, account recovery.AccountID, pass string) (v Verdict, ok bool, err error) {
	key := i.key(account)
	given := i.hash(key, normal(pass)) // computed even if the account has no pass, so that time does not reveal that
	entry, k, err := i.read(ctx, key)
	if errors.Is(err, recovery.ErrNotFound) {
		return Verdict{}, false, nil
	}
	if err != nil {
		return Verdict{}, false, err
	}
	now := i.cfg.Clock()
	if k.Client != client || now.Before(k.StartsAt) || !now.Before(k.ExpiresAt) {
		return Verdict{}, false, nil
	}
	if !hmac.Equal(given, k.Hash) {
		return Verdict{}, false, i.countWrongGuess(ctx, entry, k)
	}
	if k.UsableOnce {
		switch taken, err := i.cfg.Store.Take(ctx, key); {
		case errors.Is(err, recovery.ErrNotFound):
			return Verdict{}, false, nil // a concurrent caller consumed it
		case err != nil:
			return Verdict{}, false, fmt.Errorf("use up the pass: %w", err)
		case !bytes.Equal(taken.Data, entry.Data):
			return Verdict{}, false, nil // replaced, or a wrong guess was counted, meanwhile: void it rather than accept it twice
		}
	}
	return Verdict{UsableOnce: k.UsableOnce, ExpiresAt: k.ExpiresAt, Transaction: k.Transaction}, true, nil
}

// countWrongGuess counts a wrong guess. Concurrent guesses may count as one: the bound is about five, not exact.
func (i *Issuer) countWrongGuess(ctx context.Context, e Entry, k kept) error {
	k.Wrong++
	var err error
	if k.Wrong >= maxWrong {
		_, err = i.cfg.Store.Take(ctx, e.Key)
	} else if e.Data, err = json.Marshal(k); err == nil {
		err = i.cfg.Store.Update(ctx, e)
	}
	if errors.Is(err, recovery.ErrConflict) || errors.Is(err, recovery.ErrNotFound) {
		return nil
	}
	return err
}

func (i *Issuer) read(ctx context.Context, key string) (Entry, kept, error) {
	e, err := i.cfg.Store.Get(ctx, key)
	if err != nil {
		return Entry{}, kept{}, fmt.Errorf("look for the pass: %w", err)
	}
	var k kept
	if err := json.Unmarshal(e.Data, &k); err != nil {
		return Entry{}, kept{}, fmt.Errorf("decode pass record: %w", err)
	}
	return e, k, nil
}

// key returns a keyed digest of the account, so that the store does not learn who has a pass.
func (i *Issuer) key(account recovery.AccountID) string {
	return base64.RawURLEncoding.EncodeToString(i.mac("account", string(account)))
}

// hash returns the keyed hash of a pass, bound to its account.
func (i *Issuer) hash(key, pass string) []byte { return i.mac("pass", key+"\x00"+pass) }

func (i *Issuer) mac(use, text string) []byte {
	h := hmac.New(sha256.New, i.cfg.Key)
	h.Write([]byte(use + "\x00" + text))
	return h.Sum(nil)
}

// normal removes the spaces and hyphens that people add when they copy a pass, and raises lower case.
func normal(pass string) string {
	const longest = 4 * recovery.MaxPassLength
	if len(pass) > longest {
		return ""
	}
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '\t' {
			return -1
		}
		return r
	}, pass))
}
