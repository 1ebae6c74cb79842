package provider

import (
	"regain/presentation/dcql"
	"regain/recovery"
	"regain/verifier"
)

// evidenceOf puts what the verifier found into the words of the domain. Only claims that a profile may match are
// evidence; the rest is left behind.
func evidenceOf(verified verifier.Verified, rule int, bindings []recovery.Binding) recovery.Evidence {
	claims := make(map[recovery.ClaimName]string, len(bindings))
	for _, b := range bindings {
		if value, ok := claimAt(verified.VerifiedID().Claims, b.Claim); ok {
			claims[b.Claim] = value
		}
	}
	evidence := recovery.Evidence{Objection: reasonFor(verified.Objection()), Rule: rule, Claims: claims}
	if check, there := verified.FaceCheck(); there {
		evidence.FaceCheck = recovery.FaceCheck{
			Objection: reasonFor(check.Objection), Source: recovery.FaceCheckReceipt, Score: check.Score, At: check.At, Bound: check.Bound,
		}
	}
	return evidence
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

// claimAt returns the text that a claim's path selects: one, and no other kind of value.
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

// pathOf reads the path of a claim as the configuration has it.
func pathOf(name recovery.ClaimName) (dcql.Path, error) { return dcql.ParsePointer(string(name)) }
