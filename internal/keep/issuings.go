package keep

import (
	"context"
	"errors"
	"time"

	"regain/adapters/auditlog"
	"regain/recovery"
	"regain/storage/generation"
)

// Issuings is the audit log, with what other nodes say of theirs.
type Issuings struct {
	log   *auditlog.Log
	guard *generation.Guard // nil for none
}

// Issuings returns the audit log.
func (k *Kept) Issuings() Issuings { return Issuings{k.log, k.guard} }

var (
	_ recovery.Auditor  = Issuings{}
	_ recovery.Issuings = Issuings{}
)

// Append implements recovery.Auditor.
func (i Issuings) Append(ctx context.Context, event recovery.Event) error {
	if event.Type == recovery.EventPassIssuing && i.guard != nil {
		i.guard.Issuing(event.Transaction)
	}
	return i.log.Append(ctx, event)
}

// Issued implements recovery.Issuings.
func (i Issuings) Issued(ctx context.Context, id recovery.TransactionID, started time.Time) (bool, error) {
	if i.guard != nil {
		if err := i.guard.Check(ctx, started); err != nil {
			if errors.Is(err, generation.ErrWentBack) {
				err = errors.Join(recovery.ErrRedeemed, err)
			}
			return false, err
		}
		if i.guard.IssuedElsewhere(id) {
			return true, nil
		}
	}
	found, err := i.log.Issued(id, started)
	if errors.Is(err, auditlog.ErrYoung) && i.guard != nil && i.guard.Shared() {
		return false, nil // a node that was added in the middle of the recovery: it issued no pass before, and the others told of theirs
	}
	return found, err
}
