package authenticator

import (
	"slices"

	"regain/conformance/wallet/agent"
	"regain/conformance/wallet/authenticator/exchange"
)

// match works out the answer to the definitions from what is held and what a Face Check can add.
// Where several credentials fit, the newest is taken. accepted are the algorithms of credentials
// that the verifier takes.
func (all *holdings) match(definitions []exchange.Definition, accepted []string) (shares []Share, missing []string) {
	held := all.usable(accepted)
	var source *holding
	for _, d := range definitions {
		for _, descriptor := range d.Descriptors {
			if h := pick(descriptor, held); h != nil && source == nil && h.canFaceCheck() {
				source = h
			}
		}
	}
	if source == nil {
		source = firstWithPortrait(held)
	}
	for _, d := range definitions {
		for _, descriptor := range d.Descriptors {
			share, ok := all.share(descriptor, held, source)
			if !ok {
				missing = append(missing, agent.Clip(descriptor.Types[0]))
				continue
			}
			shares = append(shares, share)
		}
	}
	return shares, missing
}

func (all *holdings) share(d exchange.Descriptor, held []*holding, source *holding) (Share, bool) {
	s := Share{Descriptor: d.ID, Purpose: agent.Clip(d.Purpose)}
	if h := pick(d, held); h != nil {
		s.Type, s.Credential = h.Type, h.Credential
		return s, true
	}
	if source == nil || !d.Asks(all.receiptType) {
		return Share{}, false
	}
	s.Type, s.Credential, s.FaceCheck = all.receiptType, source.Credential, true
	return s, true
}

// usable returns the unexpired credentials, newest first and those with a Face Check before the
// others. Receipts are not among them: each belongs to the request that it was taken for.
func (all *holdings) usable(accepted []string) []*holding {
	now := all.clock()
	held := slices.DeleteFunc(all.All(), func(h *holding) bool {
		return h.source != "" || h.expired(now) || !slices.Contains(accepted, h.algorithm)
	})
	slices.Reverse(held)
	slices.SortStableFunc(held, func(a, b *holding) int { return rank(a) - rank(b) })
	return held
}

func rank(h *holding) int {
	if h.canFaceCheck() {
		return 0
	}
	return 1
}

func pick(d exchange.Descriptor, held []*holding) *holding {
	for _, h := range held {
		if d.Matches(h.types, h.claims) {
			return h
		}
	}
	return nil
}

func firstWithPortrait(held []*holding) *holding {
	for _, h := range held {
		if h.canFaceCheck() {
			return h
		}
	}
	return nil
}
