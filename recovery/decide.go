package recovery

import "time"

// Outcome is how a decision ends.
type Outcome string

// The three outcomes.
const (
	OutcomeApproved  Outcome = "approved"  // production: a pass will be issued when the client redeems its code
	OutcomeEvaluated Outcome = "evaluated" // evaluation: it would have been approved
	OutcomeDenied    Outcome = "denied"
)

// DecisionInput is everything a decision depends on.
type DecisionInput struct {
	Profile    Profile
	Account    Account // the one that the main IdP named
	Ineligible Reason  // why this account recovers nothing whatever the evidence, or ReasonNone
	Evidence   Evidence
	StartedAt  time.Time
	Now        time.Time
}

// Decision is the answer, in a form that may be stored and audited: it holds no value of the person's.
type Decision struct {
	Outcome   Outcome         `json:"outcome"`
	Reason    Reason          `json:"reason,omitempty"`
	Results   []RuleResult    `json:"results,omitempty"`
	FaceCheck FaceCheckResult `json:"face_check,omitzero"`
}

// FaceCheckResult is what is kept of a Face Check.
type FaceCheckResult struct {
	Score  float64         `json:"score"`
	Source FaceCheckSource `json:"source"`
}

// Decide weighs the evidence. It is pure, evaluates every rule whatever the others said, and takes the same way for an
// account that does not exist as for one that does not match.
//
// Of several reasons the one about the credential comes first, then the Face Check, then the account: a stranger with
// a worthless credential learns about the credential and nothing about the account.
func Decide(q DecisionInput) Decision {
	credential := q.Evidence.ValidationFailure
	results := []RuleResult{{Rule: "credential", Pass: credential == ReasonNone, Detail: string(credential)}}
	face, said := q.Profile.FaceCheck.judge(q.Evidence.FaceCheck, q.StartedAt, q.Now)
	results = append(results, said...)
	account, said := judgeAccount(q)
	results = append(results, said...)

	decision := Decision{Outcome: OutcomeDenied, Reason: firstOf(credential, face, account), Results: results}
	if q.Evidence.FaceCheck.Bound {
		decision.FaceCheck = FaceCheckResult{Score: finite(q.Evidence.FaceCheck.Score), Source: q.Evidence.FaceCheck.Source}
	}
	if decision.Reason != ReasonNone {
		return decision
	}
	switch q.Profile.Mode {
	case ModeProduction:
		if q.Profile.FaceCheck.NotAsked { // fail closed here too
			decision.Reason = ReasonFaceCheckMissing
			break
		}
		decision.Outcome = OutcomeApproved
	case ModeEvaluation:
		decision.Outcome = OutcomeEvaluated
	default: // fail closed; Profiles.Validate lets no such profile through
		decision.Reason = ReasonAccountOutOfScope
	}
	return decision
}

// judgeAccount compares even where the account is ineligible: the work and the time are those of a mismatch.
func judgeAccount(q DecisionInput) (Reason, []RuleResult) {
	var bindings []Binding // none match nothing
	if i := q.Evidence.Rule; i >= 0 && i < len(q.Profile.Credentials) {
		bindings = q.Profile.Credentials[i].Bindings
	}
	results := matchAccount(q.Account, q.Evidence.Claims, bindings)
	matched := len(results) > 0
	for _, r := range results {
		matched = matched && r.Pass
	}
	eligible := RuleResult{Rule: "account:eligible", Pass: q.Ineligible == ReasonNone, Detail: string(q.Ineligible)}
	results = append([]RuleResult{eligible}, results...)
	if q.Ineligible != ReasonNone {
		return q.Ineligible, results
	}
	if !matched {
		return ReasonAccountMismatch, results
	}
	return ReasonNone, results
}

func firstOf(reasons ...Reason) Reason {
	for _, r := range reasons {
		if r != ReasonNone {
			return r
		}
	}
	return ReasonNone
}

// finite keeps a score that is no number out of JSON.
func finite(score float64) float64 {
	if score >= 0 && score <= 100 {
		return score
	}
	return 0
}
