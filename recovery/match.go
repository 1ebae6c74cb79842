package recovery

import (
	"crypto/sha256"
	"crypto/subtle"
	"strings"
)

// MatchLevel says how closely a claim must agree with an attribute.
type MatchLevel string

// The two match confidence levels of Entra ID account recovery, by the Microsoft Learn page "Frequently asked
// questions about account recovery in Microsoft Entra ID" (how is the Verified ID matched?). That page does not say
// how case, accents and spaces are compared; normalise does.
const (
	// MatchExact: the claim equals the attribute after normalisation.
	MatchExact MatchLevel = "exact"
	// MatchRelaxed is cross-field word matching: the attribute must be a word of any claim that the profile binds
	// with this level. "Maria" and "Garcia" match a passport's "Maria Elena", "Garcia Lopez", and also a full name
	// that an issuer put into one claim. Microsoft's rule is silent about an attribute of several words ("Mary Ann");
	// here all its words must occur side by side, in that order.
	MatchRelaxed MatchLevel = "relaxed"
)

// Binding requires one attribute of the account to agree with one claim of the Verified ID.
type Binding struct {
	Attribute AttributeName
	Claim     ClaimName
	Level     MatchLevel
}

// decoyValue is compared in place of an attribute that the account does not have, as no account has it that does not
// exist. Its result is thrown away. Without it a wallet's answer for a guessed name would be a comparison quicker for each
// binding, which eighty answers make visible.
const decoyValue = "lindqvist"

// matchAccount evaluates every binding, even after one failed and even if there is no account, and in constant time, so
// that timing does not reveal how far the values agree. Rule names contain the attribute's name, never a value.
func matchAccount(account Account, claims map[ClaimName]string, bindings []Binding) []RuleResult {
	results := make([]RuleResult, 0, len(bindings))
	for _, b := range bindings {
		result := RuleResult{Rule: "match:" + string(b.Attribute) + ":" + string(b.Level)}
		wanted, usable := attributeOrDecoy(account.Attributes[b.Attribute])
		switch b.Level {
		case MatchExact:
			result.Pass, result.Detail = matchesExactly(wanted, claims[b.Claim])
		case MatchRelaxed:
			result.Pass, result.Detail = matchesRelaxed(wanted, claims, bindings)
		}
		if !usable {
			result.Pass, result.Detail = false, "the directory has no usable value"
		}
		results = append(results, result)
	}
	return results
}

// attributeOrDecoy returns the normalised value to compare with, and whether it is the account's.
func attributeOrDecoy(value string) (wanted string, usable bool) {
	missing := value == ""
	if missing {
		value = decoyValue
	}
	if wanted, usable = normalise(value); !usable {
		return decoyValue, false
	}
	return wanted, !missing
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
		// No short-circuit: every claim is compared, so that the time does not reveal which one matched.
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

// relaxedClaims returns the claims that are searched together, without duplicates.
func relaxedClaims(bindings []Binding) []ClaimName {
	var claims []ClaimName
	for _, b := range bindings {
		if b.Level == MatchRelaxed {
			claims = append(claims, b.Claim)
		}
	}
	return claims
}

// containsRun reports whether run occurs in words, side by side and in order. It compares at every position, for
// constant time.
func containsRun(words, run []string) bool {
	found := false
	for i := 0; i+len(run) <= len(words); i++ {
		found = same(strings.Join(words[i:i+len(run)], " "), strings.Join(run, " ")) || found
	}
	return found
}

// same compares digests, so the time depends neither on where the values differ nor on whether their lengths do.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
