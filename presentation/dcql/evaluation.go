package dcql

import (
	"fmt"
	"slices"
	"strings"
)

// Evaluation explains whether and why an answer satisfies its query. It has no personal data, and may be logged, stored
// and shown to an operator as JSON.
type Evaluation struct {
	Satisfied bool `json:"satisfied"`
	// Chosen has the ids of the credentials to use if the query is satisfied: all of them, or with credential_sets
	// those of the first complete option of each set, see [Query.Choose].
	Chosen      []string            `json:"chosen,omitempty"`
	Credentials []CredentialVerdict `json:"credentials"`               // in the order of the query
	Sets        []SetVerdict        `json:"credential_sets,omitempty"` // in the order of the query
	Unasked     int                 `json:"unasked,omitempty"`         // the number of ids that the query does not have
}

// CredentialVerdict is the evaluation of one credential query.
type CredentialVerdict struct {
	ID            string                `json:"id"`
	Matched       bool                  `json:"matched"`                 // by at least one presentation
	Mismatches    []Finding             `json:"mismatches,omitempty"`    // of the list of presentations as a whole
	Notes         []Finding             `json:"notes,omitempty"`         // findings that are not mismatches
	Presentations []PresentationVerdict `json:"presentations,omitempty"` // in the order of the answer
}

// PresentationVerdict is the evaluation of one presentation. It matches its query if it has no mismatches; otherwise it
// is discarded (OpenID4VP 1.0 §8.6).
type PresentationVerdict struct {
	Mismatches []Finding `json:"mismatches,omitempty"`
	Notes      []Finding `json:"notes,omitempty"`
	ClaimSet   *int      `json:"claim_set,omitempty"` // the index of the first complete claim set
}

// SetVerdict is the evaluation of one credential set query.
type SetVerdict struct {
	Required  bool            `json:"required"`
	Satisfied bool            `json:"satisfied"`
	Options   []OptionVerdict `json:"options"`
}

// OptionVerdict is the evaluation of one option of a credential set query.
type OptionVerdict struct {
	Credentials []string `json:"credentials"`
	Missing     []string `json:"missing,omitempty"` // those that no presentation matches; empty if the option is complete
}

// Matching returns the indexes, in the answer, of the presentations that match the credential query with this id.
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

func (e Evaluation) matched() (ids []string) {
	for _, c := range e.Credentials {
		if c.Matched {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// err returns an ErrMissing that says, in one line, why the answer does not satisfy the query.
func (e Evaluation) err() error {
	var reasons []string
	if e.Unasked > 0 {
		reasons = append(reasons, fmt.Sprintf("%d entries were not asked for", e.Unasked))
	}
	for i, s := range e.Sets {
		if s.Required && !s.Satisfied {
			reasons = append(reasons, fmt.Sprintf("credential set %d lacks %s", i, s.describeMissing()))
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

// describeMissing says what is missing in each option: "a and b, or c".
func (s SetVerdict) describeMissing() string {
	var options []string
	for _, o := range s.Options {
		options = append(options, strings.Join(o.Missing, " and "))
	}
	return strings.Join(options, ", or ")
}
