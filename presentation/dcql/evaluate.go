package dcql

import (
	"slices"
	"strconv"
)

// Evaluate compares a whole answer with the query (§6.4, §8.6): the verified presentations that came, by the id of
// their credential query. The evaluation explains everything that does not fit, at once; the error is an [ErrMissing],
// and there is one only if the answer does not do:
//
//   - a credential, or a credential set, is required and nothing matches it,
//   - an id was not asked for, or has no presentation or more than it allows (§8.1).
//
// A presentation that does not match is to be discarded, and discards nothing else: an optional credential that does
// not match is as if it had not been sent. What was sent without need, such as half of an option, is noted.
//
// The query is one that [Query.Validate] accepts. What the wallet was asked with values it may have ignored, so they
// count here; trusted_authorities do not, see [TrustedAuthority].
func (q Query) Evaluate(answer map[string][]Presentation) (Evaluation, error) {
	e := Evaluation{Credentials: make([]CredentialVerdict, len(q.Credentials))}
	spoiled := false
	for i, c := range q.Credentials {
		list, there := answer[c.ID]
		e.Credentials[i] = c.verdict(list, there)
		spoiled = spoiled || len(e.Credentials[i].Mismatches) > 0
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
	if err != nil || spoiled || e.Unasked > 0 {
		return e, e.err()
	}
	e.Satisfied, e.Chosen = true, chosen
	e.noteSurplus()
	return e, nil
}

// verdict is about the presentations of one credential query.
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

// noteSurplus notes what matches and is not chosen: half of an option, or a second option where one is enough.
func (e *Evaluation) noteSurplus() {
	for i, c := range e.Credentials {
		if c.Matched && !slices.Contains(e.Chosen, c.ID) {
			e.Credentials[i].Notes = append(c.Notes, Finding{Rule: RuleCredentialSets, Expected: "nothing, since no chosen option has it"})
		}
	}
}
