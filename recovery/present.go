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

// Receipt is what the wallet is told after a genuine answer: the response code for its redirect_uri (OpenID4VP 1.0
// §8.2), unguessable and given out once.
type Receipt struct {
	Transaction  TransactionID
	Flow         Flow
	ResponseCode string
	Results      []RuleResult // what each rule said, for the operator; the wallet is told nothing of it
}

// Present takes the evidence of a genuine presentation, the first one for its round (ErrAnswered after that), and
// weighs it. The verdict is not in force before the browser that started shows the response code or the confirmation,
// so an answer that a stranger slipped in denies nobody anything. The evidence itself is not stored.
func (s *Service) Present(ctx context.Context, handle Handle, evidence Evidence) (Receipt, error) {
	return again(func() (Receipt, error) { return s.present(ctx, handle, evidence) })
}

func (s *Service) present(ctx context.Context, handle Handle, evidence Evidence) (Receipt, error) {
	asked, err := s.Find(ctx, handle)
	if err != nil {
		return Receipt{}, err
	}
	t := asked.Transaction
	if asked.Answered() {
		return Receipt{}, ErrAnswered
	}
	if asked.Request() == nil { // whatever other doors were opened: by this one nobody got a nonce
		return Receipt{}, errors.Join(
			fmt.Errorf("answer to a request that was not made: %w", ErrIllegalStep), s.auditFew(ctx, t, EventTransitionRefused))
	}
	verdict, err := s.weigh(ctx, t, evidence)
	if err != nil {
		return Receipt{}, err
	}
	steps := []Step{StepPresent}
	if t.State == StateRequested {
		steps = []Step{StepRetrieve, StepPresent} // the link had the request in it: only now it shows that a wallet has it
	}
	changed, err := s.apply(ctx, t, steps...)
	if err != nil {
		return Receipt{}, err
	}
	code, answer, err := s.newAnswer(asked.Way, verdict)
	if err != nil {
		return Receipt{}, err
	}
	// The keys of the answered request are of no more use to anybody.
	changed.Round = &Round{Doors: secretsOnly(t.Round.Doors), Answer: &answer}
	if _, err := s.store(ctx, changed, EventPresentationCompleted); err != nil {
		return Receipt{}, err
	}
	return Receipt{Transaction: t.ID, Flow: asked.Way.Flow, ResponseCode: code, Results: verdict.Results}, nil
}

// weigh asks the directory again, since minutes have passed, and decides.
func (s *Service) weigh(ctx context.Context, t Transaction, evidence Evidence) (Decision, error) {
	account, profile, barred, err := s.lookUp(ctx, t.Account)
	if err != nil {
		// Fail closed, with a reason that the operator can read.
		return Decision{Outcome: OutcomeDenied, Reason: ReasonDirectoryUnavailable}, nil //nolint:nilerr // a denial is an outcome
	}
	if t.Barred != ReasonNone {
		barred = t.Barred
	}
	if barred == ReasonNone && profile.Name != t.Profile {
		// The account moved to another profile meanwhile: what was asked for is not what that one demands.
		barred = ReasonAccountOutOfScope
	}
	if profile, err = s.Profile(t); err != nil {
		return Decision{}, err
	}
	return Decide(Question{
		Profile: profile, Account: account, Barred: barred, Evidence: evidence, StartedAt: t.StartedAt, Now: s.ports.Clock(),
	}), nil
}

func (s *Service) newAnswer(way Way, verdict Decision) (string, Answer, error) {
	code, err := newSecret(s.ports.Random, 32)
	if err != nil {
		return "", Answer{}, err
	}
	answer := Answer{Flow: way.Flow, Unbound: way.Unbound, ResponseCode: DigestOf(code), Verdict: verdict}
	if way.Flow == FlowCrossDevice && !way.Unbound {
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

func secretsOnly(doors []Door) []Door {
	c := make([]Door, 0, len(doors))
	for _, door := range doors {
		door.Request = nil
		c = append(c, door)
	}
	return c
}

// Reject records that an answer was refused, and by which check. The transaction is not changed: its request stays open
// for the wallet that it was meant for.
func (s *Service) Reject(ctx context.Context, t Transaction, results []RuleResult) error {
	t.Decision = &Decision{Results: results} // of a copy: only the record has it
	return s.auditFew(ctx, t, EventPresentationRejected)
}

// maxMisses is how much may come through one door that is no answer, before it is closed until the person asks anew.
// Whoever got that far could have ended the round with an answer of their own.
const maxMisses = 100

// Miss notes that something came through a door that was no answer. Each time may cost a look at somebody's DID document, at
// an address that a stranger chose, so there is an end to it.
func (s *Service) Miss(ctx context.Context, asked Asked) error {
	n, err := s.ports.Attempts.Increment(ctx, "miss\x00"+string(DigestOf(string(asked.Handle()))), MaxLifetime)
	if err != nil {
		return fmt.Errorf("count what came: %w", err)
	}
	if n < maxMisses || asked.Answered() {
		return nil
	}
	t := asked.Transaction
	t.Round = t.Round.with(asked.door, func(d *Door) { d.Closed, d.Request = true, nil })
	if _, err := s.store(ctx, t, EventPresentationClosed); err != nil && !errors.Is(err, ErrConflict) { // the next one tries again
		return err
	}
	return nil
}

// Report notes that the wallet answered with an error (the person declined, nothing to present …). Such an answer is
// unsigned, so it changes nothing but what the page says; the person may try again or cancel.
func (s *Service) Report(ctx context.Context, handle Handle, walletError string) (Asked, error) {
	asked, err := s.Find(ctx, handle)
	if err != nil {
		return Asked{}, err
	}
	t := asked.Transaction
	if t.Round.Answer != nil {
		return Asked{}, ErrAnswered
	}
	if t.Round.WalletError != "" {
		return asked, nil
	}
	round := *t.Round
	round.WalletError = walletError
	t.Round = &round
	asked.Transaction, err = s.store(ctx, t, EventPresentationRefused)
	return asked, err
}
