package dcql

import (
	"strings"
)

// Rule is the query member that a finding is about.
type Rule string

// The rules that an answer can break. [RuleTrustedAuthorities] and [RuleCredentialSets] appear in notes only.
const (
	RuleFormat             Rule = "format"
	RuleMeta               Rule = "meta" // the credential has none of the types
	RuleHolderBinding      Rule = "require_cryptographic_holder_binding"
	RuleClaims             Rule = "claims"     // the path of a claim selects nothing
	RuleValues             Rule = "values"     // the path selects values, but none of the requested ones
	RuleClaimSets          Rule = "claim_sets" // no claim set is complete; the other findings say why
	RuleMultiple           Rule = "multiple"   // no presentation, or more than one
	RuleTrustedAuthorities Rule = "trusted_authorities"
	RuleCredentialSets     Rule = "credential_sets" // the credential was not needed
)

// Finding is a rule of the query that an answer breaks. It has what the query expects and the kind of what was found,
// but never a claim value: neither the presented one nor the requested one, which is personal data too.
type Finding struct {
	Rule     Rule   `json:"rule"`
	Claim    string `json:"claim,omitempty"` // the id of the claim, "" for none
	Path     Path   `json:"path,omitempty"`
	Expected string `json:"expected"`        // such as "object at address"
	Found    string `json:"found,omitempty"` // such as "another", or the kind of the value
}

// String returns the finding in one line.
func (f Finding) String() string {
	var b strings.Builder
	b.WriteString(string(f.Rule))
	if len(f.Path) > 0 {
		b.WriteString(" " + f.Path.String())
	}
	b.WriteString(": expected " + f.Expected)
	if f.Found != "" {
		b.WriteString(", found " + f.Found)
	}
	return b.String()
}
