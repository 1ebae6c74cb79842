package dcql

import (
	"slices"
	"strconv"
)

// Evaluate compares a whole answer with the query (OpenID4VP 1.0 §6.4, §8.6). The answer has the verified
// presentations, by the id of their credential query. The evaluation lists every mismatch. The error is an
// [ErrMissing], and not nil only if the answer does not satisfy the query:
//
//   - nothing matches a required credential or credential set,
//   - the query does not have an id, or an id has no presentation or more than it allows (OpenID4VP 1.0 §8.1).
//
// A presentation that does not match is discarded without affecting the others: an optional credential that does not
// match counts as not sent. A note reports what was not needed, such as one credential of an option that has two.
//
// The query must be valid, see [Query.Validate]. Wallets may ignore values (OpenID4VP 1.0 §6.3), so Evaluate compares
// them again. trusted_authorities lead to notes only, see [TrustedAuthority].
func (q Query) Evaluate(answer map[string][]Presentation) (Evaluation, error) {
	e := Evaluation{Credentials: make([]CredentialVerdict, len(q.Credentials))}
	mismatched := false
	for i, c := range q.Credentials {
		list, there := answer[c.ID]
		e.Credentials[i] = c.verdict(list, there)
		mismatched = mismatched || len(e.Credentials[i].Mismatches) > 0
	}
	for id := range answer {
		if _, asked := q.Credential(id); !asked {
			e.Unasked++
		}
	}
	matched := e.matched()
	for _, s := range q.CredentialSets {
		e.Sets = append(e.Sets, s.verdict(matched))
	}
	chosen, err := q.Choose(matched)
	if err != nil || mismatched || e.Unasked > 0 {
		return e, e.err()
	}
	e.Satisfied, e.Chosen = true, chosen
	e.noteSurplus()
	return e, nil
}

func (c Credential) verdict(list []Presentation, there bool) CredentialVerdict {
	v := CredentialVerdict{ID: c.ID}
	switch {
	case !there:
		return v
	case len(list) == 0:
		v.Mismatches = []Finding{{Rule: RuleMultiple, Expected: "a presentation", Found: "none"}}
		return v
	case len(list) > 1 && !c.Multiple:
		v.Mismatches = []Finding{{Rule: RuleMultiple, Expected: "one presentation", Found: strconv.Itoa(len(list))}}
	}
	v.Presentations = make([]PresentationVerdict, len(list))
	for i, p := range list {
		v.Presentations[i] = c.evaluate(p)
		v.Matched = v.Matched || len(v.Presentations[i].Mismatches) == 0
	}
	return v
}

func (s CredentialSet) verdict(matched []string) SetVerdict {
	v := SetVerdict{Required: s.IsRequired(), Options: make([]OptionVerdict, len(s.Options))}
	for i, option := range s.Options {
		v.Options[i].Credentials = option
		for _, id := range option {
			if !slices.Contains(matched, id) {
				v.Options[i].Missing = append(v.Options[i].Missing, id)
			}
		}
		v.Satisfied = v.Satisfied || len(v.Options[i].Missing) == 0
	}
	return v
}

// noteSurplus adds a note to each credential that matches but is not chosen: it belongs to an incomplete option, or to
// a second option.
func (e *Evaluation) noteSurplus() {
	for i, c := range e.Credentials {
		if c.Matched && !slices.Contains(e.Chosen, c.ID) {
			e.Credentials[i].Notes = append(c.Notes, Finding{Rule: RuleCredentialSets, Expected: "nothing, since no chosen option has it"})
		}
	}
}
