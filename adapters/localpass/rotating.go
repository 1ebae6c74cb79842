package localpass

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"regain/recovery"
)

// Rotating issues passes with one key and recognises those of others, while keys are replaced one node after the other. It
// implements recovery.PassIssuer.
//
// The key is in the names of entries and counters too, so an account has an entry for each key. Verify counts, reads and
// compares for each key, so that every kind of no costs the same; each count bounds the guesses at the pass of its key.
// Issue voids the passes of the other keys first, so that an account still has one pass at a time: what two nodes could
// leave behind that issue for one account in the same moment under different keys is two passes of its owner.
type Rotating struct {
	used   *Issuer
	others []*Issuer
}

// NewRotating returns an error if a dependency is missing. cfg has the key that hashes new passes.
func NewRotating(cfg Config, others ...[]byte) (*Rotating, error) {
	used, err := New(cfg)
	if err != nil {
		return nil, err
	}
	r := &Rotating{used: used}
	for i, key := range others {
		if len(key) != sha256.Size {
			return nil, fmt.Errorf("local pass issuer: key %d has %d bytes, not %d", i+2, len(key), sha256.Size)
		}
		cfg.Key = key
		r.others = append(r.others, &Issuer{cfg: cfg})
	}
	return r, nil
}

func (r *Rotating) Issue(ctx context.Context, order recovery.PassOrder) (recovery.Pass, error) {
	for _, other := range r.others {
		if err := other.void(ctx, order.Account.ID); err != nil {
			return recovery.Pass{}, err
		}
	}
	return r.used.Issue(ctx, order)
}

// Revoke implements recovery.PassIssuer. Revoking a pass that no longer exists succeeds.
func (r *Rotating) Revoke(ctx context.Context, account recovery.AccountID, passID string) error {
	problem := r.used.Revoke(ctx, account, passID)
	for _, other := range r.others {
		problem = errors.Join(problem, other.Revoke(ctx, account, passID))
	}
	return problem
}

// Verify is Issuer.Verify, with the pass of any key.
func (r *Rotating) Verify(ctx context.Context, client recovery.ClientID, account recovery.AccountID, pass string) (v Verdict, ok bool, err error) {
	v, ok, err = r.used.Verify(ctx, client, account, pass)
	for _, other := range r.others {
		if ok || err != nil {
			break
		}
		wait := v.RetryAfter
		if v, ok, err = other.Verify(ctx, client, account, pass); !ok && err == nil {
			v.RetryAfter = max(v.RetryAfter, wait)
		}
	}
	return v, ok, err
}

// void ends the account's pass, whichever it is.
func (i *Issuer) void(ctx context.Context, account recovery.AccountID) error {
	_, err := recovery.RetryOnConflict(func() (struct{}, error) {
		entry, k, err := i.read(ctx, i.key(account))
		if err != nil || k.Void {
			return struct{}{}, err
		}
		k.Void = true
		return struct{}{}, write(ctx, i.cfg.Store.Update, entry, k)
	})
	if err != nil && !errors.Is(err, recovery.ErrNotFound) {
		return fmt.Errorf("void the pass of another key: %w", err)
	}
	return nil
}
