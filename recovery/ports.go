package recovery

import (
	"context"
	"errors"
	"time"
)

// Errors of the ports: the record does not exist, exists already, or was changed concurrently. Every implementation
// returns errors that match these with errors.Is. Any other error is an outage.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("exists already")
	ErrConflict = errors.New("changed concurrently")
)

// Transactions stores transactions. Update is a compare-and-swap: it stores t only if the stored version is still
// t.Version, otherwise it returns ErrConflict. It returns the new version.
type Transactions interface {
	Create(ctx context.Context, t Transaction) error
	Get(ctx context.Context, id TransactionID) (Transaction, error)
	Update(ctx context.Context, t Transaction) (version int64, err error)
}

// Directory finds an account by exactly the name or id that the main IdP sent: recovery matches evidence against a
// named account and never searches for a person. Only the case of A to Z may differ. Any other spelling is
// ErrNotFound, as is a missing account.
type Directory interface {
	Find(ctx context.Context, name AccountName) (Account, error)
}

// PassIssuer issues and revokes Temporary Access Passes. The Pass that Issue returns holds the only copy of the
// value.
type PassIssuer interface {
	Issue(ctx context.Context, order PassOrder) (Pass, error)
	Revoke(ctx context.Context, account AccountName, passID string) error
}

// Auditor appends an event to the audit log. When it returns nil for a critical event, the record is durable.
type Auditor interface {
	Append(ctx context.Context, event Event) error
}

// Issuings says which transactions have their pass, as the audit log has it: a copy of the store that was put back forgets
// that a transaction was redeemed, and would redeem it again. started is when the transaction was started. An error means
// that the log does not reach back so far.
type Issuings interface {
	Issued(id TransactionID, started time.Time) (bool, error)
}

// Counter counts hits on a key within a fixed window that the first hit starts, and returns the count so far.
type Counter interface {
	Increment(ctx context.Context, key string, window time.Duration) (int64, error)
}
