package recovery_test

import (
	"errors"
	"testing"

	"regain/recovery"
)

// recorded counts the records of a kind.
func (b *bench) recorded(kind recovery.EventType) (n int) {
	for _, e := range b.events {
		if e.Type == kind {
			n++
		}
	}
	return n
}

// A program that goes round in circles with a browser's cookie has an end, and what it did until then can still end well.
func TestRoundsHaveAnEnd(t *testing.T) {
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	var err error
	rounds := 0
	for ; rounds < 2000; rounds++ {
		next, failed := b.Ask(t.Context(), tx)
		if err = failed; err != nil {
			break
		}
		tx = next
	}
	if !errors.Is(err, recovery.ErrIllegalStep) || rounds > 600 || b.recorded(recovery.EventPresentationRequested) > 600 {
		t.Fatalf("%d rounds, then %v", rounds, err)
	}
	if _, err := b.LeaveForProofing(t.Context(), tx); !errors.Is(err, recovery.ErrIllegalStep) {
		t.Errorf("by way of the proofing provider it goes on: %v", err)
	}
	receipt := b.present(t, tx, recovery.FlowSameDevice, nil)
	if tx, err = b.Return(t.Context(), b.stored(tx.ID), receipt.ResponseCode); err != nil || tx.State != recovery.StateApproved {
		t.Errorf("the last round: %s, %v", tx.State, err)
	}
}

// Steps that are refused are recorded, so many and no more.
func TestRefusedStepsHaveAnEnd(t *testing.T) {
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	tx, err := b.Cancel(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if _, err := b.Cancel(t.Context(), tx); !errors.Is(err, recovery.ErrIllegalStep) {
			t.Fatal(err)
		}
	}
	if n := b.recorded(recovery.EventTransitionRefused); n != 16 {
		t.Errorf("%d recorded", n)
	}
}
