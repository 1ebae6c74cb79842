package oauth

import (
	"context"
	"errors"
	"fmt"

	"regain/provider/clients"
	"regain/provider/problem"
	"regain/recovery"
)

// Accounts answers the one question in front of every code and token: is its account still there, enabled, not excluded,
// and covered by the profile under which its owner was verified? recovery.Service does.
type Accounts interface {
	// Eligible returns the account, or recovery.ErrIneligible. Any other error is an outage.
	Eligible(ctx context.Context, id recovery.AccountID, under recovery.ProfileName) (recovery.Account, error)
}

// holder returns the account that a client's code or token stands for, as the directory has it now, or recovery.ErrIneligible
// if it may have none any more. An account that is called something else since is one of those: the name that the token says
// may be somebody else's by now. While the directory does not answer, nothing is honoured, and nothing is called invalid: the
// client may try again.
func (s *Server) holder(ctx context.Context, client *clients.Client, sess *session) (recovery.Account, error) {
	account, err := s.accounts.Eligible(ctx, recovery.AccountID(sess.Account), recovery.ProfileName(sess.Profile))
	if err != nil && !errors.Is(err, recovery.ErrIneligible) {
		return recovery.Account{}, problem.Unavailable(err)
	}
	if err == nil && client.Subject(account) != sess.Subject {
		return recovery.Account{}, errRenamed
	}
	return account, err
}

// errRenamed means that sub is not what it was when the code or token was made.
var errRenamed = fmt.Errorf("%w: it has another name than when this was made", recovery.ErrIneligible)

// ineligibleIs says what an endpoint answers for an account that may have no tokens any more.
func ineligibleIs(refusal *problem.Error, err error) error {
	if errors.Is(err, errRenamed) {
		refusal.Description += " It has another name by now: have the person go on again."
	}
	if errors.Is(err, recovery.ErrIneligible) {
		return refusal.WithCause(err)
	}
	return err
}
