package recovery

import (
	"context"
	"errors"
	"time"
)

// What the ports answer when the thing asked for is not there, is there already, or has changed meanwhile. Every
// implementation returns errors that match these with errors.Is; everything else is an outage.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("exists already")
	ErrConflict = errors.New("changed by somebody else meanwhile")
)

// Transactions keeps transactions. Update is a compare-and-swap: it stores t only if the stored version is still
// t.Version, answers ErrConflict otherwise, and returns the version now stored.
type Transactions interface {
	Create(ctx context.Context, t Transaction) error
	Get(ctx context.Context, id TransactionID) (Transaction, error)
	Update(ctx context.Context, t Transaction) (version int64, err error)
}

// Directory finds an account by the name that the main IdP used, and by nothing else: recovery matches evidence
// against a named account and never searches for a person. The name is the account's own, but for the case of A to Z, or
// its id; an account of any other spelling is ErrNotFound, and so is one that is not there.
type Directory interface {
	Find(ctx context.Context, name AccountName) (Account, error)
}

// PassIssuer issues and revokes Temporary Access Passes. Issue returns the only copy of the value there will ever be.
type PassIssuer interface {
	Issue(ctx context.Context, order PassOrder) (Pass, error)
	Revoke(ctx context.Context, account AccountName, passID string) error
}

// Auditor appends an event to the audit log. When it returns nil for a pass event, the record is durable.
type Auditor interface {
	Append(ctx context.Context, event Event) error
}

// Counter counts hits on a key within a fixed window that the first hit starts, and returns the count so far.
type Counter interface {
	Increment(ctx context.Context, key string, window time.Duration) (int64, error)
}
