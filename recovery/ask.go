package recovery

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Handle names the request URI of one flow of one round: `<transaction id>.<secret>`. It is unguessable, is not the
// browser's secret, and dies with the round.
type Handle string

func (t Transaction) handle(flow Flow) Handle {
	return Handle(string(t.ID) + "." + t.Round.Doors[flow].Secret)
}

// Handle returns the handle of a flow, or "" when the wallet is not being asked, or not in this flow.
func (t Transaction) Handle(flow Flow) Handle {
	if t.Round == nil || t.Round.Doors[flow].Secret == "" {
		return ""
	}
	return t.handle(flow)
}

// Ask puts a new presentation request to the wallet, whatever was asked before. The person has read the information
// page, or wants to try again.
func (s *Service) Ask(ctx context.Context, t Transaction) (Transaction, error) {
	steps := []Step{StepRequest}
	if t.State == StateStarted {
		steps = []Step{StepInform, StepRequest}
	}
	profile, err := s.Profile(t)
	if err != nil {
		return t, err
	}
	changed, err := s.apply(ctx, t, steps...)
	if err != nil {
		return t, err
	}
	flows := []Flow{FlowSameDevice}
	if profile.CrossDevice {
		flows = append(flows, FlowCrossDevice)
	}
	changed.Round = &Round{Doors: make(map[Flow]Door, len(flows))}
	for _, flow := range flows {
		secret, err := newSecret(s.ports.Random, 16)
		if err != nil {
			return t, err
		}
		changed.Round.Doors[flow] = Door{Secret: secret}
	}
	return s.store(ctx, changed, EventPresentationRequested)
}

// LeaveForProofing notes that the person goes to the proofing provider; Return from it with ComeBack.
func (s *Service) LeaveForProofing(ctx context.Context, t Transaction) (Transaction, error) {
	steps := []Step{StepProof}
	if t.State == StateStarted {
		steps = []Step{StepInform, StepProof}
	}
	return s.advance(ctx, t, EventProofingStarted, steps...)
}

// ComeBack notes that the person came back from the proofing provider. What they got there shows when they present it.
func (s *Service) ComeBack(ctx context.Context, t Transaction, completed bool) (Transaction, error) {
	event := EventProofingCompleted
	if !completed {
		event = EventProofingFailed
	}
	return s.advance(ctx, t, event, StepInform)
}

// Asked is an open presentation request as the wallet's side of the server needs it.
type Asked struct {
	Transaction Transaction
	Flow        Flow
	Profile     Profile
}

// Request returns the presentation request behind the flow's door, as MakeRequest made it.
func (a Asked) Request() []byte { return a.Transaction.Round.Doors[a.Flow].Request }

// Find returns the open request that handle names. A handle of an earlier round, of an ended transaction or of none
// is ErrNoTransaction.
func (s *Service) Find(ctx context.Context, handle Handle) (Asked, error) {
	id, secret, ok := strings.Cut(string(handle), ".")
	if !ok || secret == "" {
		return Asked{}, ErrNoTransaction
	}
	t, err := s.get(ctx, TransactionID(id))
	if err != nil {
		return Asked{}, err
	}
	if t.Late(s.ports.Clock()) {
		return Asked{}, ErrExpired
	}
	flow, ok := t.doorOf(secret)
	if !ok {
		return Asked{}, ErrNoTransaction
	}
	profile, err := s.Profile(t)
	if err != nil {
		return Asked{}, err
	}
	return Asked{Transaction: t, Flow: flow, Profile: profile}, nil
}

func (t Transaction) doorOf(secret string) (Flow, bool) {
	if t.Round == nil {
		return "", false
	}
	for _, flow := range []Flow{FlowSameDevice, FlowCrossDevice} {
		door := t.Round.Doors[flow].Secret
		if door != "" && subtle.ConstantTimeCompare([]byte(door), []byte(secret)) == 1 {
			return flow, true
		}
	}
	return "", false
}

// MakeRequest builds the presentation request for a flow: protocol matter that the domain keeps without reading.
type MakeRequest func(a Asked, expires time.Time) ([]byte, error)

// Retrieve is the wallet fetching its request. The first fetch makes the request; later ones, which are allowed until
// it is answered, get the same one.
func (s *Service) Retrieve(ctx context.Context, handle Handle, build MakeRequest) (Asked, error) {
	const tries = 3 // two wallets, or a wallet and the page, may race for the same version
	for range tries {
		asked, err := s.Find(ctx, handle)
		if err != nil {
			return Asked{}, err
		}
		if asked.Transaction.Round.Answer != nil {
			return Asked{}, ErrAnswered
		}
		if asked.Request() != nil {
			return asked, nil
		}
		asked, err = s.openDoor(ctx, asked, build)
		if !errors.Is(err, ErrConflict) {
			return asked, err
		}
	}
	return Asked{}, fmt.Errorf("retrieve request: %w", ErrConflict)
}

func (s *Service) openDoor(ctx context.Context, asked Asked, build MakeRequest) (Asked, error) {
	request, err := build(asked, asked.Transaction.ExpiresAt)
	if err != nil {
		return Asked{}, fmt.Errorf("build presentation request: %w", err)
	}
	changed, err := s.apply(ctx, asked.Transaction, StepRetrieve)
	if err != nil {
		return Asked{}, err
	}
	changed.Round = changed.Round.withRequest(asked.Flow, request)
	asked.Transaction, err = s.store(ctx, changed, EventPresentationRetrieved)
	return asked, err
}

// withRequest returns a copy of r: transactions are values, and maps inside them must not be shared.
func (r *Round) withRequest(flow Flow, request []byte) *Round {
	c := *r
	c.Doors = make(map[Flow]Door, len(r.Doors))
	for f, d := range r.Doors {
		c.Doors[f] = d
	}
	door := c.Doors[flow]
	door.Request = request
	c.Doors[flow] = door
	return &c
}
