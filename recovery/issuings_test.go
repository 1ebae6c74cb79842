package recovery_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"regain/recovery"
)

var errForgotten = fmt.Errorf("the log does not reach back so far: %w", recovery.ErrRedeemed)

func (o *outside) Issued(_ context.Context, id recovery.TransactionID, started time.Time) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if started.Before(o.reaches) {
		return false, errForgotten
	}
	return slices.ContainsFunc(o.events, func(e recovery.Event) bool {
		return e.Type == recovery.EventPassIssuing && e.Transaction == id
	}), nil
}

// The store is an older copy of itself, in which the transaction waits for its client: the audit log knows better.
func TestAnOlderCopyOfTheStoreGivesNoSecondPass(t *testing.T) {
	b := setUp(t, nil)
	tx := b.approved(t, "ada@example.org")
	older, version := b.transactions[tx.ID], b.versions[tx.ID]
	if _, err := b.Redeem(t.Context(), claim(tx)); err != nil {
		t.Fatal(err)
	}
	b.transactions[tx.ID], b.versions[tx.ID] = older, version
	for range 2 {
		if _, err := b.Redeem(t.Context(), claim(tx)); !errors.Is(err, recovery.ErrRedeemed) {
			t.Errorf("redeemed again: %v", err)
		}
	}
	if b.issued != 1 {
		t.Errorf("%d passes were issued", b.issued)
	}
	if last := b.events[len(b.events)-1]; last.Type != recovery.EventTransitionRefused {
		t.Errorf("the last event is %s", last.Type)
	}
}

// A log that does not reach back to the start of a recovery cannot say that its pass was not issued.
func TestALogThatForgotGivesNoPass(t *testing.T) {
	b := setUp(t, nil)
	tx := b.approved(t, "ada@example.org")
	b.reaches = tx.StartedAt.Add(1)
	if _, err := b.Redeem(t.Context(), claim(tx)); !errors.Is(err, recovery.ErrRedeemed) || !errors.Is(err, errForgotten) {
		t.Errorf("redeemed: %v", err)
	}
	b.reaches = tx.StartedAt
	if _, err := b.Redeem(t.Context(), claim(tx)); err != nil || b.issued != 1 {
		t.Errorf("a log that reaches back: %d passes, %v", b.issued, err)
	}
}
