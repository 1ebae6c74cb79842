package recovery_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"regain/recovery"
)

// rotated is a transaction whose QR code was replaced just now, with the handles of both.
func (b *bench) rotated(t *testing.T) (tx recovery.Transaction, before, current recovery.Handle) {
	t.Helper()
	tx, _ = b.start(t, "ada@example.org")
	before = tx.Handle(recovery.FlowCrossDevice)
	b.now = b.now.Add(time.Minute)
	tx, err := b.Rotate(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	return tx, before, tx.Handle(recovery.FlowCrossDevice)
}

// A picture of the code before is worth nothing, even when the one that took its place is scanned: a request that is
// there must not bring back to life what had died, or never had its moment.
func TestAPictureStaysDead(t *testing.T) {
	for name, wait := range map[string]time.Duration{"within the grace": time.Second, "after it": 20 * time.Second} {
		b := setUp(t, nil)
		_, before, current := b.rotated(t)
		b.now = b.now.Add(wait)
		if _, err := b.Retrieve(t.Context(), current, buildRequest); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Find(t.Context(), before); !errors.Is(err, recovery.ErrNoTransaction) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Who had just scanned the code before may fetch again and answer, for as long as anybody.
func TestWhoHadJustScannedGoesOn(t *testing.T) {
	b := setUp(t, nil)
	_, before, current := b.rotated(t)
	for range 2 {
		if _, err := b.Retrieve(t.Context(), before, buildRequest); err != nil {
			t.Fatal(err)
		}
		b.now = b.now.Add(2 * time.Minute)
	}
	if _, err := b.Present(t.Context(), current, b.evidence(nil)); err != nil {
		t.Error(err)
	}
}

// An answer counts in the channel whose request was fetched; a fetch in another channel does not help it.
func TestNoAnswerToARequestThatWasNotFetched(t *testing.T) {
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	if _, err := b.Retrieve(t.Context(), tx.Handle(recovery.FlowSameDevice), buildRequest); err != nil {
		t.Fatal(err)
	}
	for _, flow := range []recovery.Flow{recovery.FlowCrossDevice, recovery.FlowBrowser} {
		if _, err := b.Present(t.Context(), tx.Handle(flow), b.evidence(nil)); !errors.Is(err, recovery.ErrIllegalStep) {
			t.Errorf("%s: %v", flow, err)
		}
		if b.last().Type != recovery.EventTransitionRefused {
			t.Errorf("%s: recorded as %s", flow, b.last().Type)
		}
	}
}

// A page that is opened twice at once shows its digits both times: where the wallet is was noted by one of them.
func TestTheDigitsAreShownTwice(t *testing.T) {
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	receipt := b.present(t, tx, recovery.FlowCrossDevice, nil)
	raced := false
	b.failStore = func(stored recovery.Transaction) error {
		if raced {
			return nil
		}
		raced = true // the other page, which is in another network, was faster
		answer := *stored.Presentation.Answer
		answer.Distance = recovery.OtherNetwork
		stored.Presentation = &recovery.PresentationAttempt{Requests: stored.Presentation.Requests, Answer: &answer}
		b.versions[tx.ID]++
		b.transactions[tx.ID] = stored
		return nil
	}
	shown, err := b.Confirmation(t.Context(), tx.ID, receipt.ResponseCode, "192.0.2.1")
	if err != nil || len(shown.Presentation.Answer.Confirmation) != 6 || shown.Presentation.Answer.Distance != recovery.OtherNetwork {
		t.Errorf("%+v, %v", shown.Presentation, err)
	}
}

// A request that expired is replaced under the same handle, once for all who came back to it, and not behind a QR code.
func TestAnExpiredRequestIsReplacedOnce(t *testing.T) {
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	made := 0
	build := func() []byte {
		made++
		return fmt.Appendf(nil, `{"nonce":%d}`, made)
	}
	for flow, want := range map[recovery.Flow]error{recovery.FlowSameDevice: nil, recovery.FlowBrowser: nil, recovery.FlowCrossDevice: recovery.ErrExpired} {
		old, err := b.Retrieve(t.Context(), tx.Handle(flow), build)
		if err != nil {
			t.Fatal(err)
		}
		first, err := b.Attach(t.Context(), old, build(), recovery.RequestExpired)
		if !errors.Is(err, want) {
			t.Errorf("%s: %v", flow, err)
		}
		if want != nil {
			continue
		}
		if _, err := b.Attach(t.Context(), old, build(), recovery.RequestExpired); !errors.Is(err, recovery.ErrConflict) { // another tab, which saw the old one too
			t.Errorf("%s: the request of the faster tab was replaced: %v", flow, err)
		}
		second, err := b.Retrieve(t.Context(), old.Handle(), build)
		if err != nil || !bytes.Equal(first.Request(), second.Request()) || bytes.Equal(first.Request(), old.Request()) || first.Handle() != old.Handle() {
			t.Errorf("%s: %v", flow, err)
		}
	}
	b.present(t, tx, recovery.FlowSameDevice, nil)
	open, err := b.Find(t.Context(), tx.Handle(recovery.FlowSameDevice))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Attach(t.Context(), open, build(), recovery.RequestExpired); !errors.Is(err, recovery.ErrAnswered) {
		t.Errorf("one that was answered: %v", err)
	}
}

// A code is replaced once in its time, however many pages look however often, and that writes nothing.
func TestRotateWritesNothing(t *testing.T) {
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	before := b.writes
	codes := map[recovery.Handle]bool{tx.Handle(recovery.FlowCrossDevice): true}
	for range 240 { // two minutes
		b.now = b.now.Add(500 * time.Millisecond)
		for range 3 { // tabs, of which each read the same
			seen, err := b.Rotate(t.Context(), tx)
			if err != nil {
				t.Fatal(err)
			}
			codes[seen.Handle(recovery.FlowCrossDevice)] = true
		}
		tx = b.stored(tx.ID)
	}
	if n := b.writes - before; n != 0 || len(codes) != 3 {
		t.Errorf("%d writes, %d codes", n, len(codes))
	}
}

// However answers, new attempts and new codes race, one answer of the attempt that asked for it wins, or none.
func TestEverythingRaces(t *testing.T) {
	for range 20 {
		b := setUp(t, nil)
		tx, secret := b.start(t, "ada@example.org")
		handles := []recovery.Handle{tx.Handle(recovery.FlowSameDevice), tx.Handle(recovery.FlowCrossDevice), tx.Handle(recovery.FlowBrowser)}
		for _, h := range handles {
			if _, err := b.Retrieve(t.Context(), h, buildRequest); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		won := make(chan recovery.PresentResult, 64)
		for i := range 24 {
			wg.Go(func() {
				if receipt, err := b.Present(t.Context(), handles[i%3], b.evidence(nil)); err == nil {
					won <- receipt
				}
			})
			if i%6 == 0 {
				wg.Go(func() {
					if seen, err := b.Open(t.Context(), tx.ID, secret); err == nil {
						_, _ = b.Ask(t.Context(), seen) // it may lose
						_, _ = b.Rotate(t.Context(), seen)
					}
				})
			}
		}
		wg.Wait()
		close(won)
		now := b.stored(tx.ID)
		for receipt := range won {
			stands := now.Presentation.Answer != nil && now.Presentation.Answer.ResponseCode.Matches(receipt.ResponseCode)
			if stands != (now.State == recovery.StatePresented) || len(won) > 0 {
				t.Fatalf("%s with the answer of this receipt %t, and %d more won", now.State, stands, len(won))
			}
			_, err := b.Return(t.Context(), now, receipt.ResponseCode)
			if errors.Is(err, nil) != (stands && receipt.Flow != recovery.FlowCrossDevice) {
				t.Fatalf("%s, stands %t: %v", receipt.Flow, stands, err)
			}
		}
	}
}
