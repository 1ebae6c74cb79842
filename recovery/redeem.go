package recovery

import (
	"context"
	"errors"
	"fmt"
)

// Redemption is a redeemed recovery: the contents of the recovery token.
type Redemption struct {
	Transaction Transaction
	Account     Account // as read from the directory at redemption
	Profile     Profile
	Pass        Pass
}

// Redeem issues the pass of an approved transaction to the client that started it. For each transaction at most one
// call passes the compare-and-swap to issuing, whatever races, retries or crashes happen: a crash after it costs the
// person another recovery, never a second pass. The audit record is durable before the pass is issued, and a pass
// that cannot be recorded afterwards is revoked.
func (s *Service) Redeem(ctx context.Context, id TransactionID, client ClientID) (Redemption, error) {
	t, err := s.get(ctx, id)
	if err != nil {
		return Redemption{}, err
	}
	if t.Client != client {
		return Redemption{}, ErrNoTransaction
	}
	order, profile, err := s.order(ctx, t)
	if err != nil {
		return Redemption{}, err
	}
	if t, err = s.claim(ctx, t); err != nil {
		return Redemption{}, err
	}
	pass, err := s.ports.Passes.Issue(ctx, order)
	if err != nil {
		return Redemption{}, errors.Join(fmt.Errorf("issue the pass: %w", err), s.audit(ctx, t, EventPassFailed, ReasonNone))
	}
	t.Pass = &Issued{ID: pass.ID, ExpiresAt: pass.ExpiresAt}
	if t, err = s.advance(ctx, t, EventPassIssued, StepRedeem); err != nil {
		return Redemption{}, errors.Join(err, s.ports.Passes.Revoke(ctx, order.Account.Name, pass.ID))
	}
	return Redemption{Transaction: t, Account: order.Account, Profile: profile, Pass: pass}, nil
}

// order prepares the order before the transaction is used up: a directory outage here costs a new recovery at most,
// and an account that was disabled, excluded or moved since the decision gets no pass.
func (s *Service) order(ctx context.Context, t Transaction) (PassOrder, Profile, error) {
	account, profile, ineligible, err := s.lookUp(ctx, t.Account)
	if err != nil {
		return PassOrder{}, Profile{}, err
	}
	if ineligible != ReasonNone || profile.Name != t.Profile || profile.Mode != ModeProduction {
		return PassOrder{}, Profile{}, fmt.Errorf("account is no longer eligible under profile %s: %w", t.Profile, ErrNoTransaction)
	}
	return PassOrder{Transaction: t.ID, Client: t.Client, Account: account, Policy: profile.Pass, Now: s.ports.Clock()}, profile, nil
}

// claim moves the transaction from approved to issuing, for one caller only, with a durable audit record.
func (s *Service) claim(ctx context.Context, t Transaction) (Transaction, error) {
	if t.State == StateIssuing || t.State == StateRedeemed {
		return t, ErrRedeemed
	}
	if t.Mode != ModeProduction || t.Decision == nil || t.Decision.Outcome != OutcomeApproved {
		return t, fmt.Errorf("transaction %s was not approved in production: %w", t.ID, ErrIllegalStep)
	}
	if err := s.unissued(ctx, t); err != nil {
		return t, err
	}
	t, err := s.advance(ctx, t, EventPassIssuing, StepIssue)
	if errors.Is(err, ErrConflict) {
		return t, errors.Join(ErrRedeemed, err)
	}
	return t, err
}

// unissued asks the audit log whether the transaction has its pass. The store says that it has none, but may be an older
// copy of itself.
func (s *Service) unissued(ctx context.Context, t Transaction) error {
	issued, err := s.ports.Issuings.Issued(t.ID, t.StartedAt)
	if err != nil {
		return errors.Join(ErrRedeemed, fmt.Errorf("look for the pass of transaction %s: %w", t.ID, err))
	}
	if issued {
		err := fmt.Errorf("the audit log has the pass of transaction %s, and the store has not: %w", t.ID, ErrRedeemed)
		return errors.Join(err, s.auditLimited(ctx, t, EventTransitionRefused))
	}
	return nil
}
