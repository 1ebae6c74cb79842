package recovery

import (
	"context"
	"fmt"
)

// CodeID identifies a stored authorization code, without being one: the digest under which it is stored. It is empty for
// a pass that is shown on the screen, and for a client that gets its answer without a code.
type CodeID string

// MarkReturned records that the browser is sent back to the client with a code: after the approval or, where the pass
// is shown on the screen, after the person saw it. The step can be repeated, since an answer may be lost on its way; the
// transaction then names the new code, and the old one redeems nothing. ErrRedeemed means that a code was redeemed
// already, ErrConflict that the transaction was changed meanwhile, by a second press for example.
func (s *Service) MarkReturned(ctx context.Context, t Transaction, code CodeID) (Transaction, error) {
	now := s.ports.Clock()
	if t.Late(now) {
		return t, ErrExpired
	}
	if t.State != StateApproved && t.State != StateRedeemed || !t.CodeRedeemedAt.IsZero() || t.Version > maxChanges {
		return t, ErrRedeemed
	}
	t.ReturnedAt, t.ChangedAt, t.Code = now, now, code
	return s.compareAndSwap(ctx, t)
}

// RedeemCode records that a client redeemed the code of a transaction that issues no pass at the token endpoint: a
// sign-in, or a pass that was shown on the screen. Of several codes, and of any number of callers, one succeeds; the
// others get ErrRedeemed.
func (s *Service) RedeemCode(ctx context.Context, claim Claim) error {
	t, err := s.claimed(ctx, claim)
	if err != nil {
		return err
	}
	if t.State != StateApproved && t.State != StateRedeemed || !t.CodeRedeemedAt.IsZero() {
		return ErrRedeemed
	}
	now := s.ports.Clock()
	if t.Late(now) {
		return ErrExpired
	}
	t.CodeRedeemedAt, t.ChangedAt = now, now
	_, err = s.compareAndSwap(ctx, t)
	return redeemedBy(err)
}

// claimed returns the transaction that a claim names. ErrNoTransaction: there is none, or it is another client's.
// ErrRedeemed: another code took the place of the claim's.
func (s *Service) claimed(ctx context.Context, claim Claim) (Transaction, error) {
	t, err := s.get(ctx, claim.Transaction)
	if err != nil {
		return t, err
	}
	if t.Client != claim.Client {
		return t, ErrNoTransaction
	}
	if t.Code != claim.Code {
		return t, fmt.Errorf("the code is not the one that the browser was last sent back with: %w", ErrRedeemed)
	}
	return t, nil
}
