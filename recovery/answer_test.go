package recovery_test

import (
	"errors"
	"strings"
	"testing"

	"regain/recovery"
)

// A genuine answer counts from the states that wait for one; from any other the table refuses it, and nothing is stored.
func TestAnAnswerFromAnotherState(t *testing.T) {
	for _, state := range recovery.States() {
		b := setUp(t, nil)
		tx, _ := b.start(t, "ada@example.org")
		handle := tx.Handle(recovery.FlowSameDevice)
		if _, err := b.Retrieve(t.Context(), handle, buildRequest); err != nil {
			t.Fatal(err)
		}
		spoilt := b.stored(tx.ID)
		spoilt.State = state
		b.transactions[tx.ID] = spoilt
		before := b.writes
		_, err := b.Present(t.Context(), handle, b.evidence(nil))
		waits := state == recovery.StateRequested || state == recovery.StateRetrieved
		if waits && err != nil || !waits && (!errors.Is(err, recovery.ErrIllegalStep) || b.writes != before) {
			t.Errorf("%s: %d writes, %v", state, b.writes-before, err)
		}
	}
}

// The digits are six, always, and there are none where nobody is to type them.
func TestDigits(t *testing.T) {
	for range 64 {
		b := setUp(t, nil)
		tx, _ := b.start(t, "ada@example.org")
		b.present(t, tx, recovery.FlowCrossDevice, nil)
		if digits := b.stored(tx.ID).Presentation.Answer.Confirmation; len(digits) != 6 || strings.Trim(digits, "0123456789") != "" {
			t.Fatalf("digits %q", digits)
		}
	}
	b := setUp(t, func(p *recovery.Policy) {
		for i := range p.Profiles[0].Channels {
			p.Profiles[0].Channels[i].NoRedirectBack = true
		}
	})
	tx, _ := b.start(t, "ada@example.org")
	b.present(t, tx, recovery.FlowCrossDevice, nil)
	if answer := b.stored(tx.ID).Presentation.Answer; answer.Confirmation != "" || !answer.NoRedirectBack {
		t.Errorf("digits %q that no page shows", answer.Confirmation)
	}
}
