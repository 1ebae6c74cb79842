package recovery

import (
	"context"
	"fmt"
	"io"
	"time"
)

// defaultLifetime is the time from the authorization request to the code, unless the profile sets it. Document check,
// selfie and presentation take minutes; Okta's identity verification waits ten minutes for the outcome.
const defaultLifetime = 15 * time.Minute

// StartParams holds what the provider knows when a client's authorization request arrives.
type StartParams struct {
	Client        ClientID
	Account       RequestedAccount // from login_hint or a signed id_token_hint
	Authorization []byte
	Network       string // the caller's network, for attempt limits; stored as a digest only
	Agent         string // display name of the person's browser, such as "Firefox on Windows"
	// Lifetime is how long the client waits for the outcome, if shorter than the profile's lifetime; 0 if unknown.
	Lifetime time.Duration
}

// Start opens a transaction and returns it with the secret for the browser's cookie. An unknown or excluded account
// gets a transaction under the decoy profile, which is denied at the end, so that account names cannot be enumerated.
// If a limit on what was asked for is exceeded, the transaction is denied at once; if that happens too often, it is
// ErrTooManyAttempts and none is opened. A limit on the account that the directory has bars silently: the transaction goes
// on, and is denied at the end. If the directory fails, Start returns an error and opens nothing.
func (s *Service) Start(ctx context.Context, params StartParams) (Transaction, string, error) {
	found, err := s.find(ctx, params.Account)
	if err != nil {
		return Transaction{}, "", err
	}
	subject := LimitSubject{Requested: params.Account, Account: found.account.ID, Client: params.Client, Network: params.Network}
	over, err := s.policy.Limits.count(ctx, s.ports.Attempts, subject)
	if err != nil {
		return Transaction{}, "", err
	}
	if over.openly {
		if err := s.countBarred(ctx, params.Client, params.Network); err != nil {
			return Transaction{}, "", err
		}
	}
	t, secret, err := newTransaction(params, found.profile, s.ports.Random, s.ports.Clock())
	if err != nil {
		return Transaction{}, "", err
	}
	t.Account, t.AccountName, t.Ineligible = found.account.ID, found.account.Name, found.ineligible
	if t.Ineligible == ReasonNone && over.silently {
		t.Ineligible = ReasonAccountBarred
	}
	if over.openly {
		if t, err = t.Apply(StepDeny, t.StartedAt); err != nil {
			return Transaction{}, "", err
		}
		t.Decision = &Decision{Outcome: OutcomeDenied, Reason: ReasonTooManyAttempts}
	}
	if err := s.ports.Transactions.Create(ctx, t); err != nil {
		return Transaction{}, "", fmt.Errorf("create transaction: %w", err)
	}
	t.Version = 1
	event, reason := EventRecoveryStarted, ReasonNone
	if over.openly {
		event, reason = EventRecoveryDenied, ReasonTooManyAttempts
	}
	return t, secret, s.audit(ctx, t, event, reason)
}

// newTransaction returns a transaction that starts at now, and the secret for the browser's cookie.
func newTransaction(params StartParams, profile Profile, random io.Reader, now time.Time) (Transaction, string, error) {
	id, err := newSecret(random, 16)
	if err != nil {
		return Transaction{}, "", err
	}
	secret, err := newSecret(random, 32)
	if err != nil {
		return Transaction{}, "", err
	}
	lifetime := profile.Lifetime
	if lifetime == 0 {
		lifetime = defaultLifetime
	}
	if params.Lifetime > 0 {
		lifetime = min(lifetime, params.Lifetime)
	}
	var network Digest
	if profile.Reaches(FlowCrossDevice) {
		network = networkOf(TransactionID(id), params.Network)
	}
	return Transaction{
		ID: TransactionID(id), State: StateStarted, Client: params.Client, Requested: params.Account, Profile: profile.Name, Mode: profile.Mode,
		Browser: DigestOf(secret), Network: network, Agent: params.Agent, Authorization: params.Authorization, StartedAt: now, ChangedAt: now, ExpiresAt: now.Add(lifetime),
	}, secret, nil
}
