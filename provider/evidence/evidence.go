package evidence

import (
	"regain/recovery"
	"regain/verifier"
)

// evidence converts the verifier's result to the domain's Evidence. It contains only the claims that the profile
// matches.
func (q verificationInput) evidence(verified verifier.Verified) recovery.Evidence {
	claims := make(map[recovery.ClaimName]string, len(q.bound))
	for _, b := range q.bound {
		if value, ok := claimAt(verified.VerifiedID().Claims, b.Claim); ok {
			claims[b.Claim] = value
		}
	}
	found := recovery.Evidence{ValidationFailure: reasonFor(verified.ValidationFailure()), Rule: q.rule, Claims: claims}
	if check, there := verified.FaceCheck(); there {
		found.FaceCheck = recovery.FaceCheck{
			ValidationFailure: reasonFor(check.ValidationFailure), Source: recovery.FaceCheckReceipt, Score: check.Score, At: check.At, Bound: check.Bound,
		}
	}
	return found
}

// reasonFor maps the verifier's failures to the domain's reasons. An unknown failure means untrusted: fail closed.
func reasonFor(o verifier.ValidationFailure) recovery.Reason {
	switch o {
	case verifier.NoFailure:
		return recovery.ReasonNone
	case verifier.Expired:
		return recovery.ReasonCredentialExpired
	case verifier.Revoked:
		return recovery.ReasonCredentialRevoked
	case verifier.StatusUnavailable:
		return recovery.ReasonStatusUnavailable
	}
	return recovery.ReasonCredentialUntrusted
}

// claimAt returns the value that a claim's path selects, if it is exactly one string.
func claimAt(from map[string]any, name recovery.ClaimName) (string, bool) {
	path, err := pathOf(name)
	if err != nil {
		return "", false
	}
	found, err := path.Select(from)
	if err != nil || len(found) != 1 {
		return "", false
	}
	text, ok := found[0].(string)
	return text, ok
}
