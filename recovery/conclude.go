package recovery

import (
	"context"
	"crypto/subtle"
	"errors"
	"slices"
)

// Return brings the verdict of a presentation into force that came back through the browser which started: from the
// wallet's page with the response code (OpenID4VP 1.0 §13.3, HAIP 1.0 §5.1), or by the Digital Credentials API. t is from
// Open, which checked the browser.
func (s *Service) Return(ctx context.Context, t Transaction, responseCode string) (Transaction, error) {
	if t.State.Decided() {
		return t, nil // the person reloaded the page; the code does nothing more
	}
	answer, err := t.pending(FlowSameDevice, FlowBrowser)
	if err != nil {
		return t, err
	}
	if !answer.ResponseCode.Matches(responseCode) {
		return t, ErrWrongCode
	}
	return s.conclude(ctx, t)
}

// Confirm brings the verdict of a cross-device presentation into force: the person typed the six digits that the
// wallet's side showed, which proves that the holder of the wallet talks to the person at this browser (against the
// relayed QR code). After three wrong ones the attempt is void and Ask begins another.
func (s *Service) Confirm(ctx context.Context, t Transaction, digits string) (Transaction, error) {
	if t.State.Decided() {
		return t, nil
	}
	answer, err := t.pending(FlowCrossDevice)
	if err != nil {
		return t, err
	}
	if answer.Tries >= maxConfirmationTries { // the third was counted, and then something failed
		return s.askAgain(ctx, t)
	}
	// A try is counted before it is looked at: many guesses at once would all be told whether they were right, and cost
	// one try.
	tried := *answer
	tried.Tries++
	t.Presentation = &PresentationAttempt{Requests: t.Presentation.Requests, Answer: &tried}
	if t, err = s.compareAndSwap(ctx, t); err != nil {
		return t, err
	}
	if subtle.ConstantTimeCompare([]byte(answer.Confirmation), []byte(digits)) == 1 {
		return s.conclude(ctx, t)
	}
	if err := s.audit(ctx, t, EventConfirmationFailed, ReasonNone); err != nil {
		return t, err
	}
	if tried.Tries >= maxConfirmationTries {
		return s.askAgain(ctx, t)
	}
	return t, ErrWrongCode
}

// askAgain makes the attempt void and says that the code was wrong.
func (s *Service) askAgain(ctx context.Context, t Transaction) (Transaction, error) {
	t, err := s.Ask(ctx, t)
	if err != nil {
		return t, err
	}
	return t, ErrWrongCode
}

// Proceed brings the verdict of a presentation into force that came from a wallet which does not come back: the person
// says in the browser that started that it was theirs. That proves nothing, and the record says so.
func (s *Service) Proceed(ctx context.Context, t Transaction) (Transaction, error) {
	if t.State.Decided() {
		return t, nil
	}
	if t.State != StatePresented || t.Presentation == nil || t.Presentation.Answer == nil || !t.Presentation.Answer.NoRedirectBack {
		return t, ErrNoTransaction
	}
	return s.conclude(ctx, t)
}

// Confirmation returns the answered transaction to the browser that opens the redirect_uri of a cross-device answer; its
// answer has the six digits to show there. How far their network is from the one that started is noted, for the verdict.
func (s *Service) Confirmation(ctx context.Context, id TransactionID, responseCode, network string) (Transaction, error) {
	return RetryOnConflict(func() (Transaction, error) { return s.confirmation(ctx, id, responseCode, network) })
}

func (s *Service) confirmation(ctx context.Context, id TransactionID, responseCode, network string) (Transaction, error) {
	t, err := s.get(ctx, id)
	if err != nil {
		return t, err
	}
	answer, err := t.pending(FlowCrossDevice)
	if err != nil || !answer.ResponseCode.Matches(responseCode) || t.Late(s.ports.Clock()) {
		return t, ErrNoTransaction
	}
	if distance := t.distanceTo(network); answer.Distance == "" && distance != "" {
		noted := *answer
		noted.Distance = distance
		t.Presentation = &PresentationAttempt{Requests: t.Presentation.Requests, Answer: &noted}
		return s.compareAndSwap(ctx, t)
	}
	return t, nil
}

// ReturnElsewhere is a browser that did not start the transaction opening the redirect_uri of a same-device answer:
// somebody was led to present for another person's recovery. It ends the transaction. Without the right response code
// nothing happens: a stranger must not be able to end it either.
func (s *Service) ReturnElsewhere(ctx context.Context, id TransactionID, responseCode string) error {
	t, err := s.get(ctx, id)
	if err != nil {
		return err
	}
	answer, err := t.pending(FlowSameDevice)
	if err != nil || !answer.ResponseCode.Matches(responseCode) {
		return ErrNoTransaction
	}
	_, err = s.advance(ctx, t, EventBrowserMismatch, StepCancel)
	return err
}

// pending returns the answer that waits for its browser, if it came by one of flows.
func (t Transaction) pending(flows ...Flow) (*Answer, error) {
	if t.State != StatePresented || t.Presentation == nil || t.Presentation.Answer == nil {
		return nil, ErrNoTransaction
	}
	if !slices.Contains(flows, t.Presentation.Answer.Flow) || t.Presentation.Answer.NoRedirectBack {
		return nil, ErrWrongCode
	}
	return t.Presentation.Answer, nil
}

// conclude turns the pending verdict into the decision.
func (s *Service) conclude(ctx context.Context, t Transaction) (Transaction, error) {
	verdict := t.Presentation.Answer.Verdict
	if t.Presentation.Answer.NoRedirectBack {
		verdict.Results = append(slices.Clone(verdict.Results), RuleResult{
			Rule: "session:bound", Pass: true, Detail: "not asked for: wallets of this kind do not come back to the browser that started",
		})
	}
	if t.Presentation.Answer.Flow == FlowCrossDevice {
		profile, err := s.Profile(t)
		if err != nil {
			return t, err
		}
		verdict = profile.CrossDevice.judge(t.Presentation.Answer.Distance, verdict)
	}
	t.Decision, t.Flow, t.NoRedirectBack, t.DecidedAt = &verdict, t.Presentation.Answer.Flow, t.Presentation.Answer.NoRedirectBack, s.ports.Clock()
	switch verdict.Outcome {
	case OutcomeApproved:
		return s.advance(ctx, t, EventAccountMatched, StepApprove)
	case OutcomeEvaluated:
		return s.advance(ctx, t, EventRecoveryEvaluated, StepEvaluate)
	default:
		return s.advance(ctx, t, EventRecoveryDenied, StepDeny)
	}
}

// MarkReturned notes that the browser is sent back to the client with a code, after the approval or, where the pass was shown on
// the screen, after that. It succeeds once for each transaction.
func (s *Service) MarkReturned(ctx context.Context, t Transaction) (Transaction, error) {
	now := s.ports.Clock()
	if t.Late(now) {
		return t, ErrExpired
	}
	if t.State != StateApproved && t.State != StateRedeemed || !t.ReturnedAt.IsZero() {
		return t, ErrRedeemed
	}
	t.ReturnedAt, t.ChangedAt = now, now
	version, err := s.ports.Transactions.Update(ctx, t)
	if errors.Is(err, ErrConflict) {
		return t, errors.Join(ErrRedeemed, err)
	}
	t.Version = version
	return t, err
}
