package dcql

import (
	"errors"
	"fmt"
	"slices"
)

// ErrMissing means that an answer lacks something that the query requires.
var ErrMissing = errors.New("answer does not satisfy the query")

// Missing returns an [ErrMissing] if an answer with presentations for exactly these ids does not satisfy OpenID4VP 1.0
// §6.4.2: without credential_sets every credential must be present, with them one whole option of every required set.
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

// Choose returns the ids of the credentials to use, in the order of the query: without credential_sets all of them,
// with them those of the first complete option of each set, since options are in order of preference (OpenID4VP 1.0
// §6.2). Its error is that of [Query.Missing].
func (q Query) Choose(present []string) ([]string, error) {
	if err := q.Missing(present); err != nil {
		return nil, err
	}
	has := func(id string) bool { return slices.Contains(present, id) }
	var options []string
	for _, s := range q.CredentialSets {
		if i := slices.IndexFunc(s.Options, func(option []string) bool { return all(option, has) }); i >= 0 {
			options = append(options, s.Options[i]...)
		}
	}
	var chosen []string
	for _, c := range q.Credentials {
		if len(q.CredentialSets) == 0 || slices.Contains(options, c.ID) {
			chosen = append(chosen, c.ID)
		}
	}
	return chosen, nil
}

// Missing returns an [ErrMissing] with the first claim of the query that a verified credential's claims do not match
// (OpenID4VP 1.0 §6.4.1). [Query.Evaluate] reports all mismatches, not only those of claims.
func (c Credential) Missing(claims map[string]any) error {
	if missing, _ := c.claimMismatches(Presentation{Claims: claims}); len(missing) > 0 {
		return fmt.Errorf("%w: %s", ErrMissing, missing[0])
	}
	return nil
}

func all(ids []string, is func(string) bool) bool {
	return !slices.ContainsFunc(ids, func(id string) bool { return !is(id) })
}
