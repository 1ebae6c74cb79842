package recovery_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"regain/recovery"
)

// From every state but presented, a wallet without a way back concludes nothing.
func TestProceedFromAnotherState(t *testing.T) {
	for _, state := range recovery.States() {
		b := setUp(t, nil)
		started, _ := b.start(t, "ada@example.org")
		b.present(t, started, recovery.FlowSameDevice, nil)
		tx := b.stored(started.ID)
		answer := *tx.Presentation.Answer
		answer.NoRedirectBack = true
		tx.State, tx.Presentation = state, &recovery.PresentationAttempt{Requests: tx.Presentation.Requests, Answer: &answer}
		b.transactions[tx.ID] = tx
		before := b.writes
		got, err := b.Proceed(t.Context(), tx)
		switch {
		case state == recovery.StatePresented:
			if err != nil || got.State != recovery.StateApproved || !got.NoRedirectBack {
				t.Errorf("%s: %s, %v", state, got.State, err)
			}
		case state.Decided():
			if err != nil || b.writes != before {
				t.Errorf("%s: %d writes, %v; the person only reloaded the page", state, b.writes-before, err)
			}
		default:
			if !errors.Is(err, recovery.ErrNoTransaction) || b.writes != before {
				t.Errorf("%s: %d writes, %v", state, b.writes-before, err)
			}
		}
	}
}

// What became of a transaction is in it and in its record, with the reason.
func TestEndsAreRecordedWithTheirReason(t *testing.T) {
	b := setUp(t, nil)
	started, _ := b.start(t, "ada@example.org")
	receipt := b.present(t, started, recovery.FlowSameDevice, nil)
	if err := b.ReturnElsewhere(t.Context(), started.ID, receipt.ResponseCode); err != nil {
		t.Fatal(err)
	}
	if tx := b.stored(started.ID); !tx.EndedElsewhere || tx.State != recovery.StateCancelled || b.last().Type != recovery.EventBrowserMismatch || b.last().Success {
		t.Errorf("%s, elsewhere %t, recorded as %s", tx.State, tx.EndedElsewhere, b.last().Type)
	}
	for account, want := range map[recovery.RequestedAccount]recovery.Event{
		"ada@example.org":    {Type: recovery.EventAccountMatched, Success: true},
		"tom@example.org":    {Type: recovery.EventRecoveryEvaluated, Success: true},
		"grace@example.org":  {Type: recovery.EventRecoveryDenied, Reason: recovery.ReasonAccountExcluded},
		"nobody@example.org": {Type: recovery.EventRecoveryDenied, Reason: recovery.ReasonAccountUnknown},
	} {
		tx, secret := b.start(t, account)
		b.conclude(t, tx, secret)
		if got := b.last(); got.Type != want.Type || got.Success != want.Success || got.Reason != want.Reason || len(got.Results) == 0 {
			t.Errorf("%s: %+v", account, got)
		}
	}
	for completed, want := range map[bool]recovery.EventType{true: recovery.EventProofingCompleted, false: recovery.EventProofingFailed} {
		tx, err := b.LeaveForProofing(t.Context(), b.attempt(t, "ada@example.org", "192.0.2.1"))
		if err != nil {
			t.Fatal(err)
		}
		if tx, err = b.ComeBack(t.Context(), tx, completed); err != nil || tx.State != recovery.StateInformed || b.last().Type != want {
			t.Errorf("completed %t: %s, recorded as %s, %v", completed, tx.State, b.last().Type, err)
		}
	}
}

// Each step that a person can repeat is refused after five hundred changes, and not before.
func TestRepeatedStepsEndAfterFiveHundred(t *testing.T) {
	for name, row := range map[string]struct {
		state recovery.State
		step  func(b *bench, tx recovery.Transaction) error
	}{
		"ask": {recovery.StateRequested, func(b *bench, tx recovery.Transaction) error { _, err := b.Ask(t.Context(), tx); return err }},
		"leave": {recovery.StateRequested, func(b *bench, tx recovery.Transaction) error {
			_, err := b.LeaveForProofing(t.Context(), tx)
			return err
		}},
		"back": {recovery.StateProofing, func(b *bench, tx recovery.Transaction) error { _, err := b.ComeBack(t.Context(), tx, true); return err }},
	} {
		for version, refused := range map[int64]bool{500: false, 501: true} {
			b := setUp(t, nil)
			tx, _ := b.start(t, "ada@example.org")
			tx.State, tx.Version = row.state, version
			b.transactions[tx.ID], b.versions[tx.ID] = tx, version
			err := row.step(b, tx)
			if errors.Is(err, recovery.ErrIllegalStep) != refused || refused && err.Error() == "" || !refused && err != nil {
				t.Errorf("%s, after %d changes: %v", name, version, err)
			}
			if refused {
				mustSay(t, name, err, "after 500 changes")
			}
		}
	}
}

// A change that loses again and again is tried four times.
func TestRetryOnConflictEnds(t *testing.T) {
	tries := 0
	_, err := recovery.RetryOnConflict(func() (int, error) {
		tries++
		return 0, fmt.Errorf("lost: %w", recovery.ErrConflict)
	})
	if tries != 4 || !errors.Is(err, recovery.ErrConflict) {
		t.Errorf("%d tries, %v", tries, err)
	}
	for wins := 1; wins <= 4; wins++ {
		tries = 0
		got, err := recovery.RetryOnConflict(func() (int, error) {
			if tries++; tries < wins {
				return 0, recovery.ErrConflict
			}
			return tries, nil
		})
		if got != wins || err != nil {
			t.Errorf("won at try %d: %d, %v", wins, got, err)
		}
	}
}

// A second error of a wallet changes nothing and is not recorded; nor does a channel close because somebody else was faster.
func TestWhatStrangersRepeatIsStoredOnce(t *testing.T) {
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	handle := tx.Handle(recovery.FlowSameDevice)
	for _, said := range []string{"access_denied", "invalid_request", "server_error"} {
		if _, err := b.Report(t.Context(), handle, said); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.stored(tx.ID); got.Presentation.WalletError != "access_denied" || b.recorded(recovery.EventPresentationRefused) != 1 || got.Version != 0 && b.versions[tx.ID] != 3 {
		t.Errorf("%q, %d records, version %d", got.Presentation.WalletError, b.recorded(recovery.EventPresentationRefused), b.versions[tx.ID])
	}
	open, err := b.Find(t.Context(), handle)
	if err != nil {
		t.Fatal(err)
	}
	for range 99 {
		if err := b.CountInvalidResponse(t.Context(), open); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct{ cause, want error }{{recovery.ErrConflict, nil}, {errDisk, errDisk}} {
		b.failStore = func(recovery.Transaction) error { return row.cause }
		if err := b.CountInvalidResponse(t.Context(), open); !errors.Is(err, row.want) || row.want == nil && err != nil {
			t.Errorf("%v: %v", row.cause, err)
		}
	}
	b.failStore = nil
	if err := b.CountInvalidResponse(t.Context(), open); err != nil || b.stored(tx.ID).Handle(recovery.FlowSameDevice) != "" {
		t.Errorf("not closed by the next one: %v", err)
	}
}

// A transaction whose pass was issued can be returned with another code, which issues no pass; and what was decided stays
// what it is after its end of life.
func TestAfterThePass(t *testing.T) {
	b := setUp(t, nil)
	tx := b.approved(t, "ada@example.org")
	got, err := b.Redeem(t.Context(), claim(tx))
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.MarkReturned(t.Context(), got.Transaction, "another")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.RedeemCode(t.Context(), claim(again)); err != nil || b.issued != 1 {
		t.Errorf("%d passes, %v", b.issued, err)
	}
	tx, secret := b.start(t, "tom@example.org")
	tx = b.conclude(t, tx, secret)
	b.now = b.now.Add(2 * time.Hour)
	if late, err := b.Open(t.Context(), tx.ID, secret); err != nil || late.State != recovery.StateEvaluated {
		t.Errorf("an evaluation, after its life: %s, %v", late.State, err)
	}
}

// The counters of what strangers can repeat live as long as a transaction can.
func TestCountersOfATransactionLiveAsLong(t *testing.T) {
	b := setUp(t, nil)
	counter := windows{b.outside, map[time.Duration]int{}}
	s, err := recovery.NewService(recovery.Ports{
		Transactions: b.outside, Directory: b.outside, Passes: b.outside, Audit: b.outside, Issuings: b.outside, Attempts: counter, Clock: b.clock, Random: ones{},
	}, b.policy)
	if err != nil {
		t.Fatal(err)
	}
	b.Service = s
	tx, _ := b.start(t, "ada@example.org")
	open, err := b.Find(t.Context(), tx.Handle(recovery.FlowSameDevice))
	if err := errors.Join(err, b.CountInvalidResponse(t.Context(), open), b.Reject(t.Context(), tx, nil)); err != nil {
		t.Fatal(err)
	}
	if len(counter.seen) != 1 || counter.seen[recovery.MaxLifetime] != 2 || recovery.MaxLifetime != time.Hour {
		t.Errorf("counted for %v", counter.seen)
	}
}

// A service is made of a policy that is valid, and keeps its own copy of it.
func TestNewServiceRefusesAPolicy(t *testing.T) {
	b := setUp(t, nil)
	ports := recovery.Ports{
		Transactions: b.outside, Directory: b.outside, Passes: b.outside, Audit: b.outside, Issuings: b.outside, Attempts: b.outside, Clock: b.clock, Random: ones{},
	}
	_, err := recovery.NewService(ports, recovery.Policy{})
	mustSay(t, "no profile", err, "recovery service: profiles: no profile is enabled")
	policy := b.policy
	policy.Limits = recovery.Limits{{Name: "l", Per: "planet", Max: 1, Window: time.Hour}}
	_, err = recovery.NewService(ports, policy)
	mustSay(t, "a limit", err, "recovery service: limits[0].per")
	s, err := recovery.NewService(ports, b.policy)
	if err != nil {
		t.Fatal(err)
	}
	b.policy.Profiles[0].Mode = recovery.ModeEvaluation
	if _, err := s.EligibleByName(t.Context(), "ada@example.org"); err != nil {
		t.Errorf("the caller's change is the service's: %v", err)
	}
	// An account that was disabled meanwhile is told as that, though it is then under another profile, too.
	b = setUp(t, func(p *recovery.Policy) { p.Profiles[1].Mode = recovery.ModeProduction })
	b.change("tom@example.org", func(a *recovery.Account) { a.Enabled = false })
	_, err = b.Eligible(t.Context(), "id of tom@example.org", "pilot")
	mustSay(t, "disabled", err, string(recovery.ReasonAccountDisabled))
}
