package recovery_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"regain/recovery"
)

// Promise 5: the browser that started is the browser that finishes.
func TestOnlyTheStartingBrowser(t *testing.T) {
	b := setUp(t, nil)
	tx, secret := b.start(t, "ada@example.org")
	for _, other := range []string{"", "x", secret + "x", secret[1:], strings.ToUpper(secret)} {
		_, err := b.Open(t.Context(), tx.ID, other)
		wantErr(t, err, recovery.ErrOtherBrowser)
	}
	if _, err := b.Open(t.Context(), tx.ID, secret); err != nil {
		t.Error(err)
	}
	_, err := b.Open(t.Context(), "another", secret)
	wantErr(t, err, recovery.ErrNoTransaction)
}

func TestTheVerdictWaitsForTheResponseCode(t *testing.T) {
	b := setUp(t, nil)
	tx, secret := b.start(t, "ada@example.org")
	receipt := b.present(t, tx, recovery.FlowSameDevice, nil)
	tx, _ = b.Open(t.Context(), tx.ID, secret)
	if tx.State != recovery.StatePresented || tx.Decision != nil {
		t.Fatalf("decided before the browser came back: %s", tx.State)
	}
	for _, code := range []string{"", "x", receipt.ResponseCode + "x"} {
		_, err := b.Return(t.Context(), tx, code)
		wantErr(t, err, recovery.ErrWrongCode)
	}
	decided, err := b.Return(t.Context(), tx, receipt.ResponseCode)
	if err != nil || decided.State != recovery.StateApproved {
		t.Fatalf("%s, %v", decided.State, err)
	}
	again, err := b.Return(t.Context(), decided, receipt.ResponseCode)
	if err != nil || again.Version != decided.Version {
		t.Errorf("a reload changed something: %v", err)
	}
}

// A response code that is opened in another browser ends the transaction; a wrong one does not.
func TestReturnElsewhere(t *testing.T) {
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	receipt := b.present(t, tx, recovery.FlowSameDevice, nil)
	wantErr(t, b.ReturnElsewhere(t.Context(), tx.ID, "guess"), recovery.ErrNoTransaction)
	wantErr(t, b.ReturnElsewhere(t.Context(), "another", receipt.ResponseCode), recovery.ErrNoTransaction)
	if b.state(tx.ID) != recovery.StatePresented {
		t.Fatalf("a guess ended the transaction: %s", b.state(tx.ID))
	}
	if err := b.ReturnElsewhere(t.Context(), tx.ID, receipt.ResponseCode); err != nil {
		t.Fatal(err)
	}
	if b.state(tx.ID) != recovery.StateCancelled || b.last().Type != recovery.EventBrowserMismatch || b.last().Success {
		t.Errorf("%s, %+v", b.state(tx.ID), b.last().Type)
	}
}

// answered is a transaction whose wallet, on another device, answered and shows the digits.
func (b *bench) answered(t *testing.T) (tx recovery.Transaction, secret, digits string) {
	t.Helper()
	tx, secret = b.start(t, "ada@example.org")
	receipt := b.present(t, tx, recovery.FlowCrossDevice, nil)
	shown, err := b.Confirmation(t.Context(), tx.ID, receipt.ResponseCode, "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	return tx, secret, shown.Presentation.Answer.Confirmation
}

func TestThreeWrongCodesVoidTheRound(t *testing.T) {
	b := setUp(t, nil)
	tx, secret, digits := b.answered(t)
	_, err := b.Confirmation(t.Context(), tx.ID, "guess", "192.0.2.1")
	wantErr(t, err, recovery.ErrNoTransaction)
	old := tx.Handle(recovery.FlowCrossDevice)
	for range 3 {
		tx, _ = b.Open(t.Context(), tx.ID, secret)
		_, err = b.Confirm(t.Context(), tx, "abcdef")
		wantErr(t, err, recovery.ErrWrongCode)
	}
	tx, _ = b.Open(t.Context(), tx.ID, secret)
	if tx.State != recovery.StateRequested || tx.Handle(recovery.FlowCrossDevice) == old {
		t.Fatalf("after three wrong codes: %s", tx.State)
	}
	_, err = b.Confirm(t.Context(), tx, digits)
	wantErr(t, err, recovery.ErrNoTransaction)
}

// Guesses that are sent all at once, before any of them could be counted, are told nothing but that somebody else was
// faster: the right one among them looks like the wrong ones, and together they cost one try.
func TestManyGuessesAtOnce(t *testing.T) {
	b := setUp(t, nil)
	tx, secret, digits := b.answered(t)
	tx, _ = b.Open(t.Context(), tx.ID, secret)
	if _, err := b.Confirm(t.Context(), tx, "abcdef"); !errors.Is(err, recovery.ErrWrongCode) {
		t.Fatal(err)
	}
	for _, guess := range []string{"000000", "abcdef", "", digits} { // all from what was read before the first was counted
		if _, err := b.Confirm(t.Context(), tx, guess); !errors.Is(err, recovery.ErrConflict) || errors.Is(err, recovery.ErrWrongCode) {
			t.Errorf("a guess that came too late: %v", err)
		}
	}
	tx, _ = b.Open(t.Context(), tx.ID, secret)
	tx, err := b.Confirm(t.Context(), tx, digits)
	if err != nil || tx.State != recovery.StateApproved {
		t.Errorf("the right digits: %s, %v", tx.State, err)
	}
}

// A third wrong code that was counted, and whose new attempt could not be stored, is no invitation to a fourth.
func TestNoFourthGuess(t *testing.T) {
	b := setUp(t, nil)
	tx, secret, digits := b.answered(t)
	outage := errors.New("outage")
	b.failStore = func(t recovery.Transaction) error {
		if t.Presentation.Answer == nil {
			return outage
		}
		return nil
	}
	for _, want := range []error{recovery.ErrWrongCode, recovery.ErrWrongCode, outage, outage} {
		tx, _ = b.Open(t.Context(), tx.ID, secret)
		_, err := b.Confirm(t.Context(), tx, "abcdef")
		wantErr(t, err, want)
	}
	b.failStore = nil
	tx, _ = b.Open(t.Context(), tx.ID, secret)
	tx, err := b.Confirm(t.Context(), tx, digits)
	if wantErr(t, err, recovery.ErrWrongCode); tx.State != recovery.StateRequested {
		t.Errorf("the fourth try was looked at: %s", tx.State)
	}
}

// The first genuine answer wins, of any number at once, and a later one changes nothing.
func TestFirstAnswerWins(t *testing.T) {
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	handle := tx.Handle(recovery.FlowSameDevice)
	if _, err := b.Retrieve(t.Context(), handle, buildRequest); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	won := make(chan recovery.PresentResult, 16)
	for range 16 {
		wg.Go(func() {
			receipt, err := b.Present(t.Context(), handle, b.evidence(nil))
			if err == nil {
				won <- receipt
			} else if !errors.Is(err, recovery.ErrAnswered) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Errorf("%d answers won", len(won))
	}
	_, err := b.Report(t.Context(), handle, "access_denied")
	wantErr(t, err, recovery.ErrAnswered)
	_, err = b.Retrieve(t.Context(), handle, buildRequest)
	wantErr(t, err, recovery.ErrAnswered)
	// Nor in the other channel.
	_, err = b.Present(t.Context(), tx.Handle(recovery.FlowCrossDevice), b.evidence(nil))
	wantErr(t, err, recovery.ErrAnswered)
}

// An answer needs a request that was fetched: without one there is no nonce that it could have signed.
func TestNoAnswerBeforeTheRequestIsFetched(t *testing.T) {
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	_, err := b.Present(t.Context(), tx.Handle(recovery.FlowSameDevice), b.evidence(nil))
	wantErr(t, err, recovery.ErrIllegalStep)
	if b.last().Type != recovery.EventTransitionRefused {
		t.Errorf("a skipped step left %s in the audit log", b.last().Type)
	}
}

func TestARequestIsMadeOnceAndFetchedOften(t *testing.T) {
	b := setUp(t, nil)
	tx, _ := b.start(t, "ada@example.org")
	made := 0
	build := func() []byte {
		made++
		return buildRequest()
	}
	for range 3 {
		open, err := b.Retrieve(t.Context(), tx.Handle(recovery.FlowSameDevice), build)
		if err != nil || string(open.Request()) != `{"nonce":"n"}` {
			t.Fatalf("%s, %v", open.Request(), err)
		}
	}
	if made != 1 {
		t.Errorf("the request was made %d times", made)
	}
	if _, err := b.Retrieve(t.Context(), tx.Handle(recovery.FlowCrossDevice), build); err != nil || made != 2 {
		t.Errorf("the other flow: %d requests, %v", made, err)
	}
}

// Handles of an earlier attempt, of another transaction or of none find nothing.
func TestHandles(t *testing.T) {
	b := setUp(t, nil)
	tx, secret := b.start(t, "ada@example.org")
	old := tx.Handle(recovery.FlowSameDevice)
	other, _ := b.start(t, "ada@example.org")
	tx, _ = b.Open(t.Context(), tx.ID, secret)
	tx, err := b.Ask(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	_, foreign, _ := strings.Cut(string(other.Handle(recovery.FlowSameDevice)), ".")
	for _, handle := range []recovery.Handle{
		old, "", ".", "x", "x.y", recovery.Handle(string(tx.ID) + "."), recovery.Handle(tx.ID), recovery.Handle(string(tx.ID) + "." + foreign),
		recovery.Handle(string(tx.ID) + "." + secret), tx.Handle("another flow"),
	} {
		if _, err := b.Find(t.Context(), handle); !errors.Is(err, recovery.ErrNoTransaction) {
			t.Errorf("%q: %v", handle, err)
		}
	}
	b.now = b.now.Add(15 * time.Minute)
	_, err = b.Find(t.Context(), tx.Handle(recovery.FlowSameDevice))
	wantErr(t, err, recovery.ErrExpired)
}

func TestNoDoorForAnotherDeviceUnlessAllowed(t *testing.T) {
	b := setUp(t, func(p *recovery.Policy) { p.Profiles[0].Channels = p.Profiles[0].Channels[:1] })
	tx, _ := b.start(t, "ada@example.org")
	if tx.Handle(recovery.FlowCrossDevice) != "" || tx.Handle(recovery.FlowSameDevice) == "" {
		t.Error("another device may answer, or this one may not")
	}
}

// A wallet's error is unsigned: it is shown, and decides nothing.
func TestReportDecidesNothing(t *testing.T) {
	b := setUp(t, nil)
	tx, secret := b.start(t, "ada@example.org")
	handle := tx.Handle(recovery.FlowSameDevice)
	for range 2 {
		if _, err := b.Report(t.Context(), handle, "access_denied"); err != nil {
			t.Fatal(err)
		}
	}
	tx, _ = b.Open(t.Context(), tx.ID, secret)
	if !tx.State.Open() || tx.Presentation.WalletError != "access_denied" {
		t.Errorf("%s, %+v", tx.State, tx.Presentation)
	}
	receipt := b.present(t, tx, recovery.FlowSameDevice, nil)
	tx, _ = b.Open(t.Context(), tx.ID, secret)
	if tx, err := b.Return(t.Context(), tx, receipt.ResponseCode); err != nil || tx.State != recovery.StateApproved {
		t.Errorf("after an error the honest answer was lost: %s, %v", tx.State, err)
	}
}

func TestProofingAndBack(t *testing.T) {
	b := setUp(t, nil)
	tx, _, err := b.Start(t.Context(), recovery.StartParams{Client: "main-idp", Account: "ada@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	if tx, err = b.LeaveForProofing(t.Context(), tx); err != nil || tx.State != recovery.StateProofing {
		t.Fatalf("%s, %v", tx.State, err)
	}
	if tx, err = b.ComeBack(t.Context(), tx, false); err != nil || b.last().Type != recovery.EventProofingFailed {
		t.Fatalf("%s, %v", b.last().Type, err)
	}
	if tx, err = b.LeaveForProofing(t.Context(), tx); err != nil {
		t.Fatal(err)
	}
	if tx, err = b.ComeBack(t.Context(), tx, true); err != nil || tx.State != recovery.StateInformed {
		t.Fatalf("%s, %v", tx.State, err)
	}
	if _, err = b.Ask(t.Context(), tx); err != nil {
		t.Error(err)
	}
}

func TestExpiryAndCancellation(t *testing.T) {
	b := setUp(t, nil)
	tx, secret := b.start(t, "ada@example.org")
	cancelled, _ := b.start(t, "ada@example.org")
	if cancelled, err := b.Cancel(t.Context(), cancelled); err != nil || cancelled.State != recovery.StateCancelled || cancelled.Presentation != nil {
		t.Errorf("%s, %v", cancelled.State, err)
	}
	b.now = b.now.Add(15 * time.Minute)
	_, err := b.Ask(t.Context(), tx)
	wantErr(t, err, recovery.ErrExpired)
	if tx, err = b.Open(t.Context(), tx.ID, secret); err != nil || tx.State != recovery.StateExpired {
		t.Errorf("%s, %v", tx.State, err)
	}
}

func TestNewServiceNamesWhatIsMissing(t *testing.T) {
	_, err := recovery.NewService(recovery.Ports{}, recovery.Policy{})
	if err == nil || !strings.Contains(err.Error(), "is missing") {
		t.Errorf("got %v", err)
	}
}
