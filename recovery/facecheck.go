package recovery

import (
	"fmt"
	"time"
)

// Bounds and default of the threshold: those of matchConfidenceThreshold on the Microsoft Learn page "Using Face
// Check with Microsoft Entra Verified ID".
const (
	MinThreshold     = 50
	MaxThreshold     = 100
	DefaultThreshold = 70
)

// clockTolerance is how far a Face Check issuer's clock may differ from ours. It equals the tolerance for other
// issuers in internal/clock, which the domain does not import.
const clockTolerance = time.Minute

// FaceCheckRule sets the requirements on a Face Check: score ≥ Threshold, bound to the presented Verified ID, taken
// after the transaction began and at most MaxAge ago.
type FaceCheckRule struct {
	Threshold int
	MaxAge    time.Duration // 0: only the transaction's lifetime limits it
	// NotAsked requests no Face Check. Allowed in evaluation only, to try wallets before a Face Check issuer is
	// available.
	NotAsked bool
}

func (r FaceCheckRule) validate() error {
	if r.Threshold < MinThreshold || r.Threshold > MaxThreshold {
		return fmt.Errorf("face_check.threshold %d: use %d to %d, %d unless you know why", r.Threshold, MinThreshold, MaxThreshold, DefaultThreshold)
	}
	if r.MaxAge < 0 {
		return fmt.Errorf("face_check.max_age %s: cannot be negative", r.MaxAge)
	}
	return nil
}

// judge returns the first reason to refuse the Face Check, and the result of each part of the rule.
func (r FaceCheckRule) judge(check FaceCheck, began, now time.Time) (Reason, []RuleResult) {
	if r.NotAsked {
		return ReasonNone, []RuleResult{{Rule: "face_check:asked", Pass: true, Detail: "not asked for: this profile is a trial without a Face Check"}}
	}
	if check.Source == "" {
		return ReasonFaceCheckMissing, []RuleResult{{Rule: "face_check:present", Detail: "no Face Check was presented"}}
	}
	reason := ReasonNone
	var results []RuleResult
	rule := func(name string, pass bool, failure Reason, detail string) {
		if pass {
			detail = ""
		} else if reason == ReasonNone {
			reason = failure
		}
		results = append(results, RuleResult{Rule: "face_check:" + name, Pass: pass, Detail: detail})
	}
	rule("trusted", check.ValidationFailure == ReasonNone, check.ValidationFailure, "its receipt cannot be used: "+string(check.ValidationFailure))
	rule("bound", check.Bound, ReasonFaceCheckUnbound, "it is of another credential, photo or holder")
	rule("fresh", r.fresh(check.At, began, now), ReasonFaceCheckStale, "it was not taken during this recovery")
	// Written so that NaN fails.
	rule("score", check.Score >= float64(r.Threshold) && check.Score <= 100,
		ReasonFaceCheckTooLow, fmt.Sprintf("%.2f is below the threshold of %d", check.Score, r.Threshold))
	return reason, results
}

func (r FaceCheckRule) fresh(at, began, now time.Time) bool {
	if at.Before(began.Add(-clockTolerance)) || at.After(now.Add(clockTolerance)) {
		return false
	}
	return r.MaxAge == 0 || !at.Before(now.Add(-r.MaxAge-clockTolerance))
}
