package recovery_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"regain/recovery"
)

// bytesOf is how much randomness a secret has.
func bytesOf(t *testing.T, secret string) int {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	return len(raw)
}

// How much randomness there is in what must not be guessed, and that it is kept as a digest where that is enough.
func TestSecretsHaveTheirSize(t *testing.T) {
	b := setUp(t, nil)
	tx, secret := b.start(t, "ada@example.org")
	if bytesOf(t, string(tx.ID)) != 16 || bytesOf(t, secret) != 32 || tx.Browser != recovery.DigestOf(secret) {
		t.Errorf("id %s, secret of %d octets", tx.ID, bytesOf(t, secret))
	}
	for _, r := range tx.Presentation.Requests {
		if bytesOf(t, r.Secret) != 16 || r.Since.IsZero() != (r.Flow != recovery.FlowCrossDevice) {
			t.Errorf("%s: a secret of %d octets, since %s", r.Flow, bytesOf(t, r.Secret), r.Since)
		}
	}
	b.now = b.now.Add(70 * time.Second)
	tx, err := b.Rotate(t.Context(), tx)
	if err != nil || bytesOf(t, strings.TrimPrefix(string(tx.Handle(recovery.FlowCrossDevice)), string(tx.ID)+".")) != 16 {
		t.Errorf("a rotated secret: %v", err)
	}
	for _, flow := range []recovery.Flow{recovery.FlowSameDevice, recovery.FlowCrossDevice, recovery.FlowBrowser} {
		b := setUp(t, nil)
		tx, _ := b.start(t, "ada@example.org")
		receipt := b.present(t, tx, flow, nil)
		stored := b.stored(tx.ID).Presentation
		if bytesOf(t, receipt.ResponseCode) != 32 || stored.Answer.ResponseCode != recovery.DigestOf(receipt.ResponseCode) {
			t.Errorf("%s: a code of %d octets", flow, bytesOf(t, receipt.ResponseCode))
		}
		if (len(stored.Answer.Confirmation) == 6) != (flow == recovery.FlowCrossDevice) || flow != recovery.FlowCrossDevice && stored.Answer.Confirmation != "" {
			t.Errorf("%s: confirmation %q", flow, stored.Answer.Confirmation)
		}
		for _, r := range stored.Requests {
			if r.Request != nil {
				t.Errorf("%s: the keys outlived the answer", flow)
			}
		}
	}
}

// What a transaction is made of when it starts.
func TestHowATransactionStarts(t *testing.T) {
	for name, row := range map[string]struct {
		profile, client, want time.Duration
	}{
		"by itself":                     {0, 0, 15 * time.Minute},
		"as the profile says":           {7 * time.Minute, 0, 7 * time.Minute},
		"as long as the client waits":   {7 * time.Minute, 3 * time.Minute, 3 * time.Minute},
		"no longer than the profile":    {7 * time.Minute, 30 * time.Minute, 7 * time.Minute},
		"the longest that there may be": {time.Hour, 2 * time.Hour, time.Hour},
	} {
		b := setUp(t, func(p *recovery.Policy) { p.Profiles[0].Lifetime = row.profile })
		tx, _, err := b.Start(t.Context(), recovery.StartParams{Client: "main-idp", Account: "ada@example.org", Network: "192.0.2.1", Lifetime: row.client})
		if err != nil || !tx.ExpiresAt.Equal(b.now.Add(row.want)) || !tx.StartedAt.Equal(b.now) {
			t.Errorf("%s: from %s to %s, %v", name, tx.StartedAt, tx.ExpiresAt, err)
		}
	}
	// Where the device is, is kept only if it is compared.
	for _, reaches := range []bool{true, false} {
		b := setUp(t, func(p *recovery.Policy) {
			if !reaches {
				p.Profiles[0].Channels = p.Profiles[0].Channels[:1]
			}
		})
		if tx := b.attempt(t, "ada@example.org", "192.0.2.1"); (tx.Network != "") != reaches {
			t.Errorf("reaches another device %t: network %q", reaches, tx.Network)
		}
	}
}

// Two devices of which one is nowhere are in no network together, and whatever is known of it is recorded.
func TestDistances(t *testing.T) {
	for name, row := range map[string]struct {
		browser, wallet string
		want            recovery.Distance
		detail          string
	}{
		"the same":             {"192.0.2.1", "192.0.2.1", recovery.SameNetwork, ""},
		"another":              {"192.0.2.1", "192.0.2.2", recovery.OtherNetwork, "the wallet's device is in another network than the browser"},
		"both are unknown":     {recovery.UnknownNetwork, recovery.UnknownNetwork, "", "it is not known in which network the wallet's device is"},
		"both are nowhere":     {"", "", "", "it is not known in which network the wallet's device is"},
		"the browser's is":     {"", "192.0.2.1", "", "it is not known in which network the wallet's device is"},
		"the wallet's is":      {"192.0.2.1", "", "", "it is not known in which network the wallet's device is"},
		"the wallet's is, too": {"192.0.2.1", recovery.UnknownNetwork, "", "it is not known in which network the wallet's device is"},
	} {
		b := setUp(t, nil)
		tx, err := b.Ask(t.Context(), b.attempt(t, "ada@example.org", row.browser))
		if err != nil {
			t.Fatal(err)
		}
		receipt := b.present(t, tx, recovery.FlowCrossDevice, nil)
		before := b.writes
		tx, err = b.Confirmation(t.Context(), tx.ID, receipt.ResponseCode, row.wallet)
		if err != nil || tx.Presentation.Answer.Distance != row.want || (b.writes == before) != (row.want == "") {
			t.Errorf("%s: %q, %d writes, %v", name, tx.Presentation.Answer.Distance, b.writes-before, err)
		}
		if tx, err = b.Confirm(t.Context(), tx, tx.Presentation.Answer.Confirmation); err != nil {
			t.Fatal(err)
		}
		for _, r := range tx.Decision.Results {
			if r.Rule == "cross_device:network" && r.Detail != row.detail {
				t.Errorf("%s: %q", name, r.Detail)
			}
		}
	}
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	receipt := b.present(t, tx, recovery.FlowCrossDevice, nil)
	b.now = tx.ExpiresAt
	_, err := b.Confirmation(t.Context(), tx.ID, receipt.ResponseCode, "192.0.2.1") // the digits after the end of life
	wantErr(t, err, recovery.ErrNoTransaction)
}

// Each row looks for a request that is not to be found, or no longer.
func TestRequestsThatAreNotFound(t *testing.T) {
	for name, row := range map[string]struct {
		handle func(t *testing.T, b *bench, tx recovery.Transaction) recovery.Handle
		want   error
	}{
		"an empty secret": {func(_ *testing.T, _ *bench, tx recovery.Transaction) recovery.Handle {
			return recovery.Handle(tx.ID + ".")
		}, recovery.ErrNoTransaction},
		"no secret": {func(_ *testing.T, _ *bench, tx recovery.Transaction) recovery.Handle { return recovery.Handle(tx.ID) }, recovery.ErrNoTransaction},
		"another secret": {func(_ *testing.T, _ *bench, tx recovery.Transaction) recovery.Handle {
			return recovery.Handle(tx.ID + ".x")
		}, recovery.ErrNoTransaction},
		"no attempt": {func(_ *testing.T, b *bench, tx recovery.Transaction) recovery.Handle {
			handle := tx.Handle(recovery.FlowSameDevice)
			tx.Presentation = nil
			b.transactions[tx.ID] = tx
			return handle
		}, recovery.ErrNoTransaction},
		"after the end of life": {func(_ *testing.T, b *bench, tx recovery.Transaction) recovery.Handle {
			b.now = tx.ExpiresAt
			return tx.Handle(recovery.FlowSameDevice)
		}, recovery.ErrExpired},
		"the code before, of a channel that was closed": {func(t *testing.T, b *bench, tx recovery.Transaction) recovery.Handle {
			handle := tx.Handle(recovery.FlowCrossDevice)
			b.now = b.now.Add(61 * time.Second)
			tx, err := b.Rotate(t.Context(), tx)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.Find(t.Context(), handle); err != nil {
				t.Fatalf("shortly after it was replaced: %v", err)
			}
			tx.Presentation.Requests[1].Closed = true
			b.transactions[tx.ID] = tx
			return handle
		}, recovery.ErrClosed},
	} {
		b := setUp(t, nil)
		tx, _ := b.start(t, "ada@example.org")
		if _, err := b.Find(t.Context(), row.handle(t, b, tx)); !errors.Is(err, row.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	closed := b.stored(tx.ID)
	closed.Presentation.Requests[1].Closed = true
	b.transactions[tx.ID] = closed
	for _, flow := range []recovery.Flow{recovery.FlowSameDevice, recovery.FlowBrowser} {
		if _, err := b.Find(t.Context(), tx.Handle(flow)); err != nil {
			t.Errorf("%s, though another channel was closed: %v", flow, err)
		}
	}
	tx.Profile = "removed"
	b.transactions[tx.ID] = tx
	_, err := b.Find(t.Context(), tx.Handle(recovery.FlowSameDevice))
	mustSay(t, "a profile that was removed", err, "no longer configured")
	_, err = b.Ask(t.Context(), b.stored(tx.ID))
	mustSay(t, "and asked for", err, "no longer configured")
	_, err = b.Rotate(t.Context(), b.stored(tx.ID))
	mustSay(t, "and rotated", err, "no longer configured")
}

// Who answers late under a code that was answered is told that it was, and not that it expired.
func TestAnAnsweredCodeIsAnswered(t *testing.T) {
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	handle := tx.Handle(recovery.FlowCrossDevice)
	b.present(t, tx, recovery.FlowCrossDevice, nil)
	b.now = b.now.Add(10 * time.Minute)
	if open, err := b.Find(t.Context(), handle); err != nil || !open.Answered() {
		t.Errorf("%v", err)
	}
	_, err := b.Present(t.Context(), handle, b.evidence(nil))
	wantErr(t, err, recovery.ErrAnswered)
}

// A request is attached once, and the record says on which occasion; where the table lists no such step it is refused.
func TestAttach(t *testing.T) {
	for occasion, event := range map[recovery.Occasion]recovery.EventType{
		recovery.WalletFetched: recovery.EventPresentationRetrieved, recovery.LinkShown: recovery.EventPresentationPrepared, recovery.RequestExpired: recovery.EventPresentationRenewed,
	} {
		b := setUp(t, nil)
		tx, _ := b.start(t, "ada@example.org")
		open, err := b.Find(t.Context(), tx.Handle(recovery.FlowSameDevice))
		if err != nil {
			t.Fatal(err)
		}
		if open, err = b.Attach(t.Context(), open, []byte("first"), occasion); err != nil || b.last().Type != event {
			t.Errorf("%d: recorded as %s, %v", occasion, b.last().Type, err)
		}
		if got := b.stored(tx.ID).State; (got == recovery.StateRetrieved) != (occasion == recovery.WalletFetched) {
			t.Errorf("%d: %s", occasion, got)
		}
		before := b.writes
		again, err := b.Attach(t.Context(), open, []byte("second"), occasion)
		if err != nil || (string(again.Request()) == "first") != (occasion != recovery.RequestExpired) || (b.writes == before) != (occasion != recovery.RequestExpired) {
			t.Errorf("%d, again: %q, %d writes, %v", occasion, again.Request(), b.writes-before, err)
		}
	}
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	spoilt := b.stored(tx.ID)
	spoilt.State = recovery.StateInformed
	b.transactions[tx.ID] = spoilt
	open, err := b.Find(t.Context(), tx.Handle(recovery.FlowSameDevice))
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Attach(t.Context(), open, []byte("{}"), recovery.WalletFetched)
	wantErr(t, err, recovery.ErrIllegalStep)
}

// Each row is a transaction whose codes are not replaced, though it is time.
func TestWhatIsNotRotated(t *testing.T) {
	for name, spoil := range map[string]func(tx *recovery.Transaction){
		"no attempt":      func(tx *recovery.Transaction) { tx.Presentation = nil },
		"an answer":       func(tx *recovery.Transaction) { tx.Presentation.Answer = &recovery.Answer{} },
		"an end":          func(tx *recovery.Transaction) { tx.State = recovery.StateCancelled },
		"a closed one":    func(tx *recovery.Transaction) { tx.Presentation.Requests[1].Closed = true },
		"a fetched one":   func(tx *recovery.Transaction) { tx.Presentation.Requests[1].Request = []byte("{}") },
		"no other device": func(tx *recovery.Transaction) { tx.Presentation.Requests = tx.Presentation.Requests[:1] },
	} {
		b := setUp(t, nil)
		tx, _ := b.start(t, "ada@example.org")
		b.now = b.now.Add(10 * time.Minute)
		spoil(&tx)
		before := b.writes
		if _, err := b.Rotate(t.Context(), tx); err != nil || b.writes != before {
			t.Errorf("%s: %d writes, %v", name, b.writes-before, err)
		}
	}
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	b.now = b.now.Add(10 * time.Minute)
	won, err := b.Rotate(t.Context(), tx)
	if err != nil || won.Handle(recovery.FlowCrossDevice) == tx.Handle(recovery.FlowCrossDevice) {
		t.Fatalf("not rotated: %v", err)
	}
	if lost, err := b.Rotate(t.Context(), tx); err != nil || lost.Handle(recovery.FlowCrossDevice) != won.Handle(recovery.FlowCrossDevice) {
		t.Errorf("who lost the race sees another code: %v", err)
	}
}

// A pending request is reached by its wallet and its flow together.
func TestChannelTo(t *testing.T) {
	b := setUp(t, func(p *recovery.Policy) {
		p.Profiles[0].Channels = append(p.Profiles[0].Channels, recovery.Channel{Wallet: "other", Flow: recovery.FlowSameDevice})
	})
	tx, _ := b.start(t, "ada@example.org")
	for _, want := range tx.Channels() {
		if got := tx.ChannelTo(want.Wallet, want.Flow); got != want || tx.HandleOf(got) == "" {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if got := tx.ChannelTo("other", recovery.FlowCrossDevice); got != (recovery.Channel{}) || tx.HandleOf(got) != "" {
		t.Errorf("a channel that is not there: %+v", got)
	}
}
