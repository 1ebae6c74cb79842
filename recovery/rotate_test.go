package recovery_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"regain/recovery"
)

// stored is the transaction as it stands.
func (b *bench) stored(id recovery.TransactionID) recovery.Transaction {
	t, _ := b.Get(context.Background(), id)
	return t
}

// A QR code that nobody scans is replaced; for a moment the old one still works, for whoever had just scanned it.
func TestRotate(t *testing.T) {
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	old, same := tx.Handle(recovery.FlowCrossDevice), tx.Handle(recovery.FlowSameDevice)
	rotate := func() {
		t.Helper()
		var err error
		if tx, err = b.Rotate(t.Context(), tx); err != nil {
			t.Fatal(err)
		}
	}
	b.now = b.now.Add(59 * time.Second)
	if rotate(); tx.Handle(recovery.FlowCrossDevice) != old {
		t.Fatal("it was replaced before its time")
	}
	b.now = b.now.Add(2 * time.Second)
	if rotate(); tx.Handle(recovery.FlowCrossDevice) == old || tx.Handle(recovery.FlowSameDevice) != same {
		t.Fatal("it was not replaced, or the link was")
	}
	if open, err := b.Find(t.Context(), old); err != nil || open.Handle() != tx.Handle(recovery.FlowCrossDevice) {
		t.Errorf("who had just scanned it: %v", err)
	}
	b.now = b.now.Add(20 * time.Second)
	if _, err := b.Find(t.Context(), old); !errors.Is(err, recovery.ErrExpired) {
		t.Errorf("a picture of it: %v", err)
	}
	if _, err := b.Retrieve(t.Context(), tx.Handle(recovery.FlowCrossDevice), buildRequest); err != nil {
		t.Fatal(err)
	}
	scanned := tx.Handle(recovery.FlowCrossDevice)
	b.now = b.now.Add(5 * time.Minute)
	if tx, err := b.Rotate(t.Context(), b.stored(tx.ID)); err != nil || tx.Handle(recovery.FlowCrossDevice) != scanned {
		t.Errorf("one that was scanned is replaced: %v", err)
	}
	if _, err := b.Present(t.Context(), scanned, b.evidence(nil)); err != nil {
		t.Errorf("who scanned it in time cannot answer: %v", err)
	}
}

// The lifetime of QR codes is changed while one is shown, at this node or at another one. Codes that are shown keep theirs: a
// longer one would make codes of long ago the current one again, and nodes would disagree on which is.
func TestACodeKeepsItsLifetime(t *testing.T) {
	for name, lifetime := range map[string]time.Duration{"longer": recovery.MaxQRLifetime, "shorter": recovery.MinQRLifetime} {
		b := setUp(t, nil)
		tx, _ := b.start(t, "ada@example.org")
		first := tx.Handle(recovery.FlowCrossDevice)
		b.now = b.now.Add(119 * time.Second) // the second code is shown
		before, err := b.Rotate(t.Context(), tx)
		if err != nil {
			t.Fatal(err)
		}
		b.policy.Profiles = slices.Clone(b.policy.Profiles)
		b.policy.Profiles[0].CrossDevice.QRLifetime = lifetime
		b.useDirectory(t, b.outside)
		if _, err := b.Retrieve(t.Context(), first, buildRequest); !errors.Is(err, recovery.ErrExpired) {
			t.Errorf("%s: a picture of a code that was dead is good again: %v", name, err)
		}
		open, err := b.Retrieve(t.Context(), before.Handle(recovery.FlowCrossDevice), buildRequest)
		if err != nil || open.Handle() != before.Handle(recovery.FlowCrossDevice) {
			t.Errorf("%s: the code that was shown: %v", name, err)
		}
	}
}

// Nobody looks at the page, so nobody replaces the code: it dies all the same.
func TestACodeDiesUnseen(t *testing.T) {
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	b.now = b.now.Add(80 * time.Second)
	if _, err := b.Retrieve(t.Context(), tx.Handle(recovery.FlowCrossDevice), buildRequest); !errors.Is(err, recovery.ErrExpired) {
		t.Errorf("got %v", err)
	}
	if _, err := b.Retrieve(t.Context(), tx.Handle(recovery.FlowSameDevice), buildRequest); err != nil {
		t.Errorf("the link: %v", err)
	}
}

func TestDistance(t *testing.T) {
	for name, row := range map[string]struct {
		policy  bool
		network string
		outcome recovery.Outcome
		reason  recovery.Reason
	}{
		"same":                 {false, "192.0.2.1", recovery.OutcomeApproved, recovery.ReasonNone},
		"other":                {false, "198.51.100.7", recovery.OutcomeApproved, recovery.ReasonNone},
		"same, demanded":       {true, "192.0.2.1", recovery.OutcomeApproved, recovery.ReasonNone},
		"other, demanded":      {true, "198.51.100.7", recovery.OutcomeDenied, recovery.ReasonOtherNetwork},
		"not known, demanded":  {true, "", recovery.OutcomeDenied, recovery.ReasonOtherNetwork},
		"not known, any is ok": {false, "", recovery.OutcomeApproved, recovery.ReasonNone},
		"unread, demanded":     {true, recovery.UnknownNetwork, recovery.OutcomeDenied, recovery.ReasonOtherNetwork},
		"unread, any is ok":    {false, recovery.UnknownNetwork, recovery.OutcomeApproved, recovery.ReasonNone},
	} {
		b := setUp(t, func(p *recovery.Policy) { p.Profiles[0].CrossDevice.SameNetwork = row.policy })
		tx, _ := b.start(t, "ada@example.org")
		receipt := b.present(t, tx, recovery.FlowCrossDevice, nil)
		shown, err := b.Confirmation(t.Context(), tx.ID, receipt.ResponseCode, row.network)
		if err != nil {
			t.Fatal(err)
		}
		if row.network != "" && row.network != recovery.UnknownNetwork { // the first page counts: whoever opens it again from elsewhere changes nothing
			if _, err := b.Confirmation(t.Context(), tx.ID, receipt.ResponseCode, "203.0.113.9"); err != nil {
				t.Fatal(err)
			}
		}
		if tx, err = b.Confirm(t.Context(), b.stored(shown.ID), shown.Presentation.Answer.Confirmation); err != nil {
			t.Fatal(err)
		}
		if tx.Decision.Outcome != row.outcome || tx.Decision.Reason != row.reason {
			t.Errorf("%s: %s, %s", name, tx.Decision.Outcome, tx.Decision.Reason)
		}
		if last := tx.Decision.Results[len(tx.Decision.Results)-1]; last.Rule != "cross_device:network" {
			t.Errorf("%s: the record does not have it: %v", name, tx.Decision.Results)
		}
	}
}

// Two devices whose networks cannot be read are not in the same one.
func TestUnknownNetworksAreNotTheSame(t *testing.T) {
	b := setUp(t, func(p *recovery.Policy) { p.Profiles[0].CrossDevice.SameNetwork = true })
	tx, _, err := b.Start(t.Context(), recovery.StartParams{Client: "main-idp", Account: "ada@example.org", Network: recovery.UnknownNetwork})
	if err != nil {
		t.Fatal(err)
	}
	if tx, err = b.Ask(t.Context(), tx); err != nil {
		t.Fatal(err)
	}
	receipt := b.present(t, tx, recovery.FlowCrossDevice, nil)
	shown, err := b.Confirmation(t.Context(), tx.ID, receipt.ResponseCode, recovery.UnknownNetwork)
	if err != nil {
		t.Fatal(err)
	}
	if tx, err = b.Confirm(t.Context(), b.stored(shown.ID), shown.Presentation.Answer.Confirmation); err != nil || tx.Decision.Reason != recovery.ReasonOtherNetwork {
		t.Errorf("%v, %v", tx.Decision, err)
	}
}

// What the browser brought back is in force at once: it came in the session that open.
func TestThroughTheBrowser(t *testing.T) {
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	receipt := b.present(t, tx, recovery.FlowBrowser, nil)
	if err := b.ReturnElsewhere(t.Context(), tx.ID, receipt.ResponseCode); !errors.Is(err, recovery.ErrNoTransaction) {
		t.Errorf("another browser ends it: %v", err)
	}
	if tx, err := b.Return(t.Context(), b.stored(tx.ID), receipt.ResponseCode); err != nil || tx.State != recovery.StateApproved || tx.Flow != recovery.FlowBrowser {
		t.Errorf("%s, %v", tx.State, err)
	}
}

// A link that has the request in it is fetched by nobody; its answer shows that a wallet has it.
func TestPrepare(t *testing.T) {
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	handle := tx.Handle(recovery.FlowSameDevice)
	if _, err := b.Present(t.Context(), handle, b.evidence(nil)); !errors.Is(err, recovery.ErrIllegalStep) {
		t.Errorf("an answer to what nobody was asked: %v", err)
	}
	open, err := b.Prepare(t.Context(), handle, buildRequest)
	if err != nil || open.Request() == nil || open.Transaction.State != recovery.StateRequested {
		t.Fatalf("%v, %s", err, open.Transaction.State)
	}
	if _, err := b.Present(t.Context(), handle, b.evidence(nil)); err != nil || b.stored(tx.ID).State != recovery.StatePresented {
		t.Errorf("%s, %v", b.stored(tx.ID).State, err)
	}
}

// Refused answers are recorded, so many and no more, and change nothing.
func TestReject(t *testing.T) {
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	b.present(t, tx, recovery.FlowSameDevice, nil)
	before := b.stored(tx.ID)
	for range 100 {
		if err := b.Reject(t.Context(), before, []recovery.RuleResult{{Rule: "presentation:same_device", Detail: "nonce"}}); err != nil {
			t.Fatal(err)
		}
	}
	recorded := 0
	for _, e := range b.events {
		if e.Type == recovery.EventPresentationRejected {
			recorded++
			if e.Success || e.Results[0].Detail != "nonce" {
				t.Errorf("recorded as %+v", e)
			}
		}
	}
	if after := b.stored(tx.ID); recorded != 16 || after.Version != before.Version {
		t.Errorf("%d recorded, version %d → %d", recorded, before.Version, after.Version)
	}
}

// A wallet that does not come back: only the browser that started can go on, without a code, and the record says so.
func TestNoRedirectBack(t *testing.T) {
	for _, flow := range []recovery.Flow{recovery.FlowSameDevice, recovery.FlowCrossDevice} {
		b := setUp(t, func(p *recovery.Policy) {
			for i := range p.Profiles[0].Channels {
				p.Profiles[0].Channels[i].NoRedirectBack = true
			}
		})
		tx, _ := b.start(t, "ada@example.org")
		if _, err := b.Proceed(t.Context(), tx); !errors.Is(err, recovery.ErrNoTransaction) {
			t.Errorf("%s: before any answer: %v", flow, err)
		}
		receipt := b.present(t, tx, flow, nil)
		if _, err := b.Confirmation(t.Context(), tx.ID, receipt.ResponseCode, ""); !errors.Is(err, recovery.ErrNoTransaction) {
			t.Errorf("%s: it has digits: %v", flow, err)
		}
		tx, err := b.Proceed(t.Context(), b.stored(tx.ID))
		if err != nil || tx.State != recovery.StateApproved || !tx.NoRedirectBack || tx.Flow != flow {
			t.Errorf("%s: %s, %v", flow, tx.State, err)
		}
		said := false
		for _, r := range tx.Decision.Results {
			said = said || r.Rule == "session:bound"
		}
		if !said {
			t.Errorf("%s: the record does not say so", flow)
		}
	}
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	b.present(t, tx, recovery.FlowSameDevice, nil)
	if _, err := b.Proceed(t.Context(), b.stored(tx.ID)); !errors.Is(err, recovery.ErrNoTransaction) {
		t.Errorf("a wallet that comes back: %v", err)
	}
}
