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

// Directory reads accounts: recovery matches evidence against a named account and never searches for a person. A
// missing account is ErrNotFound. Every account has an id, which is never empty, changed, or given to another account.
type Directory interface {
	// Find returns the account of exactly the name or id that the main IdP sent. Only the case of A to Z may differ in
	// a name. Any other spelling is ErrNotFound, and so is a string that is the name of one account and the id of
	// another.
	Find(ctx context.Context, requested RequestedAccount) (Account, error)
	// FindByID returns the account with exactly this id, under whatever name it has now.
	FindByID(ctx context.Context, id AccountID) (Account, error)
}

// DirectoryLister is what a Directory may implement besides, if it can tell which groups and attributes there are. A
// configuration that names others is then told so at the start.
type DirectoryLister interface {
	Groups(ctx context.Context) ([]GroupName, error)
	Attributes(ctx context.Context) ([]AttributeName, error)
}

// PassIssuer issues and revokes Temporary Access Passes. The Pass that Issue returns holds the only copy of the
// value. A pass is kept, and revoked, under the id of its account.
type PassIssuer interface {
	Issue(ctx context.Context, order PassOrder) (Pass, error)
	Revoke(ctx context.Context, account AccountID, passID string) error
}

// Auditor appends an event to the audit log. When it returns nil for a critical event, the record is durable.
type Auditor interface {
	Append(ctx context.Context, event Event) error
}

// Issuings says which transactions have their pass, as the audit logs have it: a copy of the store that was put back forgets
// that a transaction was redeemed, and would redeem it again. started is when the transaction was started. ErrRedeemed means
// that nobody can say: the log does not reach back so far, or the store went back meanwhile. Any other error is an outage.
type Issuings interface {
	Issued(ctx context.Context, id TransactionID, started time.Time) (bool, error)
}

// Counter counts hits on a key within a fixed window that the first hit starts.
type Counter interface {
	// Increment counts one hit, and returns the count so far.
	Increment(ctx context.Context, key string, window time.Duration) (int64, error)
	// Count counts hits together, each on another key: all of first, and unless one of these is beyond its Max, all of then.
	// It returns the counts of first and then, in their order; 0 for what was not counted.
	Count(ctx context.Context, first, then []Hit) ([]int64, error)
}

// Hit is one hit on a counter.
type Hit struct {
	Key    string
	Window time.Duration
	Max    int64 // the count up to which it is within its limit
}
