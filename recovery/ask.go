package recovery

import (
	"context"
	"slices"
)

// Handle names the request URI of one flow of one round: `<transaction id>.<secret>`. It is unguessable, is not the
// browser's secret, and dies with the round.
type Handle string

const handleSize = 16 // bytes of a handle's secret

// Handle returns the handle of the first way of a flow, or "" when the wallet is not being asked, or not in this flow.
func (t Transaction) Handle(flow Flow) Handle {
	for _, w := range t.Ways() {
		if w.Flow == flow {
			return t.HandleOf(w)
		}
	}
	return ""
}

// HandleOf returns the handle of a way, or "" when the wallet is not being asked, or not in this way, or no longer.
func (t Transaction) HandleOf(way Way) Handle {
	if i := t.doorFor(way); i >= 0 && !t.Round.Doors[i].Closed {
		return Handle(string(t.ID) + "." + t.Round.Doors[i].Secret)
	}
	return ""
}

// Ways lists the ways in which the wallet is being asked, the preferred first.
func (t Transaction) Ways() []Way {
	if t.Round == nil {
		return nil
	}
	ways := make([]Way, 0, len(t.Round.Doors))
	for _, d := range t.Round.Doors {
		ways = append(ways, d.Way)
	}
	return ways
}

// WayTo returns the way in which a kind of wallet is being asked in a flow; the zero Way, which has no handle, if it is not.
func (t Transaction) WayTo(wallet WalletName, flow Flow) Way {
	for _, w := range t.Ways() {
		if w.Wallet == wallet && w.Flow == flow {
			return w
		}
	}
	return Way{}
}

// doorFor returns the position of a way's door, or -1.
func (t Transaction) doorFor(way Way) int { return slices.Index(t.Ways(), way) }

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
	changed.Round = &Round{Doors: make([]Door, 0, len(profile.Ways))}
	for _, way := range profile.Ways {
		door := Door{Way: way}
		if door.Secret, err = newSecret(s.ports.Random, handleSize); err != nil {
			return t, err
		}
		if way.Flow == FlowCrossDevice {
			door.Since = s.ports.Clock()
		}
		changed.Round.Doors = append(changed.Round.Doors, door)
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
