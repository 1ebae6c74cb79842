package recovery_test

import (
	"testing"
	"time"

	"regain/recovery"
)

// Due is the moment at which Open finds a transaction that nobody touches expired, or with another QR code: not one earlier
// does, so a page that waits until then misses nothing.
func TestDue(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*recovery.Policy)
		walk   func(*testing.T, *bench, recovery.Transaction)
		after  time.Duration // of the start; 0 for never
	}{
		"a QR code to be scanned":    {nil, nil, time.Minute},
		"a shorter code":             {func(p *recovery.Policy) { p.Profiles[0].CrossDevice.QRLifetime = 20 * time.Second }, nil, 20 * time.Second},
		"no QR code":                 {func(p *recovery.Policy) { p.Profiles[0].Channels = p.Profiles[0].Channels[:1] }, nil, recovery.MaxLifetime},
		"a QR code that was scanned": {nil, retrieveQR, recovery.MaxLifetime},
		"an answer": {nil, func(t *testing.T, b *bench, tx recovery.Transaction) {
			t.Helper()
			b.present(t, tx, recovery.FlowSameDevice, nil)
		}, recovery.MaxLifetime},
		"approved": {nil, func(t *testing.T, b *bench, tx recovery.Transaction) {
			t.Helper()
			code := b.present(t, tx, recovery.FlowSameDevice, nil).ResponseCode
			if _, err := b.Return(t.Context(), b.stored(tx.ID), code); err != nil {
				t.Fatal(err)
			}
		}, recovery.MaxLifetime},
		"ended": {nil, func(t *testing.T, b *bench, tx recovery.Transaction) {
			t.Helper()
			if _, err := b.Cancel(t.Context(), tx); err != nil {
				t.Fatal(err)
			}
		}, 0},
	} {
		b := setUp(t, row.change)
		tx, secret := b.start(t, "ada@example.org")
		if row.walk != nil {
			row.walk(t, b, tx)
		}
		tx = b.stored(tx.ID)
		due, err := b.Due(tx)
		if err != nil {
			t.Fatal(err)
		}
		want := time.Time{}
		if row.after > 0 {
			if want = b.now.Add(row.after); tx.ExpiresAt.Before(want) {
				want = tx.ExpiresAt
			}
		}
		if !due.Equal(want) {
			t.Errorf("%s: due %s, want %s", name, due, want)
		}
		type seen struct {
			version int64
			code    recovery.Handle
		}
		look := func(at time.Time) seen {
			t.Helper()
			b.now = at
			looked, err := b.Open(t.Context(), tx.ID, secret)
			if err != nil {
				t.Fatal(err)
			}
			return seen{looked.Version, looked.Handle(recovery.FlowCrossDevice)}
		}
		first := seen{tx.Version, tx.Handle(recovery.FlowCrossDevice)}
		if due.IsZero() {
			due = tx.ExpiresAt.Add(time.Second)
			want = due
		}
		if got := look(due.Add(-time.Nanosecond)); got != first {
			t.Errorf("%s: changed before it was due", name)
		}
		if got := look(due); (got == first) != (row.after == 0) {
			t.Errorf("%s: at %s %+v became %+v", name, want, first, got)
		}
	}
}

// retrieveQR has a wallet scan the QR code.
func retrieveQR(t *testing.T, b *bench, tx recovery.Transaction) {
	t.Helper()
	if _, err := b.Retrieve(t.Context(), tx.Handle(recovery.FlowCrossDevice), buildRequest); err != nil {
		t.Fatal(err)
	}
}

// Without its profile nobody can say when a code is due, and nothing is shown: fail closed.
func TestDueWithoutAProfile(t *testing.T) {
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	tx.Profile = "removed"
	if _, err := b.Due(tx); err == nil {
		t.Error("due under a profile that there is not")
	}
}
