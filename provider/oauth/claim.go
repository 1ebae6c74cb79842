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
// write it, which lets two concurrent callers through.
func (s *Server) claim(ctx context.Context, t *tokenRequest) error {
	switch err := s.useUp(ctx, t.row, *t.code); {
	case errors.Is(err, storage.ErrConflict), errors.Is(err, storage.ErrNotFound):
		return problem.InvalidGrant("The authorization code has already been used.")
	case err != nil:
		return problem.Unavailable(err)
	}
	return nil
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
	g.Claimed = true
	var err error
	if row.Data, err = storage.Encode(g); err != nil {
		return err
	}
	return s.store.Update(ctx, row)
}
