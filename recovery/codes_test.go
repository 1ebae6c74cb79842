package recovery_test

import (
	"errors"
	"testing"
	"time"

	"regain/recovery"
)

// code is the QR code that a page shows which is opened now.
func (b *bench) code(t *testing.T, tx recovery.Transaction, secret string) recovery.Handle {
	t.Helper()
	shown, err := b.Open(t.Context(), tx.ID, secret)
	if err != nil {
		t.Fatal(err)
	}
	return shown.Handle(recovery.FlowCrossDevice)
}

// A code that was not scanned during its lifetime is dead for good, whether a page was open or not; no two are the same, nor
// are those of another attempt.
func TestOldCodesStayDead(t *testing.T) {
	b := setUp(t, nil)
	tx, secret := b.start(t, "ada@example.org")
	seen := map[recovery.Handle]bool{}
	for minute := range 10 {
		code := b.code(t, tx, secret)
		if seen[code] {
			t.Fatalf("minute %d: the code was shown before", minute)
		}
		b.now = b.now.Add(16 * time.Second) // after the grace of the one before
		for old := range seen {
			if _, err := b.Find(t.Context(), old); !errors.Is(err, recovery.ErrExpired) {
				t.Errorf("minute %d, an older code: %v", minute, err)
			}
		}
		if _, err := b.Find(t.Context(), code); err != nil {
			t.Errorf("minute %d: %v", minute, err)
		}
		seen[code] = true
		b.now = b.now.Add(44 * time.Second)
	}
	again, err := b.Ask(t.Context(), b.stored(tx.ID))
	if err != nil {
		t.Fatal(err)
	}
	if seen[again.Handle(recovery.FlowCrossDevice)] {
		t.Error("another attempt has a code of this one")
	}
	for old := range seen {
		if _, err := b.Find(t.Context(), old); !errors.Is(err, recovery.ErrNoTransaction) {
			t.Errorf("a code of another attempt: %v", err)
		}
	}
}

// The clocks of nodes differ by seconds: the code that one of them shows is good at another.
func TestCodesOfANodeWhoseClockIsAhead(t *testing.T) {
	for name, apart := range map[string]time.Duration{"ahead": 5 * time.Second, "behind": -5 * time.Second} {
		b := setUp(t, nil)
		tx, secret := b.start(t, "ada@example.org")
		start := b.now
		for _, at := range []time.Duration{6 * time.Second, 58 * time.Second, 62 * time.Second, 118 * time.Second} {
			b.now = start.Add(at + apart)
			code := b.code(t, tx, secret)
			b.now = start.Add(at)
			if open, err := b.Find(t.Context(), code); err != nil || apart > 0 && open.Handle() != code {
				t.Errorf("%s, at %s: %v", name, at, err)
			}
		}
		b.now = start.Add(118*time.Second + apart)
		code := b.code(t, tx, secret)
		b.now = start.Add(118 * time.Second)
		if _, err := b.Retrieve(t.Context(), code, buildRequest); err != nil {
			t.Fatal(err)
		}
		b.now = start.Add(5 * time.Minute)
		if _, err := b.Present(t.Context(), code, b.evidence(nil)); err != nil {
			t.Errorf("%s: who scanned it cannot answer: %v", name, err)
		}
	}
	b := setUp(t, nil)
	tx, secret := b.start(t, "ada@example.org")
	start := b.now
	b.now = start.Add(2 * time.Minute)
	code := b.code(t, tx, secret)
	b.now = start.Add(time.Second)
	if _, err := b.Find(t.Context(), code); !errors.Is(err, recovery.ErrNoTransaction) {
		t.Errorf("a code of two lifetimes ahead: %v", err)
	}
}

// What codes are made of is not kept once one was scanned, answered or closed: no further one can be made of it.
func TestTheSeedEndsWithItsCodes(t *testing.T) {
	seeds := func(b *bench, tx recovery.Transaction) (n int) {
		for _, r := range b.stored(tx.ID).Presentation.Requests {
			if r.Seed != "" {
				n++
			}
		}
		return n
	}
	for name, end := range map[string]func(b *bench, tx recovery.Transaction) error{
		"scanned": func(b *bench, tx recovery.Transaction) error {
			_, err := b.Retrieve(t.Context(), tx.Handle(recovery.FlowCrossDevice), buildRequest)
			return err
		},
		"another channel answered": func(b *bench, tx recovery.Transaction) error {
			b.present(t, tx, recovery.FlowSameDevice, nil)
			return nil
		},
		"closed": func(b *bench, tx recovery.Transaction) error {
			open, err := b.Find(t.Context(), tx.Handle(recovery.FlowCrossDevice))
			for range 100 {
				err = errors.Join(err, b.CountInvalidResponse(t.Context(), open))
			}
			return err
		},
	} {
		b := setUp(t, nil)
		tx, _ := b.start(t, "ada@example.org")
		if n := seeds(b, tx); n != 1 {
			t.Fatalf("%d seeds, want that of the QR code", n)
		}
		if err := end(b, tx); err != nil {
			t.Fatal(err)
		}
		if n := seeds(b, tx); n != 0 {
			t.Errorf("%s: %d seeds are kept", name, n)
		}
	}
}
