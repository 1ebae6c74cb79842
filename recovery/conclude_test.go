package recovery_test

import (
	"errors"
	"slices"
	"testing"

	"regain/recovery"
)

// conclusions are the ways in which a verdict becomes a decision, or a transaction ends because of an answer.
func (b *bench) conclusions(t *testing.T, tx recovery.Transaction, code, digits string) map[string]error {
	t.Helper()
	_, returned := b.Return(t.Context(), tx, code)
	_, confirmed := b.Confirm(t.Context(), tx, digits)
	_, proceeded := b.Proceed(t.Context(), tx)
	_, shown := b.Confirmation(t.Context(), tx.ID, code, "192.0.2.1")
	return map[string]error{
		"return": returned, "confirm": confirmed, "proceed": proceeded, "confirmation": shown, "return elsewhere": b.ReturnElsewhere(t.Context(), tx.ID, code),
	}
}

// From every state but presented, the right code concludes nothing: a transaction that waits for an answer, whose answer was
// thrown away, or that ended has no verdict to bring into force. One that is decided stays as it is.
func TestNothingIsConcludedFromAnotherState(t *testing.T) {
	for _, flow := range []recovery.Flow{recovery.FlowSameDevice, recovery.FlowCrossDevice} {
		for _, state := range recovery.States() {
			for name, spoil := range map[string]func(tx *recovery.Transaction){
				"with the answer": func(*recovery.Transaction) {},
				"without the answer": func(tx *recovery.Transaction) {
					tx.Presentation = &recovery.PresentationAttempt{Requests: tx.Presentation.Requests}
				},
				"without an attempt": func(tx *recovery.Transaction) { tx.Presentation = nil },
			} {
				if state == recovery.StatePresented && name == "with the answer" {
					continue
				}
				b := setUp(t, nil)
				started, _ := b.start(t, "ada@example.org")
				receipt := b.present(t, started, flow, nil)
				tx := b.stored(started.ID)
				digits := tx.Presentation.Answer.Confirmation
				tx.State = state
				spoil(&tx)
				b.transactions[tx.ID] = tx
				before := b.writes
				for step, err := range b.conclusions(t, tx, receipt.ResponseCode, digits) {
					own := step == "return" || step == "confirm" || step == "proceed" // in the browser that started
					if own && state.Decided() {
						if err != nil {
							t.Errorf("%s %s %s, %s: %v; the person only reloaded the page", flow, state, name, step, err)
						}
					} else if !errors.Is(err, recovery.ErrNoTransaction) {
						t.Errorf("%s %s %s, %s: %v", flow, state, name, step, err)
					}
				}
				if b.writes != before || b.stored(tx.ID).State != state {
					t.Errorf("%s %s %s: %d writes, now %s", flow, state, name, b.writes-before, b.stored(tx.ID).State)
				}
			}
		}
	}
}

// After its end of life a verdict is not brought into force, in any flow, though code and browser are right.
func TestNothingIsConcludedAfterTheEndOfLife(t *testing.T) {
	for _, flow := range []recovery.Flow{recovery.FlowSameDevice, recovery.FlowBrowser, recovery.FlowCrossDevice} {
		b := setUp(t, nil)
		started, _ := b.start(t, "ada@example.org")
		receipt := b.present(t, started, flow, nil)
		tx := b.stored(started.ID)
		b.now = tx.ExpiresAt
		var err error
		if flow == recovery.FlowCrossDevice {
			_, err = b.Confirm(t.Context(), tx, tx.Presentation.Answer.Confirmation)
		} else {
			_, err = b.Return(t.Context(), tx, receipt.ResponseCode)
		}
		if !errors.Is(err, recovery.ErrExpired) || b.stored(tx.ID).Decision != nil {
			t.Errorf("%s: %v, decided %v", flow, err, b.stored(tx.ID).Decision)
		}
	}
}

// An outage while a verdict is brought into force is an error, and decides nothing.
func TestOutagesConcludeNothing(t *testing.T) {
	b := setUp(t, nil)
	started, _ := b.start(t, "ada@example.org")
	receipt := b.present(t, started, recovery.FlowSameDevice, nil)
	tx := b.stored(started.ID)
	b.failStore = func(recovery.Transaction) error { return errDisk }
	if _, err := b.Return(t.Context(), tx, receipt.ResponseCode); !errors.Is(err, errDisk) {
		t.Errorf("return: %v", err)
	}
	if err := b.ReturnElsewhere(t.Context(), tx.ID, receipt.ResponseCode); !errors.Is(err, errDisk) {
		t.Errorf("another browser returned: %v", err)
	}
	b.failStore = nil
	if got := b.stored(tx.ID); got.State != recovery.StatePresented || got.Decision != nil {
		t.Errorf("%s, decided %v", got.State, got.Decision)
	}
	_, err := b.Confirmation(t.Context(), "no such transaction", receipt.ResponseCode, "")
	wantErr(t, err, recovery.ErrNoTransaction)
	wantErr(t, b.ReturnElsewhere(t.Context(), "no such transaction", receipt.ResponseCode), recovery.ErrNoTransaction)
	// A wrong confirmation that cannot be recorded is not answered as if it were.
	started, _ = b.start(t, "ada@example.org")
	b.present(t, started, recovery.FlowCrossDevice, nil)
	b.failAudit = on(recovery.EventConfirmationFailed, errDisk)
	_, err = b.Confirm(t.Context(), b.stored(started.ID), "wrong")
	wantErr(t, err, errDisk)
}

// The third wrong try is counted before the digits are compared, and the fourth, if the new attempt failed, compares
// nothing, not even the right ones.
func TestTheFourthTryComparesNothing(t *testing.T) {
	b := setUp(t, nil)
	started, _ := b.start(t, "ada@example.org")
	b.present(t, started, recovery.FlowCrossDevice, nil)
	tx := b.stored(started.ID)
	digits := tx.Presentation.Answer.Confirmation
	answer := *tx.Presentation.Answer
	answer.Tries = 3
	tx.Presentation = &recovery.PresentationAttempt{Requests: tx.Presentation.Requests, Answer: &answer}
	b.transactions[tx.ID] = tx
	_, err := b.Confirm(t.Context(), b.stored(tx.ID), digits)
	wantErr(t, err, recovery.ErrWrongCode)
	if got := b.stored(tx.ID); got.State != recovery.StateRequested || got.Decision != nil {
		t.Errorf("%s, decided %v", got.State, got.Decision)
	}
}

// A verdict carries the rules of its own flow, and those of no other.
func TestAVerdictHasTheRulesOfItsFlow(t *testing.T) {
	for _, flow := range []recovery.Flow{recovery.FlowSameDevice, recovery.FlowCrossDevice} {
		b := setUp(t, func(p *recovery.Policy) { p.Profiles[0].CrossDevice.SameNetwork = false })
		started, _ := b.start(t, "ada@example.org")
		receipt := b.present(t, started, flow, nil)
		tx := b.stored(started.ID)
		var err error
		if flow == recovery.FlowCrossDevice {
			tx, err = b.Confirm(t.Context(), tx, tx.Presentation.Answer.Confirmation)
		} else {
			tx, err = b.Return(t.Context(), tx, receipt.ResponseCode)
		}
		if err != nil {
			t.Fatal(err)
		}
		for rule, want := range map[string]bool{"session:bound": false, "cross_device:network": flow == recovery.FlowCrossDevice} {
			if got := slices.ContainsFunc(tx.Decision.Results, func(r recovery.RuleResult) bool { return r.Rule == rule }); got != want {
				t.Errorf("%s: rule %s is there: %t", flow, rule, got)
			}
		}
	}
}

// A profile that was removed meanwhile says no longer which network it demands: nothing is decided without it.
func TestAVerdictOfARemovedProfile(t *testing.T) {
	b := setUp(t, nil)
	started, _ := b.start(t, "ada@example.org")
	b.present(t, started, recovery.FlowCrossDevice, nil)
	tx := b.stored(started.ID)
	tx.Profile = "removed"
	b.transactions[tx.ID] = tx
	if _, err := b.Confirm(t.Context(), b.stored(tx.ID), tx.Presentation.Answer.Confirmation); err == nil || b.stored(tx.ID).Decision != nil {
		t.Errorf("%v, decided %v", err, b.stored(tx.ID).Decision)
	}
}
