package recovery

import (
	"fmt"
	"log/slog"
	"time"
)

// Evidence is what a genuine presentation showed: it came from the holder, for this request. Whether it is good enough
// is for Decide to say. It is personal data: it is weighed and forgotten, never stored, logged or marshalled.
type Evidence struct {
	// ValidationFailure says why the Verified ID cannot be used although it was genuinely presented (revoked, expired,
	// from an untrusted issuer …). ReasonNone when it can.
	ValidationFailure Reason
	// Rule is which of the profile's Credentials was presented.
	Rule      int
	Claims    map[ClaimName]string
	FaceCheck FaceCheck
}

// FaceCheckSource says where a Face Check result comes from.
type FaceCheckSource string

// FaceCheckReceipt is the only source that is asked for so far.
const FaceCheckReceipt FaceCheckSource = "receipt"

// FaceCheck is the result of one Face Check. The zero value is none.
type FaceCheck struct {
	// ValidationFailure is the Face Check's own: its receipt is untrusted or expired.
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

// RuleResult is what one rule said. It holds names of rules and sentences of ours, never a value of the person's.
type RuleResult struct {
	Rule   string `json:"rule"`
	Pass   bool   `json:"pass"`
	Detail string `json:"detail,omitempty"`
}
