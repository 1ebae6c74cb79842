package recovery

import (
	"context"
	"errors"
	"fmt"
)

// Claim says which transaction is redeemed, by whom, and with which code.
type Claim struct {
	Transaction TransactionID
	Client      ClientID
	Code        CodeID // "" where the pass is shown on the screen before a code is made
}

// Redemption is a redeemed recovery: the contents of the recovery token.
type Redemption struct {
	Transaction Transaction
	Account     Account // as read from the directory at redemption
	Profile     Profile
	Pass        Pass
}

// Redeem issues the pass of an approved transaction to the client that started it. For each transaction at most one
// call passes the compare-and-swap to issuing, whatever races, retries or crashes happen: a crash after it costs the
// person another recovery, never a second pass. That compare-and-swap claims the code too, since the transaction names
// the one code that redeems it: a crash before it leaves a transaction whose browser can be sent back with a new code.
// The audit record is durable before the pass is issued, and a pass that cannot be recorded afterwards is revoked.
func (s *Service) Redeem(ctx context.Context, claim Claim) (Redemption, error) {
	t, err := s.claimed(ctx, claim)
	if err != nil {
		return Redemption{}, err
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
	redemption := Redemption{Transaction: t, Account: order.Account, Profile: profile, Pass: pass}
	redemption.Transaction.Pass = &Issued{ID: pass.ID, ExpiresAt: pass.ExpiresAt}
	redeemed, err := s.advance(ctx, redemption.Transaction, EventPassIssued, StepRedeem)
	if err != nil {
		return Redemption{}, errors.Join(err, s.RevokePass(ctx, redemption))
	}
	redemption.Transaction = redeemed
	return redemption, nil
}

// RevokePass revokes a pass that was issued and cannot be handed out, and records that. It does both though the request has
// ended: the client that hung up is a reason for it, not against it.
func (s *Service) RevokePass(ctx context.Context, r Redemption) error {
	ctx = context.WithoutCancel(ctx)
	if err := s.ports.Passes.Revoke(ctx, r.Account.ID, r.Pass.ID); err != nil {
		return errors.Join(fmt.Errorf("revoke pass %s: %w", r.Pass.ID, err), s.audit(ctx, r.Transaction, EventPassFailed, ReasonNone))
	}
	return s.audit(ctx, r.Transaction, EventPassRevoked, ReasonNone)
}

// order prepares the order before the transaction is used up: a directory outage here costs a new recovery at most,
// and an account that was disabled, excluded or moved since the decision gets no pass.
func (s *Service) order(ctx context.Context, t Transaction) (PassOrder, Profile, error) {
	account, profile, err := s.eligible(ctx, t.Account, t.Profile)
	if errors.Is(err, ErrIneligible) {
		return PassOrder{}, Profile{}, errors.Join(ErrNoTransaction, err)
	}
	if err != nil {
		return PassOrder{}, Profile{}, err
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
	return t, redeemedBy(err)
}

// redeemedBy tells a caller that lost the compare-and-swap what it lost against.
func redeemedBy(err error) error {
	if errors.Is(err, ErrConflict) {
		return errors.Join(ErrRedeemed, err)
	}
	return err
}

// unissued asks the audit log whether the transaction has its pass. The store says that it has none, but may be an older
// copy of itself.
func (s *Service) unissued(ctx context.Context, t Transaction) error {
	issued, err := s.ports.Issuings.Issued(ctx, t.ID, t.StartedAt)
	if err != nil {
		return fmt.Errorf("look for the pass of transaction %s: %w", t.ID, err)
	}
	if issued {
		err := fmt.Errorf("the audit log has the pass of transaction %s, and the store has not: %w", t.ID, ErrRedeemed)
		return errors.Join(err, s.auditLimited(ctx, t, EventTransitionRefused))
	}
	return nil
}
