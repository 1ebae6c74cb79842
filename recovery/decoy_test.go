package recovery_test

import (
	"strings"
	"testing"

	"regain/recovery"
)

// A stranger's presentation is compared with an account that does not exist, or that has no such attribute, in as many
// steps as with one that does not match: time cannot tell them apart, however long the claims are and however many
// bindings there are.
func TestDecoysAreCompared(t *testing.T) {
	for _, level := range []recovery.MatchLevel{recovery.MatchExact, recovery.MatchRelaxed} {
		for _, words := range []int{1, 2, 60} {
			question := func(change func(*recovery.DecisionInput)) recovery.DecisionInput {
				q := goodQuestion()
				q.Profile.Credentials[0].Bindings = append(bindings(level), recovery.Binding{Attribute: "middle_name", Claim: "middle_name", Level: level}, recovery.Binding{Attribute: "nickname", Claim: "nickname", Level: level})
				for _, name := range []recovery.ClaimName{"given_name", "family_name", "middle_name", "nickname"} {
					q.Evidence.Claims[name] = strings.TrimSpace(strings.Repeat("stone ", words))
				}
				for _, name := range []recovery.AttributeName{"given_name", "family_name", "middle_name", "nickname"} {
					q.Account.Attributes[name] = "lovelace"
				}
				change(&q)
				return q
			}
			work := func(q recovery.DecisionInput) float64 {
				return testing.AllocsPerRun(20, func() { recovery.Decide(q) })
			}
			mismatch := work(question(func(*recovery.DecisionInput) {}))
			for name, change := range map[string]func(*recovery.DecisionInput){
				"unknown":               func(q *recovery.DecisionInput) { q.Account, q.Ineligible = recovery.Account{}, recovery.ReasonAccountUnknown },
				"disabled":              func(q *recovery.DecisionInput) { q.Ineligible = recovery.ReasonAccountDisabled },
				"without the attribute": func(q *recovery.DecisionInput) { delete(q.Account.Attributes, "nickname") },
			} {
				if got := work(question(change)); got != mismatch {
					t.Errorf("%s, %d words, %s: %v allocations, a mismatch takes %v", level, words, name, got, mismatch)
				}
			}
		}
	}
}

// Nobody is the decoy: a claim with its value is of no account that does not exist, and of none that lacks the attribute.
func TestTheDecoyIsNobody(t *testing.T) {
	for _, level := range []recovery.MatchLevel{recovery.MatchExact, recovery.MatchRelaxed} {
		for _, decoy := range []string{"lindqvist", "Lindqvist", "lindqvist lindqvist", ""} {
			q := goodQuestion()
			q.Profile.Credentials[0].Bindings = bindings(level)
			q.Account = recovery.Account{}
			q.Evidence.Claims = map[recovery.ClaimName]string{"given_name": decoy, "family_name": decoy}
			got := recovery.Decide(q)
			if got.Reason != recovery.ReasonAccountMismatch {
				t.Errorf("%s, %q: %s %s", level, decoy, got.Outcome, got.Reason)
			}
			for _, r := range got.Results {
				if strings.HasPrefix(r.Rule, "match:") && r.Pass {
					t.Errorf("%s, %q: %s passes", level, decoy, r.Rule)
				}
			}
		}
	}
}
