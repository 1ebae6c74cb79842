package recovery_test

import (
	"context"
	"errors"
	"strings"
	"sync"
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
			if errors.Is(row.want, recovery.ErrExpired) {
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

// A pass that cannot be handed out is revoked though the client hung up, and the audit log says what became of it.
func TestRevoke(t *testing.T) {
	for name, row := range map[string]struct {
		fail  error
		event recovery.EventType
		left  int
	}{
		"revoked":                          {nil, recovery.EventPassRevoked, 0},
		"its issuer does not take it back": {errDisk, recovery.EventPassFailed, 1},
	} {
		b := setUp(t, nil)
		got, err := b.Redeem(t.Context(), claim(b.approved(t, "ada@example.org")))
		if err != nil {
			t.Fatal(err)
		}
		if stored := b.stored(got.Transaction.ID); stored.Pass == nil || stored.Pass.ID != got.Pass.ID || !stored.Pass.ExpiresAt.Equal(got.Pass.ExpiresAt) {
			t.Errorf("%s: the transaction names the pass %+v", name, stored.Pass)
		}
		b.failRevoke = row.fail
		gone, hangUp := context.WithCancel(t.Context())
		hangUp()
		if err := b.RevokePass(gone, got); !errors.Is(err, row.fail) || (err == nil) != (row.fail == nil) {
			t.Errorf("%s: %v", name, err)
		}
		if last := b.last(); last.Type != row.event || last.Success || len(b.passes) != row.left {
			t.Errorf("%s: recorded as %s, success %t, %d passes are good", name, last.Type, last.Success, len(b.passes))
		}
		b.failAudit = on(row.event, errFull)
		if err := b.RevokePass(t.Context(), got); !errors.Is(err, errFull) {
			t.Errorf("%s, and it cannot be recorded: %v", name, err)
		}
	}
}

var errFull = errors.New("disk is full")

// However many redeem a code that issues no pass, one does; the others are told why they do not.
func TestOneOfManyRedeemsACode(t *testing.T) {
	b := setUp(t, nil)
	tx := b.approved(t, "ada@example.org")
	const redeemers = 32
	var group sync.WaitGroup
	lost := make(chan error, redeemers)
	for range redeemers {
		group.Go(func() {
			if err := b.RedeemCode(t.Context(), claim(tx)); err != nil {
				lost <- err
			}
		})
	}
	group.Wait()
	close(lost)
	if len(lost) != redeemers-1 {
		t.Errorf("%d of %d lost", len(lost), redeemers)
	}
	for err := range lost {
		wantErr(t, err, recovery.ErrRedeemed)
	}
}

// Who loses the compare-and-swap between the read and the write is told that the code was redeemed, and a store that
// fails is an outage and no refusal.
func TestLostAgainstAnother(t *testing.T) {
	for _, cause := range []error{recovery.ErrConflict, errDisk} {
		b := setUp(t, nil)
		tx := b.approved(t, "ada@example.org")
		b.failStore = func(recovery.Transaction) error { return cause }
		_, redeem := b.Redeem(t.Context(), claim(tx))
		for name, err := range map[string]error{"a pass": redeem, "a code": b.RedeemCode(t.Context(), claim(tx))} {
			if !errors.Is(err, cause) || errors.Is(err, recovery.ErrRedeemed) != errors.Is(cause, recovery.ErrConflict) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if b.issued != 0 {
			t.Errorf("%v: %d passes", cause, b.issued)
		}
	}
}

// The step to the client can be repeated often, and not without end: each time writes to the store.
func TestReturningHasAnEnd(t *testing.T) {
	b := setUp(t, nil)
	tx := b.approved(t, "ada@example.org")
	for range 1000 {
		next, err := b.MarkReturned(t.Context(), tx, "another")
		if errors.Is(err, recovery.ErrRedeemed) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		tx = next
	}
	if tx.Version != 501 {
		t.Errorf("ended after %d changes", tx.Version)
	}
	if _, err := b.Redeem(t.Context(), claim(tx)); err != nil || b.issued != 1 {
		t.Errorf("the last code: %v", err)
	}
}
