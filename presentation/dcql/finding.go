package dcql

import (
	"strings"
)

// Rule is the member of a query that a finding is about.
type Rule string

// The rules that an answer can break. [RuleTrustedAuthorities] and [RuleCredentialSets] are in notes only.
const (
	RuleFormat             Rule = "format"
	RuleMeta               Rule = "meta" // the credential is of none of the types
	RuleHolderBinding      Rule = "require_cryptographic_holder_binding"
	RuleClaims             Rule = "claims"     // the path of a claim selects nothing
	RuleValues             Rule = "values"     // it selects something, and none of the values asked for
	RuleClaimSets          Rule = "claim_sets" // no option is complete, for the reasons that stand beside it
	RuleMultiple           Rule = "multiple"   // more presentations than one, or none
	RuleTrustedAuthorities Rule = "trusted_authorities"
	RuleCredentialSets     Rule = "credential_sets" // sent without need
)

// Finding is one rule that an answer does not follow. It holds what the query says and what kind of thing was there
// instead: never a value of a claim, neither the person's nor the one that was asked for, which is the person's too.
type Finding struct {
	Rule     Rule   `json:"rule"`
	Claim    string `json:"claim,omitempty"` // its id, where it has one
	Path     Path   `json:"path,omitempty"`
	Expected string `json:"expected"`        // such as "object at address"
	Found    string `json:"found,omitempty"` // such as "another", or the kind of the value
}

// String is the finding in a line.
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
