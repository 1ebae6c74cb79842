package recovery_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"regain/recovery"
)

// goodQuestion is approved; each row of a test breaks one thing in it.
func goodQuestion() recovery.DecisionInput {
	return recovery.DecisionInput{
		Profile: goodProfile("employees", 1),
		Account: recovery.Account{
			Name: "ada@example.org", ID: "id of ada@example.org", Enabled: true,
			Attributes: map[recovery.AttributeName]string{"given_name": "Ada", "family_name": "Lindqvist"},
		},
		Evidence: recovery.Evidence{
			Claims:    map[recovery.ClaimName]string{"given_name": "Ada", "family_name": "Lindqvist"},
			FaceCheck: recovery.FaceCheck{Source: recovery.FaceCheckReceipt, Score: 86.3, At: noon.Add(time.Minute), Bound: true},
		},
		StartedAt: noon, Now: noon.Add(2 * time.Minute),
	}
}

func goodProfile(name recovery.ProfileName, priority int) recovery.Profile {
	return recovery.Profile{
		Name: name, Enabled: true, Mode: recovery.ModeProduction, Priority: priority, Scope: recovery.Scope{All: true},
		Credentials: []recovery.CredentialRule{{Format: "dc+sd-jwt", Types: []string{"urn:regain:verified-identity:1"}, Bindings: bindings(recovery.MatchExact)}},
		FaceCheck:   recovery.FaceCheckRule{Threshold: 70},
		Pass:        recovery.PassPolicy{Lifetime: time.Hour, Length: 12, UsableOnce: true},
		Channels:    []recovery.Channel{{Wallet: "any", Flow: recovery.FlowSameDevice}},
	}
}

func TestDecide(t *testing.T) {
	for name, row := range map[string]struct {
		change  func(*recovery.DecisionInput)
		outcome recovery.Outcome
		reason  recovery.Reason
	}{
		"as it should be": {func(*recovery.DecisionInput) {}, recovery.OutcomeApproved, recovery.ReasonNone},
		"evaluation":      {func(q *recovery.DecisionInput) { q.Profile.Mode = recovery.ModeEvaluation }, recovery.OutcomeEvaluated, recovery.ReasonNone},
		"no mode":         {func(q *recovery.DecisionInput) { q.Profile.Mode = "" }, recovery.OutcomeDenied, recovery.ReasonAccountOutOfScope},
		"another name":    {func(q *recovery.DecisionInput) { q.Evidence.Claims["family_name"] = "Stone" }, recovery.OutcomeDenied, recovery.ReasonAccountMismatch},
		"another rule":    {func(q *recovery.DecisionInput) { q.Evidence.Rule = 1 }, recovery.OutcomeDenied, recovery.ReasonAccountMismatch},
		"no rule":         {func(q *recovery.DecisionInput) { q.Evidence.Rule = -1 }, recovery.OutcomeDenied, recovery.ReasonAccountMismatch},
		"no claims":       {func(q *recovery.DecisionInput) { q.Evidence.Claims = nil }, recovery.OutcomeDenied, recovery.ReasonAccountMismatch},
		"no bindings":     {func(q *recovery.DecisionInput) { q.Profile.Credentials[0].Bindings = nil }, recovery.OutcomeDenied, recovery.ReasonAccountMismatch},
		"unknown level": {func(q *recovery.DecisionInput) { q.Profile.Credentials[0].Bindings[0].Level = "fuzzy" }, recovery.OutcomeDenied,
			recovery.ReasonAccountMismatch},
		"ineligible": {func(q *recovery.DecisionInput) { q.Ineligible = recovery.ReasonAccountExcluded }, recovery.OutcomeDenied, recovery.ReasonAccountExcluded},
		"revoked": {func(q *recovery.DecisionInput) { q.Evidence.ValidationFailure = recovery.ReasonCredentialRevoked }, recovery.OutcomeDenied,
			recovery.ReasonCredentialRevoked},
		"no Face Check": {func(q *recovery.DecisionInput) { q.Evidence.FaceCheck = recovery.FaceCheck{} }, recovery.OutcomeDenied, recovery.ReasonFaceCheckMissing},
		"a trial without Face Checks": {func(q *recovery.DecisionInput) {
			q.Profile.Mode, q.Profile.FaceCheck.NotAsked, q.Evidence.FaceCheck = recovery.ModeEvaluation, true, recovery.FaceCheck{}
		}, recovery.OutcomeEvaluated, recovery.ReasonNone},
		"none asked for in production": {func(q *recovery.DecisionInput) {
			q.Profile.FaceCheck.NotAsked, q.Evidence.FaceCheck = true, recovery.FaceCheck{}
		}, recovery.OutcomeDenied, recovery.ReasonFaceCheckMissing},
		"at the threshold": {func(q *recovery.DecisionInput) { q.Evidence.FaceCheck.Score = 70 }, recovery.OutcomeApproved, recovery.ReasonNone},
		"below it":         {func(q *recovery.DecisionInput) { q.Evidence.FaceCheck.Score = 69.99 }, recovery.OutcomeDenied, recovery.ReasonFaceCheckTooLow},
		"no number":        {func(q *recovery.DecisionInput) { q.Evidence.FaceCheck.Score = math.NaN() }, recovery.OutcomeDenied, recovery.ReasonFaceCheckTooLow},
		"above a hundred":  {func(q *recovery.DecisionInput) { q.Evidence.FaceCheck.Score = 100.1 }, recovery.OutcomeDenied, recovery.ReasonFaceCheckTooLow},
		"infinite": {func(q *recovery.DecisionInput) { q.Evidence.FaceCheck.Score = math.Inf(1) }, recovery.OutcomeDenied,
			recovery.ReasonFaceCheckTooLow},
		"of another credential": {func(q *recovery.DecisionInput) { q.Evidence.FaceCheck.Bound = false }, recovery.OutcomeDenied,
			recovery.ReasonFaceCheckUnbound},
		"its receipt is untrusted": {func(q *recovery.DecisionInput) {
			q.Evidence.FaceCheck.ValidationFailure = recovery.ReasonCredentialUntrusted
		},
			recovery.OutcomeDenied, recovery.ReasonCredentialUntrusted},
		"before the transaction": {func(q *recovery.DecisionInput) { q.Evidence.FaceCheck.At = noon.Add(-61 * time.Second) }, recovery.OutcomeDenied,
			recovery.ReasonFaceCheckStale},
		"clocks differ a little": {func(q *recovery.DecisionInput) { q.Evidence.FaceCheck.At = noon.Add(-59 * time.Second) }, recovery.OutcomeApproved,
			recovery.ReasonNone},
		"in the future": {func(q *recovery.DecisionInput) { q.Evidence.FaceCheck.At = q.Now.Add(2 * time.Minute) }, recovery.OutcomeDenied,
			recovery.ReasonFaceCheckStale},
		"too long ago": {func(q *recovery.DecisionInput) {
			q.Profile.FaceCheck.MaxAge, q.Now = time.Minute, noon.Add(10*time.Minute)
		},
			recovery.OutcomeDenied, recovery.ReasonFaceCheckStale},
	} {
		t.Run(name, func(t *testing.T) {
			q := goodQuestion()
			row.change(&q)
			d := recovery.Decide(q)
			if d.Outcome != row.outcome || d.Reason != row.reason {
				t.Errorf("got %s %q, want %s %q", d.Outcome, d.Reason, row.outcome, row.reason)
			}
			if _, err := json.Marshal(d); err != nil {
				t.Errorf("the decision cannot be stored: %v", err)
			}
		})
	}
}

// Of several reasons the one that says least about the account is told.
func TestReasonsHaveAnOrder(t *testing.T) {
	q := goodQuestion()
	q.Ineligible, q.Evidence.FaceCheck.Score, q.Evidence.ValidationFailure = recovery.ReasonAccountUnknown, 10, recovery.ReasonCredentialExpired
	if d := recovery.Decide(q); d.Reason != recovery.ReasonCredentialExpired {
		t.Errorf("with three faults: %s", d.Reason)
	}
	q.Evidence.ValidationFailure = recovery.ReasonNone
	if d := recovery.Decide(q); d.Reason != recovery.ReasonFaceCheckTooLow {
		t.Errorf("with two faults: %s", d.Reason)
	}
}

// Every rule is evaluated and kept, whatever the others said.
func TestEveryRuleIsKept(t *testing.T) {
	all := func(q recovery.DecisionInput) string {
		var rules []string
		for _, r := range recovery.Decide(q).Results {
			rules = append(rules, r.Rule)
		}
		return strings.Join(rules, " ")
	}
	q := goodQuestion()
	want := "credential face_check:trusted face_check:bound face_check:fresh face_check:score account:eligible match:given_name:exact match:family_name:exact"
	if got := all(q); got != want {
		t.Errorf("rules of an approval:\n%s, want\n%s", got, want)
	}
	q.Evidence.ValidationFailure, q.Evidence.FaceCheck.Bound, q.Ineligible = recovery.ReasonCredentialRevoked, false, recovery.ReasonAccountUnknown
	q.Evidence.Claims = nil
	if got := all(q); got != want {
		t.Errorf("rules of a denial:\n%s, want\n%s", got, want)
	}
}

// An unknown account and a mismatch have the same public reason.
func TestNothingToEnumerate(t *testing.T) {
	for _, r := range recovery.Reasons() {
		about := strings.HasPrefix(string(r), "account_")
		if about != (r.Public() == recovery.PublicNotVerified) {
			t.Errorf("%s is told as %s", r, r.Public())
		}
	}
	if recovery.Reason("invented").Public() != recovery.PublicNotVerified {
		t.Error("an unknown reason tells something")
	}
}

// Types that hold personal data or secrets show none of it, however they are printed.
func TestRedaction(t *testing.T) {
	const secret = "Lindqvist"
	q := goodQuestion()
	q.Account.Name = secret
	tx := recovery.Transaction{ID: "txn", Account: secret, Authorization: []byte(secret), Presentation: &recovery.PresentationAttempt{
		Requests: []recovery.PendingRequest{{Channel: recovery.Channel{Flow: recovery.FlowSameDevice}, Secret: secret}},
	}}
	for name, value := range map[string]any{
		"account": q.Account, "evidence": q.Evidence, "pass value": recovery.NewPassValue(secret),
		"pass": recovery.Pass{Value: recovery.NewPassValue(secret)}, "transaction": tx,
	} {
		var log strings.Builder
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "v", value)
		shown := log.String()
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			shown += fmt.Sprintf(verb, value)
		}
		if name != "transaction" { // it is stored as JSON, encrypted
			data, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			shown += string(data)
		}
		if strings.Contains(shown, secret) || strings.Contains(shown, fmt.Sprintf("%x", secret)) {
			t.Errorf("%s shows itself: %s", name, shown)
		}
	}
}
