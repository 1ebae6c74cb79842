// Package localpass issues Temporary Access Passes and verifies them, for main IdPs that have no such passes of their
// own. It stores a keyed hash (HMAC-SHA-256) of each pass, never the pass.
//
// An account has one pass at a time: issuing a new one voids the previous one. Verify consumes a one-time pass by a
// compare-and-swap on the record that it compared, so that of any number of concurrent callers exactly one succeeds.
//
// # Guesses
//
// Each verification is counted before anything is looked at: by an atomic counter, for the client and the account, known
// or not. Of the verifications within one GuessWindow at most MaxGuesses wrong ones are compared with a pass; the others
// are refused unseen until the window ends. So nobody voids another person's pass by guessing, and a lock ends by itself
// within a minute. A pass of lifetime T meets at most T/GuessWindow + 1 windows. The most guessable pass that a policy
// allows (8 of 32 characters, 30 days) meets 43,201 windows: 432,010 guesses at 2^40 values, a chance of 1 in 2.5 million
// for somebody who guesses for 30 days without a break. The default pass (12 characters, one hour) meets 61 windows: 610
// guesses at 2^60 values.
//
// Every kind of no costs the same operations of the store, one change of a counter and one read, so that neither the time
// nor the load of a request tells who has a pass.
package localpass

import (
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

// MaxGuesses is how many wrong guesses of an account's pass are compared for one client in a GuessWindow. Windows are
// aligned to the clock, so that the window of a verification is known without a read.
const (
	MaxGuesses  = 10
	GuessWindow = time.Minute
)

// Entry is the stored record of a pass. It does not contain the pass's value.
type Entry struct {
	Key       string // the account's digest
	Version   int64
	Data      []byte
	ExpiresAt time.Time
}

// Store stores one entry for each key, and counters. Its errors are recovery.ErrNotFound and ErrConflict.
type Store interface {
	// Put replaces an existing entry by a compare-and-swap of its own: versions never start anew while one is read. It may be
	// made with the next change of the request, which then fails where it does, and before the entry is read.
	Put(ctx context.Context, e Entry) error
	Get(ctx context.Context, key string) (Entry, error)
	Update(ctx context.Context, e Entry) error // compare-and-swap on Version
	// Increment counts atomically within a window that the first count starts, and returns the count.
	Increment(ctx context.Context, key string, window time.Duration) (int64, error)
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
	Void        bool                   `json:"void,omitempty"` // used up or revoked
	// Uses is how often the account's passes of this client were verified in Window: counted as verifications, but no
	// guesses.
	Uses   int64 `json:"uses,omitempty"`
	Window int64 `json:"window,omitempty"`
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
	_, old, err := i.read(ctx, key)
	if err != nil && !errors.Is(err, recovery.ErrNotFound) {
		return recovery.Pass{}, err
	}
	fresh := kept{
		ID: pass.ID, Hash: i.hash(key, value.Reveal()), Transaction: order.Transaction, Client: order.Client,
		StartsAt: pass.StartsAt, ExpiresAt: pass.ExpiresAt, UsableOnce: pass.UsableOnce,
	}
	if old.Client == order.Client {
		fresh.Uses, fresh.Window = old.Uses, old.Window
	}
	if err := write(ctx, i.cfg.Store.Put, Entry{Key: key, ExpiresAt: pass.ExpiresAt}, fresh); err != nil {
		return recovery.Pass{}, fmt.Errorf("keep the pass: %w", err)
	}
	return pass, nil
}

// Revoke implements recovery.PassIssuer. Revoking a pass that no longer exists succeeds.
func (i *Issuer) Revoke(ctx context.Context, account recovery.AccountID, passID string) error {
	_, err := recovery.RetryOnConflict(func() (struct{}, error) {
		entry, k, err := i.read(ctx, i.key(account))
		if err != nil || k.ID != passID || k.Void {
			return struct{}{}, err
		}
		k.Void = true
		return struct{}{}, write(ctx, i.cfg.Store.Update, entry, k)
	})
	if err != nil && !errors.Is(err, recovery.ErrNotFound) {
		return fmt.Errorf("revoke the pass: %w", err)
	}
	return nil
}

// Verdict describes a valid pass.
type Verdict struct {
	UsableOnce  bool
	ExpiresAt   time.Time
	Transaction recovery.TransactionID
	// RetryAfter is the rest of the window after too many verifications, 0 otherwise. It is the same for an account
	// that is not known, and for one whose pass was used meanwhile.
	RetryAfter time.Duration
}

// Verify reports whether pass is the account's current pass, and consumes it if it is usable once. Only the client
// that got the pass may verify it: to any other client the account has none. ok is false for every kind of refusal;
// err is an outage.
func (i *Issuer) Verify(ctx context.Context, client recovery.ClientID, account recovery.AccountID, pass string) (v Verdict, ok bool, err error) {
	key := i.key(account)
	given := i.hash(key, normal(pass)) // computed even if the account has no pass, so that time does not reveal that
	now := i.cfg.Clock()
	window := now.UnixNano() / int64(GuessWindow)
	count, err := i.cfg.Store.Increment(ctx, i.guessKey(key, client, window), GuessWindow)
	if err != nil {
		return Verdict{}, false, fmt.Errorf("count the verification: %w", err)
	}
	type outcome struct {
		verdict Verdict
		ok      bool
	}
	var no outcome // says nothing of the account: not even that a pass of it was used in this window
	if count > MaxGuesses {
		no.verdict.RetryAfter = time.Duration(window+1)*GuessWindow - time.Duration(now.UnixNano())
	}
	o, err := recovery.RetryOnConflict(func() (outcome, error) {
		entry, k, err := i.read(ctx, key)
		if err != nil {
			return outcome{}, err
		}
		if k.Window != window {
			k.Uses, k.Window = 0, window
		}
		if k.Client != client || count-k.Uses > MaxGuesses {
			return no, nil // not compared
		}
		if k.Void || now.Before(k.StartsAt) || !now.Before(k.ExpiresAt) || !hmac.Equal(given, k.Hash) {
			return no, nil
		}
		k.Uses++
		k.Void = k.UsableOnce
		// The record that was compared is the one that changes: of concurrent callers one changes it, and the others
		// read what it left.
		return outcome{Verdict{UsableOnce: k.UsableOnce, ExpiresAt: k.ExpiresAt, Transaction: k.Transaction}, true}, write(ctx, i.cfg.Store.Update, entry, k)
	})
	switch {
	case errors.Is(err, recovery.ErrNotFound):
		return no.verdict, false, nil // there is none, or it expired meanwhile
	case errors.Is(err, recovery.ErrConflict) && o.ok && !o.verdict.UsableOnce:
		return o.verdict, true, nil // right when it was read; so many uses at once that this one counts as a guess
	}
	if err != nil {
		return Verdict{}, false, fmt.Errorf("verify the pass: %w", err)
	}
	return o.verdict, o.ok, nil
}

// write stores the record of a pass in the entry, with the method of the store that is right for it.
func write(ctx context.Context, store func(context.Context, Entry) error, entry Entry, k kept) error {
	var err error
	if entry.Data, err = json.Marshal(k); err != nil {
		return fmt.Errorf("encode pass record: %w", err)
	}
	return store(ctx, entry)
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

// guessKey is the key of the counter of verifications by client in a window, of the account with this key.
func (i *Issuer) guessKey(key string, client recovery.ClientID, window int64) string {
	return base64.RawURLEncoding.EncodeToString(i.mac("guesses", fmt.Sprintf("%s\x00%d\x00%s", key, window, client)))
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
