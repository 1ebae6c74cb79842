// Package storage stores records: small versioned blobs with an expiry. It defines one interface, [Store], which the
// backends in the subpackages implement; storagetest tests the contract that every backend must fulfil. The layers above
// the backends are shared: field encryption in [Sealed], the domain's repositories in transactions.go.
//
//	storage.Transactions, storage.Attempts   repositories that implement recovery's ports
//	        ↓
//	storage.Guarded                          refuses the changes of requests that may only look, and makes those that were
//	                                         postponed with the next one of the same request
//	        ↓
//	storage.Sealed                           encrypts the data of records
//	        ↓
//	memory.Store, bolt.Store, mongo.Store    bytes in, bytes out
package storage

import (
	"context"
	"errors"
	"time"

	"regain/recovery"
)

// Kind is the type of a record; ids are unique within a kind.
type Kind string

// Record is a stored record.
type Record struct {
	Kind    Kind
	ID      string
	Group   string // optional: List finds the records of a group
	Version int64  // set by the store: 1 when created, one more with each update
	Data    []byte
	// ExpiresAt is the time from which readers no longer see the record; the zero time means never.
	ExpiresAt time.Time
}

// Expired reports whether the record has expired.
func (r Record) Expired(now time.Time) bool { return !r.ExpiresAt.IsZero() && !now.Before(r.ExpiresAt) }

// Errors of a store that callers branch on. They are the domain's own, so that repositories need not translate them.
var (
	ErrNotFound = recovery.ErrNotFound
	ErrExists   = recovery.ErrExists
	ErrConflict = recovery.ErrConflict
)

// ErrOver means that a counter was not incremented, because its count would be beyond the limit of the change.
var ErrOver = errors.New("the count is beyond its limit")

// ErrUncertain means that a change may have been made, or may yet be: the database was sent it and did not answer, not even
// when asked again. A backend returns it only after it has tried to find out. Whoever gets it treats the step as failed and
// builds nothing on either outcome: nothing is issued, and nothing is told to have been undone. The call may be made again.
// It then meets whatever became of the first: an Update that was made conflicts, what was consumed is not found, what was
// created exists, and a count may be one higher.
var ErrUncertain = errors.New("it is not known whether the change was made")

// Store stores records. Every implementation must follow these rules:
//
//   - A method that returns an error other than ErrUncertain has changed nothing. Commit on a backend without transactions
//     (package mongo) is the exception: it stops at the first change that fails, and those in CommitError.Made stay. Whoever
//     commits a list therefore puts the decisive change last, and orders the others so that any number of the first ones may be
//     all that was made.
//   - Create, Update, Consume and Increment are atomic: of any number of concurrent callers, one wins. So is Commit, on all
//     backends but one without transactions.
//   - Expired records do not exist for callers: Get, Update, Consume and List ignore them, and Create may replace one.
//   - A store keeps no reference to the caller's bytes and returns no reference to its own.
type Store interface {
	// Create stores a new record at version 1, or returns ErrExists if the id is taken.
	Create(ctx context.Context, r Record) error
	// Get returns a record, or ErrNotFound.
	Get(ctx context.Context, kind Kind, id string) (Record, error)
	// Update replaces the record if the stored version is r.Version, and increments the version. It returns
	// ErrConflict for any other version and ErrNotFound if there is no record.
	Update(ctx context.Context, r Record) error
	// Consume returns and deletes a record. One caller gets it, every other one ErrNotFound.
	Consume(ctx context.Context, kind Kind, id string) (Record, error)
	// Delete removes a record. Deleting a missing record succeeds.
	Delete(ctx context.Context, kind Kind, id string) error
	// List returns up to limit records of a group in the order of their ids, starting after the id after.
	List(ctx context.Context, kind Kind, group, after string, limit int) ([]Record, error)
	// Increment increments a counter and returns its value. The first call starts the window; when the window is
	// over, the next call starts a new count.
	Increment(ctx context.Context, kind Kind, id string, window time.Duration) (int64, error)
	// Commit makes several changes together, in their order and durably by one commit, or none of them: if one fails, the
	// error is a *CommitError. Each record and each counter may be in the list once.
	Commit(ctx context.Context, changes []Change) ([]Result, error)
	// Close releases the store's resources. The store must not be used after it.
	Close() error
}
