package recovery

import (
	"context"
	"errors"
	"fmt"
)

// ledger is how a step changes a transaction: through the transition table, by compare-and-swap, and with a record in the
// audit log. Every step of the service ends here.
type ledger struct{ ports Ports }

func (l ledger) read(ctx context.Context, id TransactionID) (Transaction, error) {
	t, err := l.ports.Transactions.Get(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return Transaction{}, ErrNoTransaction
	}
	if err != nil {
		return Transaction{}, fmt.Errorf("read transaction: %w", err)
	}
	return t, nil
}

// advance applies steps, stores the result and records the event.
func (l ledger) advance(ctx context.Context, t Transaction, event EventType, steps ...Step) (Transaction, error) {
	changed, err := l.apply(ctx, t, steps...)
	if err != nil {
		return t, err
	}
	return l.store(ctx, changed, event)
}

// apply applies steps by the transition table. An illegal step is audited: it is an attempt to skip or repeat a step.
func (l ledger) apply(ctx context.Context, t Transaction, steps ...Step) (Transaction, error) {
	now := l.ports.Clock()
	changed := t
	for _, step := range steps {
		if t.Version > maxChanges && step.repeats() {
			return t, fmt.Errorf("%s after %d changes: %w", step, maxChanges, ErrIllegalStep)
		}
		var err error
		if changed, err = changed.Apply(step, now); err != nil {
			if t.Late(now) {
				return t, errors.Join(ErrExpired, err)
			}
			return t, errors.Join(err, l.auditLimited(ctx, t, EventTransitionRefused))
		}
	}
	return changed, nil
}

// maxChanges is the number of changes after which a transaction can only move forward: the repeatable steps are
// refused. Every step writes an audit record, and a program that holds a browser's cookie must not fill the log.
const maxChanges = 500

// maxRepeats is how many audit records of one kind a transaction gets for events that strangers can trigger
// repeatedly.
const maxRepeats = 16

// auditLimited records an event that strangers can trigger repeatedly: the first maxRepeats of a transaction, none after
// that.
func (l ledger) auditLimited(ctx context.Context, t Transaction, event EventType) error {
	n, err := l.ports.Attempts.Increment(ctx, string(event)+"\x00"+string(t.ID), MaxLifetime)
	if err != nil {
		return fmt.Errorf("count %s: %w", event, err)
	}
	if n > maxRepeats {
		return nil
	}
	return l.audit(ctx, t, event, ReasonNone)
}

// store writes the changed transaction and then the audit record. If the record cannot be written, the error stops
// the journey.
func (l ledger) store(ctx context.Context, t Transaction, event EventType) (Transaction, error) {
	t, err := l.compareAndSwap(ctx, t)
	if err != nil {
		return t, err
	}
	reason := ReasonNone
	if t.Decision != nil {
		reason = t.Decision.Reason
	}
	return t, l.audit(ctx, t, event, reason)
}

// compareAndSwap stores the changed transaction, or returns ErrConflict if it was changed since it was read.
func (l ledger) compareAndSwap(ctx context.Context, t Transaction) (Transaction, error) {
	version, err := l.ports.Transactions.Update(ctx, t)
	if err != nil {
		return t, fmt.Errorf("store transaction %s as %s: %w", t.ID, t.State, err)
	}
	t.Version = version
	return t, nil
}

func (l ledger) audit(ctx context.Context, t Transaction, event EventType, reason Reason) error {
	e := Event{
		Time: l.ports.Clock(), Type: event, Success: event.Succeeds(), Transaction: t.ID,
		Client: t.Client, Requested: t.Requested, Account: t.Account, AccountName: t.AccountName, Profile: t.Profile, Reason: reason,
	}
	if t.Decision != nil {
		e.Results = t.Decision.Results
	}
	if err := l.ports.Audit.Append(ctx, e.bounded()); err != nil {
		return fmt.Errorf("append %s to the audit log: %w", event, err)
	}
	return nil
}

// RetryOnConflict repeats a change that lost a compare-and-swap: wallets send requests in parallel, the page polls,
// and a phone may load a page twice to preview it. change must read the transaction anew on each call.
func RetryOnConflict[T any](change func() (T, error)) (T, error) {
	const tries = 4
	for range tries - 1 {
		if result, err := change(); !errors.Is(err, ErrConflict) {
			return result, err
		}
	}
	return change()
}
