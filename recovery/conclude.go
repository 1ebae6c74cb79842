package recovery

import (
	"context"
	"crypto/subtle"
	"slices"
)

// Return makes the verdict of a presentation effective after the browser that started the transaction came back: from
// the wallet with the response code (OpenID4VP 1.0 §13.3, HAIP 1.0 §5.1), or through the Digital Credentials API. t
// comes from Open, which checked the browser.
func (s *Service) Return(ctx context.Context, t Transaction, responseCode string) (Transaction, error) {
	if t.State.Decided() {
		return t, nil // the person reloaded the page; the code was used already
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

// Confirm makes the verdict of a cross-device presentation effective: the person typed the six digits shown on the
// wallet's device. That proves that the wallet's holder and the person at this browser talk to each other, and
// defeats a relayed QR code. After three wrong codes the attempt is void and a new one begins.
func (s *Service) Confirm(ctx context.Context, t Transaction, digits string) (Transaction, error) {
	if t.State.Decided() {
		return t, nil
	}
	answer, err := t.pending(FlowCrossDevice)
	if err != nil {
		return t, err
	}
	if answer.Tries >= maxConfirmationTries { // the third try was counted, then Ask failed
		return s.askAgain(ctx, t)
	}
	// The try is stored before the digits are compared. Otherwise parallel requests could test many guesses for the
	// price of one try.
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

// askAgain starts a new attempt in place of this one and returns ErrWrongCode.
func (s *Service) askAgain(ctx context.Context, t Transaction) (Transaction, error) {
	t, err := s.Ask(ctx, t)
	if err != nil {
		return t, err
	}
	return t, ErrWrongCode
}

// Proceed makes the verdict effective for a channel without redirect back: in the browser that started, the person
// confirms that the presentation was theirs. That proves nothing, and the audit record says so.
func (s *Service) Proceed(ctx context.Context, t Transaction) (Transaction, error) {
	if t.State.Decided() {
		return t, nil
	}
	if t.State != StatePresented || t.Presentation == nil || t.Presentation.Answer == nil || !t.Presentation.Answer.NoRedirectBack {
		return t, ErrNoTransaction
	}
	return s.conclude(ctx, t)
}

// Confirmation returns the transaction to the browser that opens the redirect_uri of a cross-device answer, to show
// the six digits of its Answer. It also stores whether that browser is in the network of the one that started; the
// verdict uses that.
func (s *Service) Confirmation(ctx context.Context, id TransactionID, responseCode, network string) (Transaction, error) {
	return RetryOnConflict(func() (Transaction, error) {
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
	})
}

// ReturnElsewhere ends the transaction because another browser than the one that started it opened the redirect_uri
// of a same-device answer: a victim was led to present for an attacker's recovery (session fixation; HAIP 1.0 §5.1
// requires the rejection). It needs the right response code, so that a stranger cannot end the transaction.
func (s *Service) ReturnElsewhere(ctx context.Context, id TransactionID, responseCode string) error {
	t, err := s.get(ctx, id)
	if err != nil {
		return err
	}
	answer, err := t.pending(FlowSameDevice)
	if err != nil || !answer.ResponseCode.Matches(responseCode) {
		return ErrNoTransaction
	}
	t.EndedElsewhere = true
	_, err = s.advance(ctx, t, EventBrowserMismatch, StepCancel)
	return err
}

// pending returns the answer that is not effective yet, if it arrived through one of flows.
func (t Transaction) pending(flows ...Flow) (*Answer, error) {
	if t.State != StatePresented || t.Presentation == nil || t.Presentation.Answer == nil {
		return nil, ErrNoTransaction
	}
	if !slices.Contains(flows, t.Presentation.Answer.Flow) || t.Presentation.Answer.NoRedirectBack {
		return nil, ErrWrongCode
	}
	return t.Presentation.Answer, nil
}

// decide records a decision, and then makes it effective. Every other step is stored first: here, a node that ended after the
// change and before the record, or that never heard that the change was made, would leave a decision that people see and act
// on, and no log has. In this order what such an end leaves is a record of a decision that is made again, the same, since the
// verdict is stored already.
func (l ledger) decide(ctx context.Context, t Transaction, event EventType, step Step) (Transaction, error) {
	changed, err := l.apply(ctx, t, step)
	if err != nil {
		return t, err
	}
	if err := l.audit(ctx, changed, event, changed.Decision.Reason); err != nil {
		return t, err
	}
	return l.compareAndSwap(ctx, changed)
}

// conclude makes the pending verdict the transaction's decision.
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
		return s.decide(ctx, t, EventAccountMatched, StepApprove)
	case OutcomeEvaluated:
		return s.decide(ctx, t, EventRecoveryEvaluated, StepEvaluate)
	default:
		return s.decide(ctx, t, EventRecoveryDenied, StepDeny)
	}
}
