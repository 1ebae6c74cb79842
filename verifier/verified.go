package verifier

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"regain/verifier/internal/jws"
)

// Verified is a presentation that was verified. Only Verify makes one that says anything.
type Verified struct {
	credential *credential
	receipt    *credential // nil when none was asked for
	failure    ValidationFailure
	check      FaceCheck
	causes     []string
}

// ValidationFailure returns the gravest failure of the Verified ID. A Verified that Verify did not make is untrusted: no
// failure is what hands over an account, so it must not be what forgetting looks like.
func (v Verified) ValidationFailure() ValidationFailure {
	if v.credential == nil {
		return Untrusted
	}
	return v.failure
}

// PresentedCredential is what a query is compared with: of a credential that was genuinely presented. It is personal data.
type PresentedCredential struct {
	Format string
	Types  []string
	Claims map[string]any // as paths of DCQL walk them
}

// LogValue keeps claims out of slog.
func (PresentedCredential) LogValue() slog.Value { return slog.StringValue("shown[redacted]") }

// MarshalJSON keeps claims out of JSON.
func (PresentedCredential) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }

// String keeps claims out of most verbs of fmt; a field has the name that would keep them out of all.
func (PresentedCredential) String() string { return "shown[redacted]" }

// GoString does what String does, for %#v.
func (PresentedCredential) GoString() string { return "shown[redacted]" }

// VerifiedID returns what the Verified ID shows; the zero value for one that Verify did not make. What is in it belongs
// to v.
func (v Verified) VerifiedID() PresentedCredential { return v.credential.presented() }

// Receipt returns what the Face Check receipt shows; the zero value when there is none.
func (v Verified) Receipt() PresentedCredential { return v.receipt.presented() }

// Causes say why there are failures, for the operator: rules and types, and no value of a person's.
func (v Verified) Causes() []string { return v.causes }

// FaceCheck returns what the Face Check receipt says, and whether there is one.
func (v Verified) FaceCheck() (check FaceCheck, there bool) {
	if v.credential == nil || v.check.At.IsZero() {
		return FaceCheck{ValidationFailure: Untrusted}, false
	}
	return v.check, true
}

// Format keeps claims out of every fmt verb.
func (Verified) Format(f fmt.State, _ rune) { fmt.Fprint(f, "verified[redacted]") }

// LogValue keeps claims out of slog.
func (Verified) LogValue() slog.Value { return slog.StringValue("verified[redacted]") }

// MarshalJSON keeps claims out of JSON.
func (Verified) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }

// FaceCheck is what a receipt says.
type FaceCheck struct {
	ValidationFailure ValidationFailure // to the receipt itself
	// Bound reports whether the receipt is about this Verified ID, about a photo in it, and for the same holder.
	Bound bool
	Score float64   // 0 to 100; of the entry that is bound, else of the first
	At    time.Time // when the receipt was issued
}

// result is one entry of faceCheckResults, after MicrosoftFaceCheckReceipt.
type result struct {
	source, photo string
	score         float64
}

// faceCheck reads a receipt and ties it to the Verified ID: by the name that its format gives it, by the digest of its
// photo (which we need not see), and by the holder's key.
func faceCheck(receipt, identity *credential) (FaceCheck, error) {
	if receipt.issued.IsZero() {
		return FaceCheck{}, errors.New("it does not say when it was issued")
	}
	results, err := readResults(receipt.results)
	if err != nil {
		return FaceCheck{}, err
	}
	check := FaceCheck{Score: results[0].score, At: receipt.issued}
	sameHolder := jws.SameKey(receipt.holder, identity.holder)
	for _, r := range results {
		if sameHolder && identity.id != "" && r.source == identity.id && slices.Contains(identity.photos, r.photo) {
			check.Bound, check.Score = true, r.score
			break
		}
	}
	return check, nil
}

// maxResults bounds what is looked through.
const maxResults = 8

func readResults(value any) ([]result, error) {
	list, ok := value.([]any)
	if !ok || len(list) == 0 || len(list) > maxResults {
		return nil, fmt.Errorf("faceCheckResults is not an array of 1 to %d", maxResults)
	}
	results := make([]result, 0, len(list))
	for _, element := range list {
		entry, _ := element.(map[string]any)
		number, _ := entry["matchConfidenceScore"].(json.Number)
		score, err := number.Float64()
		if err != nil || !(score >= 0 && score <= 100) {
			return nil, errors.New("matchConfidenceScore is not a number from 0 to 100")
		}
		source, _ := entry["sourceVcJti"].(string)
		photo, _ := entry["sourcePhotoDigest"].(string)
		if source == "" || photo == "" {
			return nil, errors.New("sourceVcJti or sourcePhotoDigest is missing")
		}
		results = append(results, result{source: source, photo: photo, score: score})
	}
	return results, nil
}
