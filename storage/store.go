// Package storage keeps records: small versioned blobs with an end of life. It is one interface, [Store], with a
// backend in each subpackage that implements it and nothing more; storagetest holds the contract that every backend
// passes. What all backends share stands above them: field encryption and expiry in [Sealed], the domain's
// repositories in transactions.go.
//
//	storage.Transactions, storage.Attempts   repositories that recovery's ports ask for
//	        ↓
//	storage.Sealed                           encrypts data, checks expiry by one clock
//	        ↓
//	memory.Store, bolt.Store                 bytes in, bytes out
package storage

import (
	"context"
	"time"

	"regain/recovery"
)

// Kind is what sort of thing a record is; ids are unique within a kind.
type Kind string

// Record is one stored thing.
type Record struct {
	Kind    Kind
	ID      string
	Group   string // optional: List finds the records of a group
	Version int64  // set by the store: 1 when created, one more with each update
	Data    []byte
	// ExpiresAt is when the record stops to exist for readers; the zero time means never.
	ExpiresAt time.Time
}

// Expired reports whether the record's end has come.
func (r Record) Expired(now time.Time) bool { return !r.ExpiresAt.IsZero() && !now.Before(r.ExpiresAt) }

// The answers of a store that callers branch on. They are the domain's own, so that repositories need not translate.
var (
	ErrNotFound = recovery.ErrNotFound
	ErrExists   = recovery.ErrExists
	ErrConflict = recovery.ErrConflict
)

// Store keeps records. The rules, for every implementation:
//
//   - A method that returns nil has done its work; one that returns an error has changed nothing.
//   - Create, Update, Consume and Increment are atomic: of any number of callers at once, one wins.
//   - An expired record is not there: Get, Update, Consume and List pass it over, and Create may replace it.
//   - A store keeps no reference to the caller's bytes, and returns none of its own.
type Store interface {
	// Create stores a new record at version 1. ErrExists if the id is taken.
	Create(ctx context.Context, r Record) error
	// Get returns a record, or ErrNotFound.
	Get(ctx context.Context, kind Kind, id string) (Record, error)
	// Update replaces the record if the stored version is r.Version, and raises the version by one. ErrConflict if it
	// is another, ErrNotFound if there is none.
	Update(ctx context.Context, r Record) error
	// Consume returns and deletes a record: one caller gets it, every other one ErrNotFound.
	Consume(ctx context.Context, kind Kind, id string) (Record, error)
	// Delete removes a record; one that is not there is no error.
	Delete(ctx context.Context, kind Kind, id string) error
	// List returns up to limit records of a group in the order of their ids, beginning after the id given.
	List(ctx context.Context, kind Kind, group, after string, limit int) ([]Record, error)
	// Increment adds one to a counter and returns it. The first hit opens the window; when it is over, counting
	// starts again.
	Increment(ctx context.Context, kind Kind, id string, window time.Duration) (int64, error)
	// Close releases what the store holds. The store is not used after it.
	Close() error
}
