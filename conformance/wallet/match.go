package wallet

import (
	"slices"

	"regain/conformance/wallet/agent"
	"regain/conformance/wallet/dcql"
	"regain/conformance/wallet/request"
)

// match works out the answer to a request from what is held and what a Face Check can add. Where
// several credentials fit, the newest is taken, or all of them when the query allows several.
func (all *holdings) match(asked *request.Request) ([]Share, []string) {
	q := asked.Query
	held := all.usable(asked.Formats)
	shares := map[string][]Share{}
	var source *holding
	for _, c := range q.Credentials {
		for _, h := range held {
			selection, ok := c.Match(h.candidate())
			if !ok || (len(shares[c.ID]) > 0 && !c.Multiple) {
				continue
			}
			shares[c.ID] = append(shares[c.ID], newShare(c, h, selection))
			if source == nil && h.canFaceCheck() {
				source = h
			}
		}
	}
	if source == nil && len(shares) == 0 {
		source = firstWithPortrait(held)
	}
	for _, c := range q.Credentials {
		if len(shares[c.ID]) == 0 && source != nil && c.MayAnswer(sdJWTFormat, all.receiptType) && asked.Formats.TakesSDJWT("ES256") {
			shares[c.ID] = []Share{all.receiptShare(c, source)}
		}
	}
	answer, missing := q.Plan(func(id string) bool { return len(shares[id]) > 0 })
	return inOrder(q, shares, answer), types(q, missing)
}

// usable returns the unexpired credentials that the verifier can take, newest first and those with
// a Face Check before the others. Receipts are not among them: each belongs to the request that it
// was taken for.
func (all *holdings) usable(formats request.Formats) []*holding {
	now := all.clock()
	held := slices.DeleteFunc(all.All(), func(h *holding) bool {
		return h.source != "" || h.expired(now) || !h.takenBy(formats)
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

func (h *holding) candidate() dcql.Candidate {
	return dcql.Candidate{Format: h.Format, Type: h.Type, Claims: h.claims(), Bound: h.key != nil, AKIs: h.akis}
}

func firstWithPortrait(held []*holding) *holding {
	for _, h := range held {
		if h.canFaceCheck() {
			return h
		}
	}
	return nil
}

func newShare(c dcql.Credential, h *holding, selection dcql.Selection) Share {
	s := Share{Query: c.ID, Type: h.Type, Credential: h.Credential, query: c, places: selection.Places}
	for _, path := range selection.Asked {
		s.Claims = append(s.Claims, h.pathText(path))
	}
	return s
}

// receiptShare stands for a receipt that does not exist yet, so its claims are those asked for.
func (all *holdings) receiptShare(c dcql.Credential, source *holding) Share {
	s := Share{Query: c.ID, Type: all.receiptType, Credential: source.Credential, FaceCheck: true, query: c}
	for _, claim := range c.Claims {
		s.Claims = append(s.Claims, claim.Path.String())
	}
	return s
}

func inOrder(q dcql.Query, shares map[string][]Share, answer []string) []Share {
	var ordered []Share
	for _, c := range q.Credentials {
		if slices.Contains(answer, c.ID) {
			ordered = append(ordered, shares[c.ID]...)
		}
	}
	return ordered
}

// types turns the ids of unanswerable queries into what a person may have heard of.
func types(q dcql.Query, ids []string) []string {
	var names []string
	for _, c := range q.Credentials {
		if slices.Contains(ids, c.ID) {
			names = append(names, agent.Clip(c.Types()[0]))
		}
	}
	return names
}
