package dcql

import (
	"fmt"
	"slices"
	"strings"
)

func (c Credential) evaluate(p Presentation) PresentationVerdict {
	var v PresentationVerdict
	if p.CredentialFormat != c.Format {
		v.Mismatches = append(v.Mismatches, Finding{Rule: RuleFormat, Expected: c.Format, Found: "another"})
	}
	if c.Meta == nil || !c.Meta.Accepts(p.Types...) {
		v.Mismatches = append(v.Mismatches, Finding{Rule: RuleMeta, Expected: c.Meta.describe(), Found: "another"})
	}
	if c.NeedsHolderBinding() && !p.HolderBound {
		v.Mismatches = append(v.Mismatches, Finding{Rule: RuleHolderBinding, Expected: "proof of possession of the holder's key"})
	}
	missing, set := c.claimMismatches(p)
	v.Mismatches = append(v.Mismatches, missing...)
	if set >= 0 {
		v.ClaimSet = &set
	}
	if note, there := c.authorityNote(p); there {
		v.Notes = append(v.Notes, note)
	}
	return v
}

// claimMismatches returns the claims that do not match (OpenID4VP 1.0 §6.4.1). With claim_sets it returns none if a set
// is complete. set is the index of the first complete claim set, or -1.
func (c Credential) claimMismatches(p Presentation) (missing []Finding, set int) {
	for _, claim := range c.Claims {
		if f, differs := claim.mismatch(p); differs {
			missing = append(missing, f)
		}
	}
	if len(c.ClaimSets) == 0 {
		return missing, -1
	}
	set = slices.IndexFunc(c.ClaimSets, func(option []string) bool {
		return all(option, func(id string) bool { return c.holds(id, missing) })
	})
	if set >= 0 {
		return nil, set
	}
	return append(missing, Finding{Rule: RuleClaimSets, Expected: fmt.Sprintf("every claim of one of %d sets", len(c.ClaimSets))}), -1
}

// holds reports whether the query has a claim with this id and the claim is not missing.
func (c Credential) holds(id string, missing []Finding) bool {
	return slices.ContainsFunc(c.Claims, func(claim Claim) bool { return claim.ID == id }) &&
		!slices.ContainsFunc(missing, func(f Finding) bool { return f.Claim == id })
}

// mismatch returns a finding if the claim does not match. A claim with none of the requested values counts as absent
// (OpenID4VP 1.0 §6.4.1).
func (c Claim) mismatch(p Presentation) (f Finding, differs bool) {
	w := walk{path: c.Path, withheld: p.Withheld}
	if missing := w.run(p.Claims); missing != "" {
		return Finding{Rule: RuleClaims, Claim: c.ID, Path: c.Path, Expected: missing}, true
	}
	if c.accepts(w.found) {
		return Finding{}, false
	}
	wanted, found := strings.Join(kinds(c.Values), " or "), strings.Join(kinds(w.found), " and ")
	if wanted == found {
		found = "another"
	}
	return Finding{Rule: RuleValues, Claim: c.ID, Path: c.Path, Expected: wanted + " of those asked for", Found: found}, true
}
