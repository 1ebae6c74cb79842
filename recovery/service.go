package recovery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Errors of the service's steps that callers branch on. Any other error is an outage: nothing was granted.
var (
	// ErrNoTransaction: the transaction does not exist, or belongs to another browser or client. The error does not
	// say which.
	ErrNoTransaction = errors.New("no such transaction")
	// ErrOtherBrowser: the step came from a browser that did not start the transaction.
	ErrOtherBrowser = errors.New("another browser started this transaction")
	// ErrExpired: the transaction's lifetime is over.
	ErrExpired = errors.New("transaction expired")
	// ErrClosed: the channel had too many invalid responses, and the person has to ask again.
	ErrClosed = errors.New("channel closed after too many invalid responses")
	// ErrAnswered: the attempt has a genuine answer already; the first one stands.
	ErrAnswered = errors.New("request was answered already")
	// ErrWrongCode: the response code or the typed confirmation is wrong.
	ErrWrongCode = errors.New("wrong code")
	// ErrRedeemed: the pass of this transaction was issued, or is being issued.
	ErrRedeemed = errors.New("already redeemed")
)

// Ports are the service's dependencies. Every one is required.
type Ports struct {
	Transactions Transactions
	Directory    Directory
	Passes       PassIssuer
	Audit        Auditor
	Issuings     Issuings
	Attempts     Counter
	Clock        func() time.Time
	Random       io.Reader
}

// Policy is what an administrator decides.
type Policy struct {
	Profiles Profiles
	Exclude  []GroupName // feature-wide: members of these groups never recover, whatever a profile says
	Limits   Limits
}

// Service carries out a recovery, one method a step. It holds no state: a step reads the transaction, applies one or
// more transitions, and stores the result by compare-and-swap.
type Service struct {
	ledger
	policy Policy
}

// NewService returns an error for missing ports and for a policy that does not validate.
func NewService(ports Ports, policy Policy) (*Service, error) {
	for name, missing := range map[string]bool{
		"Transactions": ports.Transactions == nil, "Directory": ports.Directory == nil, "Passes": ports.Passes == nil,
		"Audit": ports.Audit == nil, "Issuings": ports.Issuings == nil, "Attempts": ports.Attempts == nil, "Clock": ports.Clock == nil, "Random": ports.Random == nil,
	} {
		if missing {
			return nil, fmt.Errorf("recovery service: port %s is missing", name)
		}
	}
	if err := policy.Profiles.Validate(); err != nil {
		return nil, fmt.Errorf("recovery service: %w", err)
	}
	if err := policy.Limits.Validate(); err != nil {
		return nil, fmt.Errorf("recovery service: %w", err)
	}
	policy.Profiles = slices.Clone(policy.Profiles) // the caller's own may change
	return &Service{ledger: ledger{ports}, policy: policy}, nil
}

// Profile returns the profile under which t was started. If that profile is no longer configured, it returns an
// error: fail closed.
func (s *Service) Profile(t Transaction) (Profile, error) {
	if p, ok := s.policy.Profiles.named(t.Profile); ok {
		return p, nil
	}
	return Profile{}, fmt.Errorf("transaction %s: profile %q is no longer configured", t.ID, t.Profile)
}

// Open returns the transaction to the browser that holds secret. A transaction whose lifetime is over is marked
// expired and returned without an error, so that its page can be shown.
func (s *Service) Open(ctx context.Context, id TransactionID, secret string) (Transaction, error) {
	t, err := s.get(ctx, id)
	if err != nil {
		return Transaction{}, err
	}
	if !t.Browser.Matches(secret) {
		return Transaction{}, ErrOtherBrowser
	}
	now := s.ports.Clock()
	if t.Late(now) && t.expires() {
		return s.advance(ctx, t, EventRecoveryExpired, StepExpire)
	}
	return t, nil
}

// Profiles returns the profiles of the deployment. The caller does not change them.
func (s *Service) Profiles() Profiles { return s.policy.Profiles }

// Cancel ends an open transaction because the person asked for it.
func (s *Service) Cancel(ctx context.Context, t Transaction) (Transaction, error) {
	return s.advance(ctx, t, EventRecoveryCancelled, StepCancel)
}
