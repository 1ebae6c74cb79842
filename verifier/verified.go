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

// Verified is the result of verifying a presentation. Only Verify makes a useful one: the zero Verified is untrusted.
type Verified struct {
	credential *credential
	receipt    *credential // nil when the request asked for none
	failure    ValidationFailure
	check      FaceCheck
	causes     []string
}

// ValidationFailure returns the gravest validation failure of the Verified ID. For a Verified that Verify did not make
// it is Untrusted: NoFailure hands over an account, so code that forgot to call Verify must not get it.
func (v Verified) ValidationFailure() ValidationFailure {
	if v.credential == nil {
		return Untrusted
	}
	return v.failure
}

// PresentedCredential is the part of a verified credential that the caller compares with its DCQL query. It is personal
// data.
type PresentedCredential struct {
	Format string
	Types  []string
	Claims map[string]any // the object that DCQL paths select from
}

// LogValue keeps claims out of slog.
func (PresentedCredential) LogValue() slog.Value { return slog.StringValue("shown[redacted]") }

// MarshalJSON keeps claims out of JSON.
func (PresentedCredential) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }

// String keeps claims out of %v, %s and %q. A Format method, which would cover every verb, would clash with the field
// Format.
func (PresentedCredential) String() string { return "shown[redacted]" }

// GoString keeps claims out of %#v.
func (PresentedCredential) GoString() string { return "shown[redacted]" }

// VerifiedID returns the presented Verified ID, or the zero value if Verify did not make v. The caller must not change
// its slices and maps.
func (v Verified) VerifiedID() PresentedCredential { return v.credential.presented() }

// Receipt returns the presented Face Check receipt, or the zero value when there is none.
func (v Verified) Receipt() PresentedCredential { return v.receipt.presented() }

// Causes returns the cause of each validation failure, for the operator. They name rules and types, never a claim
// value.
func (v Verified) Causes() []string { return v.causes }

// FaceCheck returns the contents of the Face Check receipt, and whether there is one.
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

// FaceCheck holds the contents of a Face Check receipt.
type FaceCheck struct {
	ValidationFailure ValidationFailure // of the receipt itself
	// Bound reports whether the receipt names this Verified ID and a photo in it, and has the same holder key. Without
	// it a holder could combine their own Face Check with somebody else's Verified ID.
	Bound bool
	Score float64   // 0 to 100; of the entry that matches the Verified ID, else of the first
	At    time.Time // when the receipt was issued
}

// result is one entry of faceCheckResults, shaped as in a MicrosoftFaceCheckReceipt.
type result struct {
	source, photo string
	score         float64
}

// faceCheck reads a receipt and links it to the Verified ID by three things: the credential's identifier, the digest of
// its photo (so the photo itself need not be disclosed to us), and the holder's key.
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
