package recovery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
)

// maxConfirmationTries is how many wrong six-digit codes void an attempt: three guesses at one in a million.
const maxConfirmationTries = 3

// PresentResult is the result of a genuine presentation. Its response code belongs into the redirect_uri for the
// wallet (OpenID4VP 1.0 §8.2): it cannot be guessed and is returned once.
type PresentResult struct {
	Transaction  TransactionID
	Flow         Flow
	ResponseCode string
	Results      []RuleResult // each rule's result, for the operator only; never sent to the wallet
}

// Present weighs the evidence of the first genuine presentation of an attempt; further ones are ErrAnswered. The
// verdict becomes effective only when the browser that started shows the response code or the confirmation, so a
// stranger's presentation cannot deny the person's recovery. The evidence itself is not stored.
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
	if open.Request() == nil { // never fetched on this channel, so no wallet can know its nonce
		return PresentResult{}, errors.Join(
			fmt.Errorf("answer to a request that was not made: %w", ErrIllegalStep), s.auditLimited(ctx, t, EventTransitionRefused))
	}
	verdict := s.weigh(ctx, open, evidence)
	// A link may have contained the request, so that there was no fetch to record. A wallet may fetch more than once.
	changed, err := s.apply(ctx, t, StepRetrieve, StepPresent)
	if err != nil {
		return PresentResult{}, err
	}
	code, answer, err := newAnswer(open.Channel, verdict, s.ports.Random)
	if err != nil {
		return PresentResult{}, err
	}
	// The keys of the answered attempt are no longer needed.
	changed.Presentation = &PresentationAttempt{Requests: secretsOnly(t.Presentation.Requests), Answer: &answer}
	if _, err := s.store(ctx, changed, EventPresentationCompleted); err != nil {
		return PresentResult{}, err
	}
	return PresentResult{Transaction: t.ID, Flow: open.Channel.Flow, ResponseCode: code, Results: verdict.Results}, nil
}

// weigh reads the account again, since minutes have passed, and decides.
func (s *Service) weigh(ctx context.Context, open OpenRequest, evidence Evidence) Decision {
	t := open.Transaction
	found, err := s.reread(ctx, t)
	if err != nil {
		// Fail closed, with a reason for the operator.
		return Decision{Outcome: OutcomeDenied, Reason: ReasonDirectoryUnavailable}
	}
	ineligible := found.under(t.Profile)
	if t.Ineligible != ReasonNone {
		ineligible = t.Ineligible
	}
	return Decide(DecisionInput{
		Profile: open.Profile, Account: found.account, Ineligible: ineligible, Evidence: evidence, StartedAt: t.StartedAt, Now: s.ports.Clock(),
	})
}

// reread reads the account that the transaction is about. Where there was none at the start, it asks the directory for
// the requested name again, so that the work is the same, and makes nothing of the answer: whoever got that name
// meanwhile did not start this recovery.
func (s *Service) reread(ctx context.Context, t Transaction) (standing, error) {
	if t.Account != "" {
		return s.findByID(ctx, t.Account)
	}
	if _, err := s.find(ctx, t.Requested); err != nil {
		return standing{}, err
	}
	return s.judge(Account{}, ErrNotFound)
}

func newAnswer(channel Channel, verdict Decision, random io.Reader) (string, Answer, error) {
	code, err := newSecret(random, 32)
	if err != nil {
		return "", Answer{}, err
	}
	answer := Answer{Flow: channel.Flow, NoRedirectBack: channel.NoRedirectBack, ResponseCode: DigestOf(code), Verdict: verdict}
	if channel.Flow == FlowCrossDevice && !channel.NoRedirectBack {
		if answer.Confirmation, err = newConfirmation(random); err != nil {
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
		r.fix()
		c = append(c, r)
	}
	return c
}

// Reject records that a response was refused, and by which check. The transaction does not change: its request stays
// open for the wallet that it was meant for.
func (s *Service) Reject(ctx context.Context, t Transaction, results []RuleResult) error {
	t.Decision = &Decision{Results: results} // t is a copy: only the audit record gets this
	return s.auditLimited(ctx, t, EventPresentationRejected)
}

// maxInvalidResponses is how many invalid responses close a channel until the person asks again. This gives an
// attacker who knows the handle no new power: a valid presentation of their own would have ended the attempt too.
const maxInvalidResponses = 100

// CountInvalidResponse counts a response that was not a valid answer to its request, and closes the channel after too
// many. Each such response may make the server fetch a DID document from an address that a stranger chose.
func (s *Service) CountInvalidResponse(ctx context.Context, open OpenRequest) error {
	n, err := s.ports.Attempts.Increment(ctx, "invalid response\x00"+string(DigestOf(string(open.Handle()))), MaxLifetime)
	if err != nil {
		return fmt.Errorf("count the invalid response: %w", err)
	}
	if n < maxInvalidResponses || open.Answered() {
		return nil
	}
	t := open.Transaction
	t.Presentation = t.Presentation.with(open.index, func(r *PendingRequest) {
		r.fix()
		r.Closed, r.Request = true, nil
	})
	if _, err := s.store(ctx, t, EventPresentationClosed); err != nil && !errors.Is(err, ErrConflict) { // on a conflict the next invalid response closes it
		return err
	}
	return nil
}

// Report records that the wallet answered with an error (OpenID4VP 1.0 §8.5): the person declined, no matching
// credential … Error responses are unsigned, so they change only the page's message; the person may try again or
// cancel.
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
