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
	ports  Ports
	policy Policy
}

// NewService returns an error for missing ports and for a policy that does not validate.
func NewService(ports Ports, policy Policy) (*Service, error) {
	for name, missing := range map[string]bool{
		"Transactions": ports.Transactions == nil, "Directory": ports.Directory == nil, "Passes": ports.Passes == nil,
		"Audit": ports.Audit == nil, "Attempts": ports.Attempts == nil, "Clock": ports.Clock == nil, "Random": ports.Random == nil,
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
	return &Service{ports: ports, policy: policy}, nil
}

// Profile returns the profile under which t was started. If that profile is no longer configured, it returns an
// error: fail closed.
func (s *Service) Profile(t Transaction) (Profile, error) {
	for _, p := range s.policy.Profiles {
		if p.Name == t.Profile {
			return p, nil
		}
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
	if t.Late(now) && next(t.State, StepExpire) != "" {
		return s.advance(ctx, t, EventRecoveryExpired, StepExpire)
	}
	return t, nil
}

// Account reads the account with exactly this name or id from the directory. All directory access goes through it.
func (s *Service) Account(ctx context.Context, name AccountName) (Account, error) {
	account, err := s.ports.Directory.Find(ctx, name)
	if err != nil {
		return Account{}, fmt.Errorf("find the account: %w", err)
	}
	if !account.named(name) { // directories fold and normalise before they compare (RFC 4518 §2), which merges the names of different people
		return Account{}, fmt.Errorf("find the account: the directory returned an account of another name: %w", ErrNotFound)
	}
	return account, nil
}

// Verified returns what holds for every account that recovered under a profile, whichever credential was presented:
// the attributes that were matched, and the identity document, if all the profile's credentials have the same. Both
// are empty for a profile that is no longer configured.
func (s *Service) Verified(name ProfileName) ([]AttributeName, Document) {
	for _, p := range s.policy.Profiles {
		if p.Name == name && len(p.Credentials) > 0 {
			document := p.Credentials[0].Document
			for _, c := range p.Credentials {
				if c.Document != document {
					document = Document{}
				}
			}
			return p.Credentials[0].attributes(), document
		}
	}
	return nil, Document{}
}

// Profiles returns all profiles, so that the wiring can check that the wallet profiles can request their credentials.
func (s *Service) Profiles() Profiles { return slices.Clone(s.policy.Profiles) }

// Documents returns the identity documents of all profiles, without duplicates.
func (s *Service) Documents() []Document {
	var all []Document
	for _, p := range s.policy.Profiles {
		for _, c := range p.Credentials {
			if c.Document != (Document{}) && !slices.Contains(all, c.Document) {
				all = append(all, c.Document)
			}
		}
	}
	return all
}

// Attributes returns the attributes that the profiles match, sorted, without duplicates.
func (s *Service) Attributes() []AttributeName {
	var all []AttributeName
	for _, p := range s.policy.Profiles {
		for _, c := range p.Credentials {
			all = append(all, c.attributes()...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Cancel ends an open transaction because the person asked for it.
func (s *Service) Cancel(ctx context.Context, t Transaction) (Transaction, error) {
	return s.advance(ctx, t, EventRecoveryCancelled, StepCancel)
}

func (s *Service) get(ctx context.Context, id TransactionID) (Transaction, error) {
	t, err := s.ports.Transactions.Get(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return Transaction{}, ErrNoTransaction
	}
	if err != nil {
		return Transaction{}, fmt.Errorf("read transaction: %w", err)
	}
	return t, nil
}

// advance applies steps, stores the result and records the event.
func (s *Service) advance(ctx context.Context, t Transaction, event EventType, steps ...Step) (Transaction, error) {
	changed, err := s.apply(ctx, t, steps...)
	if err != nil {
		return t, err
	}
	return s.store(ctx, changed, event)
}

// apply applies steps by the transition table. An illegal step is audited: it is an attempt to skip or repeat a step.
func (s *Service) apply(ctx context.Context, t Transaction, steps ...Step) (Transaction, error) {
	now := s.ports.Clock()
	changed := t
	for _, step := range steps {
		if t.Version > maxChanges && step.repeats() {
			return t, fmt.Errorf("%s after %d changes: %w", step, maxChanges, ErrIllegalStep)
		}
		var err error
		if changed, err = changed.Apply(step, now); err != nil {
			if t.Late(now) {
				return t, errors.Join(ErrExpired, err)
			}
			return t, errors.Join(err, s.auditLimited(ctx, t, EventTransitionRefused))
		}
	}
	return changed, nil
}

// maxChanges is the number of changes after which a transaction can only move forward: the repeatable steps are
// refused. Every step writes an audit record, and a program that holds a browser's cookie must not fill the log. An
// hour of rotated QR codes needs less than half of it.
const maxChanges = 500

// maxRepeats is how many audit records of one kind a transaction gets for events that strangers can trigger
// repeatedly.
const maxRepeats = 16

// auditLimited records an event that strangers can trigger repeatedly: the first maxRepeats of a transaction, none after
// that.
func (s *Service) auditLimited(ctx context.Context, t Transaction, event EventType) error {
	n, err := s.ports.Attempts.Increment(ctx, string(event)+"\x00"+string(t.ID), MaxLifetime)
	if err != nil {
		return fmt.Errorf("count %s: %w", event, err)
	}
	if n > maxRepeats {
		return nil
	}
	return s.audit(ctx, t, event, ReasonNone)
}

// store writes the changed transaction and then the audit record. If the record cannot be written, the error stops
// the journey.
func (s *Service) store(ctx context.Context, t Transaction, event EventType) (Transaction, error) {
	t, err := s.compareAndSwap(ctx, t)
	if err != nil {
		return t, err
	}
	reason := ReasonNone
	if t.Decision != nil {
		reason = t.Decision.Reason
	}
	return t, s.audit(ctx, t, event, reason)
}

// RetryOnConflict repeats a change that lost a compare-and-swap: wallets send requests in parallel, the page polls,
// and a phone may load a page twice to preview it. change must read the transaction anew on each call.
func RetryOnConflict[T any](change func() (T, error)) (T, error) {
	const tries = 4
	for range tries - 1 {
		if result, err := change(); !errors.Is(err, ErrConflict) {
			return result, err
		}
	}
	return change()
}

// compareAndSwap stores the changed transaction, or returns ErrConflict if it was changed since it was read.
func (s *Service) compareAndSwap(ctx context.Context, t Transaction) (Transaction, error) {
	version, err := s.ports.Transactions.Update(ctx, t)
	if err != nil {
		return t, fmt.Errorf("store transaction %s as %s: %w", t.ID, t.State, err)
	}
	t.Version = version
	return t, nil
}

func (s *Service) audit(ctx context.Context, t Transaction, event EventType, reason Reason) error {
	e := Event{
		Time: s.ports.Clock(), Type: event, Success: reason == ReasonNone && event.Succeeds(), Transaction: t.ID,
		Client: t.Client, Account: t.Account, Profile: t.Profile, Reason: reason,
	}
	if t.Decision != nil {
		e.Results = t.Decision.Results
	}
	if err := s.ports.Audit.Append(ctx, e); err != nil {
		return fmt.Errorf("append %s to the audit log: %w", event, err)
	}
	return nil
}
