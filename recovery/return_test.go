package recovery_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"regain/recovery"
)

// The step to the client can be repeated until its code is redeemed: the transaction names the newest code, and no other
// one redeems anything.
func TestTheClientIsAnsweredByTheNewestCode(t *testing.T) {
	b := setUp(t, nil)
	tx := b.approved(t, "ada@example.org") // with "code"
	first := claim(tx)
	tx, err := b.MarkReturned(t.Context(), tx, "second")
	if err != nil {
		t.Fatal(err)
	}
	old := tx
	old.Version-- // a copy from before
	_, err = b.MarkReturned(t.Context(), old, "third")
	wantErr(t, err, recovery.ErrConflict)
	_, err = b.Redeem(t.Context(), first)
	wantErr(t, err, recovery.ErrRedeemed)
	wantErr(t, b.RedeemCode(t.Context(), first), recovery.ErrRedeemed)
	_, err = b.Redeem(t.Context(), recovery.Claim{Transaction: tx.ID, Client: "main-idp"})
	wantErr(t, err, recovery.ErrRedeemed)
	if b.issued != 0 {
		t.Fatalf("%d passes by codes that were replaced", b.issued)
	}
	if _, err := b.Redeem(t.Context(), claim(tx)); err != nil || b.issued != 1 {
		t.Fatalf("the newest code: %d passes, %v", b.issued, err)
	}
}

// A code that redeems no pass is redeemed once, too, and then the step cannot be repeated.
func TestACodeWithoutAPassIsRedeemedOnce(t *testing.T) {
	b := setUp(t, nil)
	tx := b.approved(t, "ada@example.org")
	if err := b.RedeemCode(t.Context(), recovery.Claim{Transaction: tx.ID, Client: "another", Code: tx.Code}); !errors.Is(err, recovery.ErrNoTransaction) {
		t.Errorf("another client's: %v", err)
	}
	if err := b.RedeemCode(t.Context(), claim(tx)); err != nil {
		t.Fatal(err)
	}
	wantErr(t, b.RedeemCode(t.Context(), claim(tx)), recovery.ErrRedeemed)
	_, err := b.MarkReturned(t.Context(), b.stored(tx.ID), "another code")
	wantErr(t, err, recovery.ErrRedeemed)
}

// Each row is a moment at which no code may be given out, and none redeemed.
func TestWhenThereIsNoCode(t *testing.T) {
	for name, row := range map[string]struct {
		walk func(t *testing.T, b *bench) recovery.Transaction
		want error
	}{
		"after the end of life": {func(t *testing.T, b *bench) recovery.Transaction {
			tx := b.approved(t, "ada@example.org")
			b.now = tx.ExpiresAt
			return tx
		}, recovery.ErrExpired},
		"started": {func(t *testing.T, b *bench) recovery.Transaction {
			tx, _ := b.start(t, "ada@example.org")
			return tx
		}, recovery.ErrRedeemed},
		"presented, and its browser has not come back": {func(t *testing.T, b *bench) recovery.Transaction {
			tx, _ := b.start(t, "ada@example.org")
			b.present(t, tx, recovery.FlowSameDevice, nil)
			return b.stored(tx.ID)
		}, recovery.ErrRedeemed},
		"evaluated": {func(t *testing.T, b *bench) recovery.Transaction { return b.approved(t, "tom@example.org") }, recovery.ErrRedeemed},
		"cancelled": {func(t *testing.T, b *bench) recovery.Transaction {
			tx, _ := b.start(t, "ada@example.org")
			tx, err := b.Cancel(t.Context(), tx)
			if err != nil {
				t.Fatal(err)
			}
			return tx
		}, recovery.ErrRedeemed},
		"killed while the pass was made": {func(t *testing.T, b *bench) recovery.Transaction {
			tx := b.approved(t, "ada@example.org")
			b.failIssue = errDisk
			if _, err := b.Redeem(t.Context(), claim(tx)); !errors.Is(err, errDisk) {
				t.Fatal(err)
			}
			return b.stored(tx.ID)
		}, recovery.ErrRedeemed},
		"expired": {func(t *testing.T, b *bench) recovery.Transaction {
			tx, secret := b.start(t, "ada@example.org")
			b.now = tx.ExpiresAt
			tx, err := b.Open(t.Context(), tx.ID, secret)
			if err != nil {
				t.Fatal(err)
			}
			b.now = b.now.Add(-time.Minute) // not by its clock, but by its state
			return tx
		}, recovery.ErrRedeemed},
	} {
		t.Run(name, func(t *testing.T) {
			b := setUp(t, nil)
			tx := row.walk(t, b)
			_, err := b.MarkReturned(t.Context(), tx, "a code")
			wantErr(t, err, row.want)
			if row.want == recovery.ErrExpired {
				wantErr(t, b.RedeemCode(t.Context(), claim(tx)), recovery.ErrExpired)
				return
			}
			wantErr(t, b.RedeemCode(t.Context(), claim(tx)), recovery.ErrRedeemed)
		})
	}
}

// Each row breaks one thing of a transaction that redeems: what the store says of it must not be enough for a pass. The
// guard stands in front of the transition table, which knows states only.
func TestWhatRedeemsNothing(t *testing.T) {
	for name, row := range map[string]struct {
		spoil func(tx *recovery.Transaction, c *recovery.Claim)
		want  error
		says  string
	}{
		"nothing":               {func(*recovery.Transaction, *recovery.Claim) {}, nil, ""},
		"no decision":           {func(tx *recovery.Transaction, _ *recovery.Claim) { tx.Decision = nil }, recovery.ErrIllegalStep, "not approved in production"},
		"a denial":              {func(tx *recovery.Transaction, _ *recovery.Claim) { tx.Decision.Outcome = recovery.OutcomeDenied }, recovery.ErrIllegalStep, "not approved in production"},
		"an evaluation":         {func(tx *recovery.Transaction, _ *recovery.Claim) { tx.Decision.Outcome = recovery.OutcomeEvaluated }, recovery.ErrIllegalStep, "not approved in production"},
		"evaluation mode":       {func(tx *recovery.Transaction, _ *recovery.Claim) { tx.Mode = recovery.ModeEvaluation }, recovery.ErrIllegalStep, "not approved in production"},
		"another profile":       {func(tx *recovery.Transaction, _ *recovery.Claim) { tx.Profile = "pilot" }, recovery.ErrNoTransaction, "account is not eligible"},
		"another client's":      {func(tx *recovery.Transaction, _ *recovery.Claim) { tx.Client = "another" }, recovery.ErrNoTransaction, ""},
		"another code":          {func(_ *recovery.Transaction, c *recovery.Claim) { c.Code = "older" }, recovery.ErrRedeemed, "last sent back with"},
		"no code":               {func(_ *recovery.Transaction, c *recovery.Claim) { c.Code = "" }, recovery.ErrRedeemed, "last sent back with"},
		"a pass is being made":  {func(tx *recovery.Transaction, _ *recovery.Claim) { tx.State = recovery.StateIssuing }, recovery.ErrRedeemed, ""},
		"a pass was made":       {func(tx *recovery.Transaction, _ *recovery.Claim) { tx.State = recovery.StateRedeemed }, recovery.ErrRedeemed, ""},
		"a wallet that waits":   {func(tx *recovery.Transaction, _ *recovery.Claim) { tx.State = recovery.StatePresented }, recovery.ErrIllegalStep, "issue from presented"},
		"after its end of life": {func(tx *recovery.Transaction, _ *recovery.Claim) { tx.ExpiresAt = tx.StartedAt }, recovery.ErrExpired, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := setUp(t, nil)
			tx := b.approved(t, "ada@example.org")
			wanted := claim(tx)
			decision := *tx.Decision
			tx.Decision = &decision
			row.spoil(&tx, &wanted)
			b.transactions[tx.ID] = tx
			_, err := b.Redeem(t.Context(), wanted)
			if row.want == nil {
				if err != nil || b.issued != 1 {
					t.Fatalf("the valid one: %d passes, %v", b.issued, err)
				}
				return
			}
			if !errors.Is(err, row.want) || !strings.Contains(err.Error(), row.says) || b.issued != 0 {
				t.Errorf("%d passes, %v; want %v because of %q", b.issued, err, row.want, row.says)
			}
		})
	}
}
