package recovery

import (
	"context"
	"errors"
	"fmt"
)

// ErrIneligible means that an account may not recover, or no longer: it is gone, disabled, excluded, or not covered by
// the profile under which its owner was verified. The Reason is in the text, for the operator.
var ErrIneligible = errors.New("account is not eligible")

// standing is what the directory and the profiles say of an account now.
type standing struct {
	account    Account // as the directory has it; of an unknown account, the zero Account
	profile    Profile // that covers it, or the decoy profile
	ineligible Reason  // why it may not recover, or ReasonNone
}

// find looks an account up as the main IdP named it. That happens once for each name that comes from outside; whatever
// follows goes by the id.
func (s *Service) find(ctx context.Context, requested RequestedAccount) (standing, error) {
	account, err := s.ports.Directory.Find(ctx, requested)
	if err == nil && !account.IsNamed(requested) {
		// Directories fold and normalise before they compare (RFC 4518 §2), which merges the names of different people.
		err = fmt.Errorf("the directory returned an account of another name: %w", ErrNotFound)
	}
	return s.judge(account, err)
}

// findByID looks an account up by its id. Its name may be somebody else's by now.
func (s *Service) findByID(ctx context.Context, id AccountID) (standing, error) {
	if id == "" {
		return s.judge(Account{}, ErrNotFound)
	}
	account, err := s.ports.Directory.FindByID(ctx, id)
	if err == nil && account.ID != id {
		err = fmt.Errorf("the directory returned an account with another id: %w", ErrNotFound)
	}
	return s.judge(account, err)
}

// judge answers the one question about an account: is it there, enabled, not excluded, and covered by a profile?
func (s *Service) judge(account Account, err error) (standing, error) {
	decoy := s.policy.Profiles.DecoyProfile()
	switch {
	case errors.Is(err, ErrNotFound):
		s.policy.Profiles.Match(Account{Enabled: true}, s.policy.Exclude) // the work of an account that there is
		return standing{profile: decoy, ineligible: ReasonAccountUnknown}, nil
	case err != nil:
		return standing{}, fmt.Errorf("find the account: %w", err)
	case account.ID == "": // it could not be found again, and would be mistaken for one that does not exist
		return standing{}, errors.New("find the account: the directory returned an account without an id")
	}
	profile, ineligible := s.policy.Profiles.Match(account, s.policy.Exclude)
	if ineligible != ReasonNone {
		profile = decoy
	}
	return standing{account: account, profile: profile, ineligible: ineligible}, nil
}

// under returns why the account may not recover under a profile, or ReasonNone. An account that moved to another profile
// meanwhile may not: its requirements are not the ones that the evidence was asked for by.
func (st standing) under(profile ProfileName) Reason {
	if st.ineligible == ReasonNone && st.profile.Name != profile {
		return ReasonAccountOutOfScope
	}
	return st.ineligible
}

// eligible returns the account with this id and its profile, if it may have passes and tokens under that profile, or
// ErrIneligible. Any other error is an outage.
func (s *Service) eligible(ctx context.Context, id AccountID, under ProfileName) (Account, Profile, error) {
	found, err := s.findByID(ctx, id)
	if err != nil {
		return Account{}, Profile{}, err
	}
	if reason := found.under(under); reason != ReasonNone {
		return Account{}, Profile{}, fmt.Errorf("profile %s: %w: %s", under, ErrIneligible, reason)
	}
	if found.profile.Mode != ModeProduction { // nothing is honoured under a profile that was taken back to a trial
		return Account{}, Profile{}, fmt.Errorf("profile %s is not in production: %w", under, ErrIneligible)
	}
	return found.account, found.profile, nil
}

// Eligible returns the account with this id as the directory has it now, if it is there, enabled, not excluded, and still
// covered by the profile under which its owner was verified. It is asked in front of everything that makes or honours a
// token. Otherwise it returns ErrIneligible; any other error is an outage, upon which nothing may be made or honoured.
func (s *Service) Eligible(ctx context.Context, id AccountID, under ProfileName) (Account, error) {
	account, _, err := s.eligible(ctx, id, under)
	return account, err
}

// EligibleByName is Eligible for an account that a client names in any way that finds it, under whichever profile covers
// it.
func (s *Service) EligibleByName(ctx context.Context, requested RequestedAccount) (Account, error) {
	found, err := s.find(ctx, requested)
	switch {
	case err != nil:
		return Account{}, err
	case found.ineligible != ReasonNone:
		return Account{}, fmt.Errorf("%w: %s", ErrIneligible, found.ineligible)
	case found.profile.Mode != ModeProduction:
		return Account{}, fmt.Errorf("profile %s is not in production: %w", found.profile.Name, ErrIneligible)
	}
	return found.account, nil
}
