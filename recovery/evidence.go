package recovery

import (
	"fmt"
	"log/slog"
	"time"
)

// Evidence is the content of a genuine presentation: one made by the holder for this request. Decide judges whether
// it suffices. It is personal data and lives in memory only: never stored, logged or marshalled.
type Evidence struct {
	// ValidationFailure says why the Verified ID is not accepted although it was genuinely presented (revoked,
	// expired, untrusted issuer …). ReasonNone if it is accepted.
	ValidationFailure Reason
	// Rule is the index, in the profile's Credentials, of the rule that the presented credential meets.
	Rule      int
	Claims    map[ClaimName]string
	FaceCheck FaceCheck
}

// FaceCheckSource names the kind of evidence that a Face Check result comes from.
type FaceCheckSource string

// FaceCheckReceipt is a second credential in the same presentation: the receipt of a Face Check issuer. It is the
// only source implemented so far.
const FaceCheckReceipt FaceCheckSource = "receipt"

// FaceCheck is the result of one Face Check. The zero value means that none was presented.
type FaceCheck struct {
	// ValidationFailure says why the Face Check's receipt is not accepted (untrusted, expired …).
	ValidationFailure Reason
	Source            FaceCheckSource
	Score             float64 // 0 to 100
	At                time.Time
	Bound             bool // to the presented Verified ID, its photo and its holder's key
}

// Format keeps the evidence out of every fmt verb.
func (e Evidence) Format(f fmt.State, _ rune) { fmt.Fprint(f, "evidence[redacted]") }

// LogValue keeps the evidence out of slog.
func (e Evidence) LogValue() slog.Value { return slog.StringValue("evidence[redacted]") }

// MarshalJSON keeps the evidence out of JSON.
func (e Evidence) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }

// RuleResult is the result of one rule. Detail is a fixed sentence, never a claim or attribute value.
type RuleResult struct {
	Rule   string `json:"rule"`
	Pass   bool   `json:"pass"`
	Detail string `json:"detail,omitempty"`
}
