package recovery

import (
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"strings"
)

// MatchLevel says how a claim must agree with an attribute.
type MatchLevel string

// The two levels of Entra ID account recovery.
const (
	// MatchExact: the claim is the attribute, after normalisation.
	MatchExact MatchLevel = "exact"
	// MatchRelaxed is cross-field word matching: the attribute must be a word of any of the claims that are matched
	// relaxed together. "Maria" and "Garcia" match a passport's "Maria Elena", "Garcia Lopez", and also a full name
	// that an issuer put into one claim. An attribute of several words ("Mary Ann"), of which Entra's rule says
	// nothing, must be there as those words in that order, side by side.
	MatchRelaxed MatchLevel = "relaxed"
)

// Binding ties one attribute of the account to one claim of the Verified ID.
type Binding struct {
	Attribute AttributeName
	Claim     ClaimName
	Level     MatchLevel
}

// matchAccount compares every binding and returns what each said. All are evaluated, whatever the first one said, and
// values are compared without a hint of how far they agree. The rule is named after the attribute, never a value.
func matchAccount(account Account, claims map[ClaimName]string, bindings []Binding) []RuleResult {
	results := make([]RuleResult, 0, len(bindings))
	for _, b := range bindings {
		result := RuleResult{Rule: "match:" + string(b.Attribute) + ":" + string(b.Level)}
		wanted, usable := normalise(account.Attributes[b.Attribute])
		switch {
		case !usable:
			result.Detail = "the directory has no usable value"
		case b.Level == MatchExact:
			result.Pass, result.Detail = matchesExactly(wanted, claims[b.Claim])
		case b.Level == MatchRelaxed:
			result.Pass, result.Detail = matchesRelaxed(wanted, claims, bindings)
		}
		results = append(results, result)
	}
	return results
}

func matchesExactly(wanted, claim string) (bool, string) {
	got, usable := normalise(claim)
	if !usable {
		return false, "the credential has no usable value"
	}
	if !same(wanted, got) {
		return false, "the values differ"
	}
	return true, ""
}

func matchesRelaxed(wanted string, claims map[ClaimName]string, bindings []Binding) (bool, string) {
	words := strings.Fields(wanted)
	found, usable := false, false
	for _, claim := range relaxedClaims(bindings) {
		got, ok := normalise(claims[claim])
		if !ok {
			continue
		}
		usable = true
		// Not ||: every claim is looked at.
		found = containsRun(strings.Fields(got), words) || found
	}
	switch {
	case !usable:
		return false, "the credential has no usable value"
	case !found:
		return false, "no claim contains the value"
	}
	return true, ""
}

// relaxedClaims lists the claims that are searched together, each once.
func relaxedClaims(bindings []Binding) []ClaimName {
	var claims []ClaimName
	for _, b := range bindings {
		if b.Level == MatchRelaxed && !slices.Contains(claims, b.Claim) {
			claims = append(claims, b.Claim)
		}
	}
	return claims
}

// containsRun reports whether all of run stands in words, side by side and in order.
func containsRun(words, run []string) bool {
	found := false
	for i := 0; i+len(run) <= len(words); i++ {
		found = same(strings.Join(words[i:i+len(run)], " "), strings.Join(run, " ")) || found
	}
	return found
}

// same compares in constant time, whatever the lengths.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
