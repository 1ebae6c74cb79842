package provider

import (
	"regain/recovery"
	"regain/verifier"
)

// evidenceOf puts what the verifier found into the words of the domain. Only claims that a profile may match are
// evidence; the rest is left behind.
func evidenceOf(verified verifier.Verified, bindings []recovery.Binding) recovery.Evidence {
	claims := make(map[recovery.ClaimName]string, len(bindings))
	for _, b := range bindings {
		if value, ok := verified.Claim(string(b.Claim)); ok {
			claims[b.Claim] = value
		}
	}
	check := verified.FaceCheck()
	return recovery.Evidence{
		Objection: reasonFor(verified.Objection()), Claims: claims,
		FaceCheck: recovery.FaceCheck{
			Objection: reasonFor(check.Objection), Source: recovery.FaceCheckReceipt, Score: check.Score, At: check.At, Bound: check.Bound,
		},
	}
}

// reasonFor is the one table from the verifier's objections to reasons. One that it does not know is no trust.
func reasonFor(o verifier.Objection) recovery.Reason {
	switch o {
	case verifier.NoObjection:
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
