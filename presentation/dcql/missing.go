package dcql

import (
	"errors"
	"fmt"
	"slices"
)

// ErrMissing reports an answer that does not hold everything that the query requires.
var ErrMissing = errors.New("answer does not satisfy the query")

// Missing reports, as an [ErrMissing], the first rule of §6.4.2 that an answer with presentations
// for exactly these ids breaks: without credential_sets every credential has to be there, with
// them one whole option of every required set.
func (q Query) Missing(present []string) error {
	has := func(id string) bool { return slices.Contains(present, id) }
	if len(q.CredentialSets) == 0 {
		for _, c := range q.Credentials {
			if !has(c.ID) {
				return fmt.Errorf("%w: credential %s is missing", ErrMissing, c.ID)
			}
		}
		return nil
	}
	for i, s := range q.CredentialSets {
		if s.IsRequired() && !slices.ContainsFunc(s.Options, func(option []string) bool { return all(option, has) }) {
			return fmt.Errorf("%w: no option of credential set %d is complete", ErrMissing, i)
		}
	}
	return nil
}

// Missing reports, as an [ErrMissing], that a verified credential's claims do not hold what was
// asked of it (§6.4.1): every claim, or with claim_sets one whole option. A claim with another
// value than those in values counts as absent. claims is the processed payload, with every
// disclosure in its place, as JSON reads it. The error names paths, never values.
func (c Credential) Missing(claims map[string]any) error {
	absent := map[string]bool{} // by the claim's id
	for _, claim := range c.Claims {
		selected, err := claim.Path.Select(claims)
		if err == nil && claim.accepts(selected) {
			continue
		}
		if len(c.ClaimSets) == 0 {
			return fmt.Errorf("%w: claim %s", ErrMissing, claim.Path)
		}
		absent[claim.ID] = true
	}
	there := func(id string) bool { return !absent[id] }
	if len(c.ClaimSets) > 0 && !slices.ContainsFunc(c.ClaimSets, func(set []string) bool { return all(set, there) }) {
		return fmt.Errorf("%w: no claim set is complete", ErrMissing)
	}
	return nil
}

func (c Claim) accepts(selected []any) bool {
	if c.Values == nil {
		return true
	}
	return slices.ContainsFunc(selected, func(held any) bool {
		return slices.ContainsFunc(c.Values, func(want any) bool { return same(want, held) })
	})
}

func same(a, b any) bool {
	x, ok := scalar(a)
	if !ok {
		return false
	}
	y, ok := scalar(b)
	return ok && x == y
}

func all(ids []string, is func(string) bool) bool {
	return !slices.ContainsFunc(ids, func(id string) bool { return !is(id) })
}
