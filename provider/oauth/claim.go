package oauth

import (
	"context"
	"errors"
	"fmt"

	"regain/provider/problem"
	"regain/recovery"
	"regain/storage"
)

// claim marks the code as used, by a compare-and-swap on the record that was checked. fosite would read it and then
// write it, which lets two concurrent callers through. The swap is made with the next change of the request, at the latest
// before its answer: what is made from the code until then is nobody's.
func (s *Server) claim(ctx context.Context, t *tokenRequest) error {
	used, err := claimed(t.row, *t.code)
	if err != nil {
		return problem.Unavailable(err)
	}
	return storage.Postpone(ctx, s.store, storage.Postponed{Change: storage.Updating(used), Again: func(_ context.Context, failed error) (storage.Change, error) {
		if errors.Is(failed, storage.ErrConflict) || errors.Is(failed, storage.ErrNotFound) {
			return storage.Change{}, problem.InvalidGrant("The authorization code has already been used.")
		}
		return storage.Change{}, problem.Unavailable(failed)
	}})
}

// Withdraw makes a code worthless whose place another one takes. It uses the code up as a token request would, so of the
// two one wins; if the token request did, its tokens are revoked (RFC 6749 §4.1.2). A code that is unknown or expired is
// worthless already.
func (s *Server) Withdraw(ctx context.Context, codeID string) error {
	_, err := recovery.RetryOnConflict(func() (struct{}, error) {
		row, err := s.store.Get(ctx, kindCode, codeID)
		if err != nil {
			return struct{}{}, err
		}
		var g grant
		if err := storage.Decode(row.Data, &g); err != nil {
			return struct{}{}, fmt.Errorf("decode code: %w", err)
		}
		if g.Claimed {
			return struct{}{}, errors.Join(s.records.RevokeAccessToken(ctx, g.ID), s.records.RevokeRefreshToken(ctx, g.ID))
		}
		return struct{}{}, s.useUp(ctx, row, g)
	})
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("withdraw code: %w", err)
	}
	return nil
}

// useUp stores the code as claimed, if it is still as it was read.
func (s *Server) useUp(ctx context.Context, row storage.Record, g grant) error {
	used, err := claimed(row, g)
	if err != nil {
		return err
	}
	return s.store.Update(ctx, used)
}

// claimed returns the record of a code as it is when it was used.
func claimed(row storage.Record, g grant) (storage.Record, error) {
	g.Claimed = true
	var err error
	row.Data, err = storage.Encode(g)
	return row, err
}
