package recovery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
)

// maxConfirmationTries is how many wrong six-digit codes a person may type before the request is void: three guesses
// at one in a million.
const maxConfirmationTries = 3

// PresentResult is what the wallet is told after a genuine answer: the response code for its redirect_uri (OpenID4VP 1.0
// §8.2), unguessable and given out once.
type PresentResult struct {
	Transaction  TransactionID
	Flow         Flow
	ResponseCode string
	Results      []RuleResult // what each rule said, for the operator; the wallet is told nothing of it
}

// Present takes the evidence of a genuine presentation, the first one of its attempt (ErrAnswered after that), and
// weighs it. The verdict is not in force before the browser that started shows the response code or the confirmation,
// so a stranger's answer cannot deny the person anything. The evidence itself is not stored.
func (s *Service) Present(ctx context.Context, handle Handle, evidence Evidence) (PresentResult, error) {
	return RetryOnConflict(func() (PresentResult, error) { return s.present(ctx, handle, evidence) })
}

func (s *Service) present(ctx context.Context, handle Handle, evidence Evidence) (PresentResult, error) {
	open, err := s.Find(ctx, handle)
	if err != nil {
		return PresentResult{}, err
	}
	t := open.Transaction
	if open.Answered() {
		return PresentResult{}, ErrAnswered
	}
	if open.Request() == nil { // no wallet can have its nonce, whatever other channels were fetched
		return PresentResult{}, errors.Join(
			fmt.Errorf("answer to a request that was not made: %w", ErrIllegalStep), s.auditFew(ctx, t, EventTransitionRefused))
	}
	verdict, err := s.weigh(ctx, t, evidence)
	if err != nil {
		return PresentResult{}, err
	}
	steps := []Step{StepPresent}
	if t.State == StateRequested {
		steps = []Step{StepRetrieve, StepPresent} // the link had the request in it: only now it shows that a wallet has it
	}
	changed, err := s.apply(ctx, t, steps...)
	if err != nil {
		return PresentResult{}, err
	}
	code, answer, err := s.newAnswer(open.Channel, verdict)
	if err != nil {
		return PresentResult{}, err
	}
	// The keys of the answered request are of no more use to anybody.
	changed.Presentation = &PresentationAttempt{Requests: secretsOnly(t.Presentation.Requests), Answer: &answer}
	if _, err := s.store(ctx, changed, EventPresentationCompleted); err != nil {
		return PresentResult{}, err
	}
	return PresentResult{Transaction: t.ID, Flow: open.Channel.Flow, ResponseCode: code, Results: verdict.Results}, nil
}

// weigh asks the directory again, since minutes have passed, and decides.
func (s *Service) weigh(ctx context.Context, t Transaction, evidence Evidence) (Decision, error) {
	account, profile, ineligible, err := s.lookUp(ctx, t.Account)
	if err != nil {
		// Fail closed, with a reason that the operator can read.
		return Decision{Outcome: OutcomeDenied, Reason: ReasonDirectoryUnavailable}, nil //nolint:nilerr // a denial is an outcome
	}
	if t.Ineligible != ReasonNone {
		ineligible = t.Ineligible
	}
	if ineligible == ReasonNone && profile.Name != t.Profile {
		// The account moved to another profile meanwhile: what was asked for is not what that one demands.
		ineligible = ReasonAccountOutOfScope
	}
	if profile, err = s.Profile(t); err != nil {
		return Decision{}, err
	}
	return Decide(DecisionInput{
		Profile: profile, Account: account, Ineligible: ineligible, Evidence: evidence, StartedAt: t.StartedAt, Now: s.ports.Clock(),
	}), nil
}

func (s *Service) newAnswer(channel Channel, verdict Decision) (string, Answer, error) {
	code, err := newSecret(s.ports.Random, 32)
	if err != nil {
		return "", Answer{}, err
	}
	answer := Answer{Flow: channel.Flow, NoRedirectBack: channel.NoRedirectBack, ResponseCode: DigestOf(code), Verdict: verdict}
	if channel.Flow == FlowCrossDevice && !channel.NoRedirectBack {
		if answer.Confirmation, err = newConfirmation(s.ports.Random); err != nil {
			return "", Answer{}, err
		}
	}
	return code, answer, nil
}

// newConfirmation returns six random digits.
func newConfirmation(random io.Reader) (string, error) {
	var buf [16]byte
	if _, err := io.ReadFull(random, buf[:]); err != nil {
		return "", fmt.Errorf("read randomness: %w", err)
	}
	// 128 bits modulo a million: the bias is below 2^-100.
	n := new(big.Int).Mod(new(big.Int).SetBytes(buf[:]), big.NewInt(1_000_000))
	return fmt.Sprintf("%06d", n.Int64()), nil
}

func secretsOnly(requests []PendingRequest) []PendingRequest {
	c := make([]PendingRequest, 0, len(requests))
	for _, r := range requests {
		r.Request = nil
		c = append(c, r)
	}
	return c
}

// Reject records that an answer was refused, and by which check. The transaction is not changed: its request stays open
// for the wallet that it was meant for.
func (s *Service) Reject(ctx context.Context, t Transaction, results []RuleResult) error {
	t.Decision = &Decision{Results: results} // of a copy: only the record has it
	return s.auditFew(ctx, t, EventPresentationRejected)
}

// maxInvalidResponses is how many invalid responses a pending request takes before it is closed until the person asks anew.
// A sender who knows its handle could have ended the attempt with an answer of their own.
const maxInvalidResponses = 100

// CountInvalidResponse counts a response that was not a valid answer to its request. Each one may cost the fetch of a DID
// document, at an address that a stranger chose, so their number is bounded.
func (s *Service) CountInvalidResponse(ctx context.Context, open OpenRequest) error {
	n, err := s.ports.Attempts.Increment(ctx, "invalid response\x00"+string(DigestOf(string(open.Handle()))), MaxLifetime)
	if err != nil {
		return fmt.Errorf("count the invalid response: %w", err)
	}
	if n < maxInvalidResponses || open.Answered() {
		return nil
	}
	t := open.Transaction
	t.Presentation = t.Presentation.with(open.index, func(r *PendingRequest) { r.Closed, r.Request = true, nil })
	if _, err := s.store(ctx, t, EventPresentationClosed); err != nil && !errors.Is(err, ErrConflict) { // the next one tries again
		return err
	}
	return nil
}

// Report notes that the wallet answered with an error (the person declined, nothing to present …). Such an answer is
// unsigned, so it changes nothing but what the page says; the person may try again or cancel.
func (s *Service) Report(ctx context.Context, handle Handle, walletError string) (OpenRequest, error) {
	open, err := s.Find(ctx, handle)
	if err != nil {
		return OpenRequest{}, err
	}
	t := open.Transaction
	if t.Presentation.Answer != nil {
		return OpenRequest{}, ErrAnswered
	}
	if t.Presentation.WalletError != "" {
		return open, nil
	}
	attempt := *t.Presentation
	attempt.WalletError = walletError
	t.Presentation = &attempt
	open.Transaction, err = s.store(ctx, t, EventPresentationRefused)
	return open, err
}
