package dcql

import (
	"fmt"
	"slices"
	"strings"
)

// Evaluation explains how an answer relates to its query. It holds nothing of a person's and may be logged, stored and
// shown to an operator as JSON.
type Evaluation struct {
	Satisfied bool `json:"satisfied"`
	// Chosen are the credentials to go on with when the answer is satisfied: all of them, or with credential_sets those
	// of the first complete option of each set, see [Query.Choose].
	Chosen      []string            `json:"chosen,omitempty"`
	Credentials []CredentialVerdict `json:"credentials"`               // in the order of the query
	Sets        []SetVerdict        `json:"credential_sets,omitempty"` // likewise
	Unasked     int                 `json:"unasked,omitempty"`         // how many ids of the answer the query does not have
}

// CredentialVerdict is about what came under the id of a credential query.
type CredentialVerdict struct {
	ID            string                `json:"id"`
	Matched       bool                  `json:"matched"`                 // by one presentation at least
	Mismatches    []Finding             `json:"mismatches,omitempty"`    // of the presentations together
	Notes         []Finding             `json:"notes,omitempty"`         // odd, and no mismatch
	Presentations []PresentationVerdict `json:"presentations,omitempty"` // as they came; none when nothing did
}

// PresentationVerdict is about one presentation. It matches its query when it has no mismatches; when it has some it is
// to be discarded (§8.6).
type PresentationVerdict struct {
	Mismatches []Finding `json:"mismatches,omitempty"`
	Notes      []Finding `json:"notes,omitempty"`
	ClaimSet   *int      `json:"claim_set,omitempty"` // the first of claim_sets that is complete
}

// SetVerdict is about a credential set query.
type SetVerdict struct {
	Required  bool            `json:"required"`
	Satisfied bool            `json:"satisfied"`
	Options   []OptionVerdict `json:"options"`
}

// OptionVerdict is about one option of a credential set query.
type OptionVerdict struct {
	Credentials []string `json:"credentials"`
	Missing     []string `json:"missing,omitempty"` // those of them that nothing matches; none when the option is complete
}

// Matching lists which of the presentations under the id match their query, by their places in the answer.
func (e Evaluation) Matching(id string) (places []int) {
	for _, c := range e.Credentials {
		if c.ID != id {
			continue
		}
		for i, p := range c.Presentations {
			if len(p.Mismatches) == 0 {
				places = append(places, i)
			}
		}
	}
	return places
}

// matched are the ids that have a matching presentation.
func (e Evaluation) matched() (ids []string) {
	for _, c := range e.Credentials {
		if c.Matched {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// err sums up in a line why the answer does not do.
func (e Evaluation) err() error {
	var reasons []string
	if e.Unasked > 0 {
		reasons = append(reasons, fmt.Sprintf("%d entries were not asked for", e.Unasked))
	}
	for i, s := range e.Sets {
		if s.Required && !s.Satisfied {
			reasons = append(reasons, fmt.Sprintf("credential set %d lacks %s", i, s.lack()))
		}
	}
	for _, c := range e.Credentials {
		if len(c.Presentations) == 0 && len(c.Mismatches) == 0 && len(e.Sets) == 0 {
			reasons = append(reasons, "credential "+c.ID+" is missing")
		}
		found := c.Mismatches
		for _, p := range c.Presentations {
			found = slices.Concat(found, p.Mismatches)
		}
		for _, f := range found {
			reasons = append(reasons, "credential "+c.ID+": "+f.String())
		}
	}
	return fmt.Errorf("%w: %s", ErrMissing, strings.Join(reasons, "; "))
}

// lack says what is missing of each option: "a and b, or c".
func (s SetVerdict) lack() string {
	var options []string
	for _, o := range s.Options {
		options = append(options, strings.Join(o.Missing, " and "))
	}
	return strings.Join(options, ", or ")
}
