package recovery

import (
	"context"
	"slices"
)

// Handle identifies the request URI of one channel in one presentation attempt: `<transaction id>.<secret>`. It
// cannot be guessed, differs from the browser's secret, and becomes invalid when the attempt ends.
type Handle string

const handleSize = 16 // bytes of a handle's secret

// Handle returns the handle of the first channel of a flow, or "" when no request of that flow is pending.
func (t Transaction) Handle(flow Flow) Handle {
	for _, c := range t.Channels() {
		if c.Flow == flow {
			return t.HandleOf(c)
		}
	}
	return ""
}

// HandleOf returns the handle of a channel, or "" when no request is pending there or the channel was closed.
func (t Transaction) HandleOf(channel Channel) Handle {
	if i := t.requestFor(channel); i >= 0 && !t.Presentation.Requests[i].Closed {
		return Handle(string(t.ID) + "." + t.Presentation.Requests[i].Secret)
	}
	return ""
}

// Channels lists the channels of the pending requests, in the profile's order of preference.
func (t Transaction) Channels() []Channel {
	if t.Presentation == nil {
		return nil
	}
	channels := make([]Channel, 0, len(t.Presentation.Requests))
	for _, r := range t.Presentation.Requests {
		channels = append(channels, r.Channel)
	}
	return channels
}

// ChannelTo returns the channel by which a pending request reaches wallet in flow, or the zero Channel, which has no
// handle, if there is none.
func (t Transaction) ChannelTo(wallet WalletName, flow Flow) Channel {
	for _, c := range t.Channels() {
		if c.Wallet == wallet && c.Flow == flow {
			return c
		}
	}
	return Channel{}
}

func (t Transaction) requestFor(channel Channel) int { return slices.Index(t.Channels(), channel) }

// Ask begins a presentation attempt and discards the previous one. It is called when the person has read the
// information page or wants to try again.
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
	changed.Presentation = &PresentationAttempt{Requests: make([]PendingRequest, 0, len(profile.Channels))}
	for _, channel := range profile.Channels {
		pending := PendingRequest{Channel: channel}
		secret, err := newSecret(s.ports.Random, handleSize)
		if err != nil {
			return t, err
		}
		if pending.Secret = secret; channel.Flow == FlowCrossDevice {
			pending.Seed, pending.Asked, pending.Lifetime = secret, s.ports.Clock(), profile.CrossDevice.QRLifetime
			pending.show(pending.Asked)
		}
		changed.Presentation.Requests = append(changed.Presentation.Requests, pending)
	}
	return s.store(ctx, changed, EventPresentationRequested)
}

// LeaveForProofing records that the person goes to the proofing provider. ComeBack records the return.
func (s *Service) LeaveForProofing(ctx context.Context, t Transaction) (Transaction, error) {
	steps := []Step{StepProof}
	if t.State == StateStarted {
		steps = []Step{StepInform, StepProof}
	}
	return s.advance(ctx, t, EventProofingStarted, steps...)
}

// ComeBack records that the person came back from the proofing provider. The provider's word is not evidence: the
// Verified ID is verified when the wallet presents it.
func (s *Service) ComeBack(ctx context.Context, t Transaction, completed bool) (Transaction, error) {
	event := EventProofingCompleted
	if !completed {
		event = EventProofingFailed
	}
	return s.advance(ctx, t, event, StepInform)
}
