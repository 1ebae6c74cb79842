package recovery_test

import (
	"errors"
	"testing"
	"time"

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
func TestAttemptsHaveAnEnd(t *testing.T) {
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	var err error
	attempts := 0
	for ; attempts < 2000; attempts++ {
		next, failed := b.Ask(t.Context(), tx)
		if err = failed; err != nil {
			break
		}
		tx = next
	}
	if !errors.Is(err, recovery.ErrIllegalStep) || attempts > 600 || b.recorded(recovery.EventPresentationRequested) > 600 {
		t.Fatalf("%d attempts, then %v", attempts, err)
	}
	if _, err := b.LeaveForProofing(t.Context(), tx); !errors.Is(err, recovery.ErrIllegalStep) {
		t.Errorf("by way of the proofing provider it goes on: %v", err)
	}
	receipt := b.present(t, tx, recovery.FlowSameDevice, nil)
	if tx, err = b.Return(t.Context(), b.stored(tx.ID), receipt.ResponseCode); err != nil || tx.State != recovery.StateApproved {
		t.Errorf("the last attempt: %s, %v", tx.State, err)
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

// A channel with too many invalid responses is closed, the others stay open, and the person may ask anew.
func TestTooManyInvalidResponsesCloseAChannel(t *testing.T) {
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	handle := tx.Handle(recovery.FlowCrossDevice)
	open, err := b.Retrieve(t.Context(), handle, buildRequest)
	if err != nil {
		t.Fatal(err)
	}
	misses := 0
	for ; err == nil && misses < 1000; misses++ {
		if err = b.CountInvalidResponse(t.Context(), open); err == nil {
			open, err = b.Find(t.Context(), handle)
		}
	}
	if !errors.Is(err, recovery.ErrClosed) || misses != 100 || b.recorded(recovery.EventPresentationClosed) != 1 {
		t.Fatalf("%d misses, then %v; %d records", misses, err, b.recorded(recovery.EventPresentationClosed))
	}
	if err := b.CountInvalidResponse(t.Context(), open); err != nil { // one that was on its way
		t.Error(err)
	}
	if _, err := b.Retrieve(t.Context(), handle, buildRequest); !errors.Is(err, recovery.ErrClosed) {
		t.Errorf("it is fetched again: %v", err)
	}
	b.now = b.now.Add(2 * time.Minute)
	if tx, err = b.Rotate(t.Context(), b.stored(tx.ID)); err != nil || tx.Handle(recovery.FlowCrossDevice) != "" {
		t.Errorf("another code takes its place by itself: %v", err)
	}
	b.present(t, tx, recovery.FlowSameDevice, nil)
	if tx, err = b.Ask(t.Context(), b.stored(tx.ID)); err != nil {
		t.Fatal(err)
	}
	b.present(t, tx, recovery.FlowCrossDevice, nil)
}

// Nonsense after the answer closes nothing.
func TestInvalidResponsesAfterTheAnswer(t *testing.T) {
	b := setUp(t, nil)
	tx, secret := b.start(t, "ada@example.org")
	handle := tx.Handle(recovery.FlowSameDevice)
	receipt := b.present(t, tx, recovery.FlowSameDevice, nil)
	for range 200 {
		open, err := b.Find(t.Context(), handle)
		if err == nil {
			err = b.CountInvalidResponse(t.Context(), open)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	tx, err := b.Open(t.Context(), tx.ID, secret)
	if err == nil {
		tx, err = b.Return(t.Context(), tx, receipt.ResponseCode)
	}
	if err != nil || tx.State != recovery.StateApproved {
		t.Errorf("%s, %v", tx.State, err)
	}
}
