package recovery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Errors of the service's steps, for the caller to branch on. Anything else is an outage: nothing was granted.
var (
	// ErrNoTransaction: no such transaction, or it is not this browser's or this client's. Which one is not said.
	ErrNoTransaction = errors.New("no such transaction")
	// ErrOtherBrowser: the step came from a browser that did not start the transaction.
	ErrOtherBrowser = errors.New("another browser started this transaction")
	// ErrExpired: the transaction's end of life has come.
	ErrExpired = errors.New("transaction expired")
	// ErrAnswered: the request was answered already; the first answer stands.
	ErrAnswered = errors.New("request was answered already")
	// ErrWrongCode: the response code or the typed confirmation is not the one given out.
	ErrWrongCode = errors.New("wrong code")
	// ErrRedeemed: the pass of this transaction was issued already, or its issuance was begun.
	ErrRedeemed = errors.New("already redeemed")
)

// Ports are the outside world of the service. Every one is required.
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
	Exclude  []GroupName // feature-wide: these groups never recover here, whatever a profile says
	Limits   Limits
}

// Service carries out a recovery, one method a step. It holds no state of its own: a step reads the transaction,
// applies one or more transitions, and stores the result by compare-and-swap.
type Service struct {
	ports  Ports
	policy Policy
}

// NewService refuses missing ports and a policy that does not validate.
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

// Profile returns the profile that governs t. A profile that was removed from the configuration meanwhile is an
// error: fail closed.
func (s *Service) Profile(t Transaction) (Profile, error) {
	for _, p := range s.policy.Profiles {
		if p.Name == t.Profile {
			return p, nil
		}
	}
	return Profile{}, fmt.Errorf("transaction %s: profile %q is no longer configured", t.ID, t.Profile)
}

// Open returns the transaction for the browser that holds secret. A transaction whose end of life has come is marked
// expired first; it is returned together with a nil error, so that its page can be shown.
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

// Account returns the account of exactly this name or id, as the directory has it now. Every look at the directory goes
// through here.
func (s *Service) Account(ctx context.Context, name AccountName) (Account, error) {
	account, err := s.ports.Directory.Find(ctx, name)
	if err != nil {
		return Account{}, fmt.Errorf("find the account: %w", err)
	}
	if !account.named(name) { // directories fold and normalise what they look up (RFC 4518 §2); one person is not the other
		return Account{}, fmt.Errorf("find the account: the directory answered with one of another name: %w", ErrNotFound)
	}
	return account, nil
}

// Verified returns what is known of every account that recovered under a profile, whichever of its credentials was
// presented: the attributes that were matched, and the document behind it, where that is the same for all. Both are
// empty for a profile that is no longer configured.
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

// Profiles lists the profiles, for a check of what their wallets can be asked.
func (s *Service) Profiles() Profiles { return slices.Clone(s.policy.Profiles) }

// Documents lists the documents that stand behind the credentials of some profile.
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

// Attributes lists the attributes that some profile holds against evidence, sorted.
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

// Cancel ends an open transaction at the person's wish.
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

// advance applies steps in order, stores the result and records the event.
func (s *Service) advance(ctx context.Context, t Transaction, event EventType, steps ...Step) (Transaction, error) {
	changed, err := s.apply(ctx, t, steps...)
	if err != nil {
		return t, err
	}
	return s.store(ctx, changed, event)
}

// apply runs steps through the table. A refused one is an audit event: somebody tried to skip or repeat a step.
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
			return t, errors.Join(err, s.auditFew(ctx, t, EventTransitionRefused))
		}
	}
	return changed, nil
}

// maxChanges is how often a transaction may be changed before it can only be gone on with, and not gone round in: every
// attempt is a record, and a program that holds a browser's cookie must not fill the log. An hour of new QR codes is not
// half of it.
const maxChanges = 500

// maxRepeats is how many records one transaction gets of something that strangers can do over and over.
const maxRepeats = 16

// auditFew is audit for what can be done over and over: the first times are recorded, the rest is not.
func (s *Service) auditFew(ctx context.Context, t Transaction, event EventType) error {
	n, err := s.ports.Attempts.Increment(ctx, string(event)+"\x00"+string(t.ID), MaxLifetime)
	if err != nil {
		return fmt.Errorf("count %s: %w", event, err)
	}
	if n > maxRepeats {
		return nil
	}
	return s.audit(ctx, t, event, ReasonNone)
}

// store swaps the changed transaction in and then records the event: an audit log that cannot be written stops the
// journey at the next step.
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

// RetryOnConflict repeats a change that lost a compare-and-swap: wallets race, and so does the page that follows them, and
// a phone that opens a page twice for its preview. Each time change must read the transaction anew.
func RetryOnConflict[T any](change func() (T, error)) (T, error) {
	const tries = 4
	for range tries - 1 {
		if result, err := change(); !errors.Is(err, ErrConflict) {
			return result, err
		}
	}
	return change()
}

// compareAndSwap stores the changed transaction if nobody else changed it since it was read, or returns ErrConflict.
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
