package verifier

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// Verified is a presentation that was verified. Only Verify makes one that says anything.
type Verified struct {
	credential credential
	id         string
	objection  Objection
	check      FaceCheck
}

// Objection returns the gravest objection to the Verified ID. A Verified that Verify did not make is untrusted: no
// objection is what hands over an account, so it must not be what forgetting looks like.
func (v Verified) Objection() Objection {
	if v.credential.Parsed == nil {
		return Untrusted
	}
	return v.objection
}

// CredentialID returns the Verified ID's jti.
func (v Verified) CredentialID() string { return v.id }

// Type returns the Verified ID's vct.
func (v Verified) Type() string { return v.credential.vct }

// Issuer returns the Verified ID's iss, "" when it has none.
func (v Verified) Issuer() string { return v.credential.iss }

// Claim returns a claim of the Verified ID that is a string.
func (v Verified) Claim(name string) (string, bool) {
	if v.credential.Parsed == nil {
		return "", false
	}
	return v.credential.Text(name)
}

// FaceCheck returns what the Face Check receipt says.
func (v Verified) FaceCheck() FaceCheck {
	if v.credential.Parsed == nil {
		return FaceCheck{Objection: Untrusted}
	}
	return v.check
}

// Format keeps claims out of every fmt verb.
func (Verified) Format(f fmt.State, _ rune) { fmt.Fprint(f, "verified[redacted]") }

// LogValue keeps claims out of slog.
func (Verified) LogValue() slog.Value { return slog.StringValue("verified[redacted]") }

// MarshalJSON keeps claims out of JSON.
func (Verified) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }

// FaceCheck is what a receipt says.
type FaceCheck struct {
	Objection Objection // to the receipt itself
	// Bound reports whether the receipt is about this Verified ID, about a photo in it, and for the same holder.
	Bound bool
	Score float64   // 0 to 100; of the entry that is bound, else of the first
	At    time.Time // when the receipt was issued
	// Type and Issuer are the receipt's vct and iss.
	Type, Issuer string
}

// result is one entry of faceCheckResults, after MicrosoftFaceCheckReceipt.
type result struct {
	source, photo string
	score         float64
}

// faceCheck reads a receipt and ties it to the Verified ID: by its jti, by the digest of a disclosure in its `_sd`
// (the photo, which we never see), and by the holder's key.
func faceCheck(receipt, identity credential) (FaceCheck, error) {
	issued, there, err := receipt.Time("iat")
	if err != nil || !there {
		return FaceCheck{}, errors.Join(errors.New("iat is missing"), err)
	}
	results, err := readResults(receipt.Claims()["faceCheckResults"])
	if err != nil {
		return FaceCheck{}, err
	}
	check := FaceCheck{Score: results[0].score, At: time.Unix(issued, 0), Type: receipt.vct, Issuer: receipt.iss}
	id, _ := identity.Text("jti")
	sameHolder := receipt.holder.Equal(identity.holder)
	for _, r := range results {
		if sameHolder && id != "" && r.source == id && slices.Contains(identity.Digests(), r.photo) {
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
