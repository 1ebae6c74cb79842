package recovery

import "time"

// Outcome is the result of a decision.
type Outcome string

// The three outcomes.
const (
	OutcomeApproved  Outcome = "approved"  // production: a pass will be issued when the client redeems its code
	OutcomeEvaluated Outcome = "evaluated" // evaluation: it would have been approved
	OutcomeDenied    Outcome = "denied"
)

// DecisionInput holds everything that a decision depends on.
type DecisionInput struct {
	Profile    Profile
	Account    Account // the account that the main IdP named
	Ineligible Reason  // why this account is denied whatever the evidence, or ReasonNone
	Evidence   Evidence
	StartedAt  time.Time
	Now        time.Time
}

// Decision is the verdict on a recovery. It contains no claim or attribute value, so it may be stored and audited.
type Decision struct {
	Outcome   Outcome         `json:"outcome"`
	Reason    Reason          `json:"reason,omitempty"`
	Results   []RuleResult    `json:"results,omitempty"`
	FaceCheck FaceCheckResult `json:"face_check,omitzero"`
}

// FaceCheckResult is the part of a Face Check that is stored.
type FaceCheckResult struct {
	Score  float64         `json:"score"`
	Source FaceCheckSource `json:"source"`
}

// Decide weighs the evidence. It is pure, evaluates every rule even after one failed, and does the same work for an
// account that does not exist as for one that does not match, so that time tells nothing about the account.
//
// When several rules fail, the credential's reason is reported first, then the Face Check's, then the account's: a
// stranger with a worthless credential learns about the credential and nothing about the account.
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
		if q.Profile.FaceCheck.NotAsked { // Profiles.Validate refuses this already; fail closed here too
			decision.Reason = ReasonFaceCheckMissing
			break
		}
		decision.Outcome = OutcomeApproved
	case ModeEvaluation:
		decision.Outcome = OutcomeEvaluated
	default: // Profiles.Validate refuses other modes already; fail closed
		decision.Reason = ReasonAccountOutOfScope
	}
	return decision
}

// judgeAccount matches the claims even if the account is ineligible, so that the work and the time are those of a
// mismatch.
func judgeAccount(q DecisionInput) (Reason, []RuleResult) {
	var bindings []Binding // no bindings match no account
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

// finite replaces a score outside 0 to 100, such as NaN, which JSON cannot represent, with 0.
func finite(score float64) float64 {
	if score >= 0 && score <= 100 {
		return score
	}
	return 0
}
