package dcql

import (
	"fmt"
	"slices"
	"strconv"
)

// Candidate is what a query needs to know of a held credential.
type Candidate struct {
	Format string         // SDJWT or Mdoc
	Type   string         // vct or docType
	Claims map[string]any // with every disclosure opened; of an mdoc by namespace and element
	Bound  bool           // a holder key is in it (cnf, deviceKey)
	AKIs   []string       // base64url KeyIdentifiers of its certificate chain's AuthorityKeyIdentifiers
}

// Selection is the answer to one credential query.
type Selection struct {
	Asked  []Path  // the paths that are answered, as the verifier wrote them
	Places [][]any // every place in the credential that they select: names (string), indexes (int)
}

// Match decides whether the candidate answers the query, and with which claims (OpenID4VP 1.0 §6.4.1): all
// claims where there are no claim_sets, otherwise the first set that can be satisfied. A claim
// with another value than those in values counts as absent.
func (c Credential) Match(candidate Candidate) (Selection, bool) {
	if !c.MayAnswer(candidate.Format, candidate.Type) || !c.authority(candidate.AKIs) {
		return Selection{}, false
	}
	if c.NeedsHolder() && !candidate.Bound {
		return Selection{}, false
	}
	if len(c.ClaimSets) == 0 {
		return c.all(c.Claims, candidate.Claims)
	}
	for _, set := range c.ClaimSets {
		var claims []Claim
		for _, claim := range c.Claims {
			if slices.Contains(set, claim.ID) {
				claims = append(claims, claim)
			}
		}
		if selection, ok := c.all(claims, candidate.Claims); ok {
			return selection, true
		}
	}
	return Selection{}, false
}

// MayAnswer reports whether a credential of this format and type could answer, whatever its
// claims. A wallet asks it of credentials that it does not hold yet but can get.
func (c Credential) MayAnswer(format, typ string) bool {
	switch {
	case c.Format != format:
		return false
	case format == SDJWT:
		return slices.Contains(c.Meta.VCTValues, typ)
	}
	return format == Mdoc && c.Meta.DocType == typ
}

// Types returns the types that the query takes, or its format where it names none.
func (c Credential) Types() []string {
	switch {
	case c.Meta.DocType != "" && c.Format == Mdoc:
		return []string{c.Meta.DocType}
	case len(c.Meta.VCTValues) > 0:
		return c.Meta.VCTValues
	}
	return []string{c.Format}
}

// NeedsHolder reports whether the answer has to prove possession of the holder key.
func (c Credential) NeedsHolder() bool { return c.HolderBinding == nil || *c.HolderBinding }

func (c Credential) all(claims []Claim, held map[string]any) (Selection, bool) {
	var s Selection
	for _, claim := range claims {
		selected, err := claim.Path.walk(held)
		if err != nil || !claim.accepts(selected) {
			return Selection{}, false
		}
		if slices.ContainsFunc(s.Asked, func(p Path) bool { return slices.Equal(p, claim.Path) }) {
			continue // asked twice: ignored, as OpenID4VP 1.0 §6.1 wants
		}
		s.Asked = append(s.Asked, claim.Path)
		for _, f := range selected {
			s.Places = append(s.Places, f.place)
		}
	}
	return s, true
}

func (c Claim) accepts(selected []found) bool {
	if c.Values == nil {
		return true
	}
	return slices.ContainsFunc(selected, func(f found) bool {
		return slices.ContainsFunc(c.Values, func(want any) bool { return same(want, f.value) })
	})
}

// same compares type and value. Held numbers are texts of numbers, so that no digit is lost.
func same(want, held any) bool {
	number, ok := want.(float64)
	if !ok {
		return want == held
	}
	text, ok := held.(fmt.Stringer)
	if !ok {
		return held == number
	}
	value, err := strconv.ParseFloat(text.String(), 64)
	return err == nil && value == number
}

// authority is the verifier's hint about issuers it would accept (OpenID4VP 1.0 §6.1.1). Kinds that this wallet
// cannot evaluate match nothing: revealing data that will be rejected helps no one.
func (c Credential) authority(akis []string) bool {
	if c.Authorities == nil {
		return true
	}
	return slices.ContainsFunc(c.Authorities, func(a Authority) bool {
		return a.Type == "aki" && slices.ContainsFunc(a.Values, func(v string) bool { return slices.Contains(akis, v) })
	})
}

// Plan decides which credential queries to answer, given which of them can be (OpenID4VP 1.0 §6.4.2). Without
// credential_sets that is all of them. With them, the first satisfiable option of every required
// set; sets that are not required are left out, since the least said is best, unless nothing else
// is asked for: then the first that can be satisfied. missing names the queries that stand in the
// way; when it is not empty, nothing may be sent.
func (q Query) Plan(can func(id string) bool) (answer, missing []string) {
	if len(q.Sets) == 0 {
		for _, c := range q.Credentials {
			if can(c.ID) {
				answer = append(answer, c.ID)
			} else {
				missing = append(missing, c.ID)
			}
		}
		return answer, missing
	}
	for _, set := range q.wanted(can) {
		option, ok := set.first(can)
		if !ok {
			missing = append(missing, set.Options[0]...)
			continue
		}
		answer = append(answer, option...)
	}
	slices.Sort(answer)
	slices.Sort(missing)
	return slices.Compact(answer), slices.Compact(missing)
}

func (q Query) wanted(can func(string) bool) []Set {
	var required []Set
	for _, s := range q.Sets {
		if s.Required == nil || *s.Required {
			required = append(required, s)
		}
	}
	if len(required) > 0 {
		return required
	}
	for _, s := range q.Sets {
		if _, ok := s.first(can); ok {
			return []Set{s}
		}
	}
	return q.Sets[:1]
}

func (s Set) first(can func(string) bool) ([]string, bool) {
	for _, option := range s.Options {
		if !slices.ContainsFunc(option, func(id string) bool { return !can(id) }) {
			return option, true
		}
	}
	return nil, false
}
