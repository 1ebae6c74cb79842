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
}

// Present takes the evidence of a genuine presentation, the first one for its round (ErrAnswered after that), and
// weighs it. The verdict is not in force before the browser that started shows the response code or the confirmation,
// so an answer that a stranger slipped in denies nobody anything. The evidence itself is not stored.
func (s *Service) Present(ctx context.Context, handle Handle, evidence Evidence) (Receipt, error) {
	asked, err := s.Find(ctx, handle)
	if err != nil {
		return Receipt{}, err
	}
	t := asked.Transaction
	if t.Round.Answer != nil {
		return Receipt{}, ErrAnswered
	}
	verdict, err := s.weigh(ctx, t, evidence)
	if err != nil {
		return Receipt{}, err
	}
	changed, err := s.apply(ctx, t, StepPresent)
	if err != nil {
		return Receipt{}, err
	}
	code, answer, err := s.newAnswer(asked.Flow, verdict)
	if err != nil {
		return Receipt{}, err
	}
	// The keys of the answered request are of no more use to anybody.
	changed.Round = &Round{Doors: secretsOnly(t.Round.Doors), Answer: &answer}
	if _, err := s.store(ctx, changed, EventPresentationCompleted); err != nil {
		if errors.Is(err, ErrConflict) {
			return Receipt{}, errors.Join(ErrAnswered, err)
		}
		return Receipt{}, err
	}
	return Receipt{Transaction: t.ID, Flow: asked.Flow, ResponseCode: code}, nil
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

func (s *Service) newAnswer(flow Flow, verdict Decision) (string, Answer, error) {
	code, err := newSecret(s.ports.Random, 32)
	if err != nil {
		return "", Answer{}, err
	}
	answer := Answer{Flow: flow, ResponseCode: DigestOf(code), Verdict: verdict}
	if flow == FlowCrossDevice {
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

func secretsOnly(doors map[Flow]Door) map[Flow]Door {
	c := make(map[Flow]Door, len(doors))
	for flow, door := range doors {
		c[flow] = Door{Secret: door.Secret}
	}
	return c
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
