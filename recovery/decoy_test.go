package recovery_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"regain/recovery"
)

// steps counts the allocations of a call, which stand for its comparisons: unlike time they are the same on every machine.
func steps(call func()) float64 {
	least := testing.AllocsPerRun(10, call)
	for range 2 {
		least = min(least, testing.AllocsPerRun(10, call))
	}
	return least
}

// noise is how much the race detector, which empties pools at random, changes a count of steps. A comparison that is left
// out takes at least four steps.
const noise = 2

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
				return steps(func() { recovery.Decide(q) })
			}
			mismatch := work(question(func(*recovery.DecisionInput) {}))
			unusable := work(question(func(q *recovery.DecisionInput) { q.Account.Attributes["nickname"] = "love\u200blace" }))
			if unusable < mismatch-noise {
				t.Errorf("%s, %d words, an attribute that cannot be compared: %v allocations, a mismatch takes %v", level, words, unusable, mismatch)
			}
			for name, change := range map[string]func(*recovery.DecisionInput){
				"unknown": func(q *recovery.DecisionInput) {
					q.Account, q.Ineligible = recovery.Account{}, recovery.ReasonAccountUnknown
				},
				"disabled":              func(q *recovery.DecisionInput) { q.Ineligible = recovery.ReasonAccountDisabled },
				"without the attribute": func(q *recovery.DecisionInput) { delete(q.Account.Attributes, "nickname") },
			} {
				if got := work(question(change)); math.Abs(got-mismatch) > noise {
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

// asked counts what a directory is asked.
type asked struct {
	*outside
	times int
}

func (a *asked) Find(ctx context.Context, requested recovery.RequestedAccount) (recovery.Account, error) {
	a.times++
	return a.outside.Find(ctx, requested)
}

func (a *asked) FindByID(ctx context.Context, id recovery.AccountID) (recovery.Account, error) {
	a.times++
	return a.outside.FindByID(ctx, id)
}

// From the start to the denial a directory is asked as often about an account that there is not as about one that does not
// match, and the start takes as many steps.
func TestDecoysAreLookedUp(t *testing.T) {
	seen, work := map[recovery.RequestedAccount]int{}, map[recovery.RequestedAccount]float64{}
	for _, account := range []recovery.RequestedAccount{"ada@example.org", "grace@example.org", "nobody@example.org", "id of ada@example.org", "id of nobody"} {
		b := setUp(t, nil)
		directory := &asked{outside: b.outside}
		b.useDirectory(t, directory)
		tx, secret := b.start(t, account)
		receipt := b.present(t, tx, recovery.FlowSameDevice, func(e *recovery.Evidence) { e.Claims["family_name"] = "Stone" })
		tx, _ = b.Open(t.Context(), tx.ID, secret)
		if tx, err := b.Return(t.Context(), tx, receipt.ResponseCode); err != nil || tx.State != recovery.StateDenied {
			t.Fatalf("%s: %s, %v", account, tx.State, err)
		}
		seen[account] = directory.times
		work[account] = steps(func() {
			clear(b.transactions)
			clear(b.versions)
			b.events = b.events[:0]
			b.attempt(t, account, "192.0.2.1")
		})
	}
	for account, times := range seen {
		if times != seen["nobody@example.org"] || work[account] != work["nobody@example.org"] {
			t.Errorf("%s: asked %d times, started by %v allocations; nobody: %d, %v", account, times, work[account], seen["nobody@example.org"], work["nobody@example.org"])
		}
	}
}
