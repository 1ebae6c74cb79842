package evidence

import (
	"regain/recovery"
	"regain/verifier"
)

// ClaimAt lets tests ask for claims that no credential of theirs has.
func ClaimAt(from map[string]any, name recovery.ClaimName) (string, bool) { return claimAt(from, name) }

// Input lets tests see what the verifier is asked.
func (r *Rules) Input(s Submission) (verifier.Presentation, verifier.Expect, error) {
	in, err := r.input(s)
	return in.presentation, in.expect, err
}

// OfNothing is the evidence of an answer in which nothing was verified.
func (r *Rules) OfNothing(s Submission) (recovery.Evidence, error) {
	in, err := r.input(s)
	return in.evidence(verifier.Verified{}), err
}
