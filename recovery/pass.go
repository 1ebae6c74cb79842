package recovery

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Bounds of a pass policy: the allowed lifetimes and lengths in the table of the Microsoft Learn page "Configure
// Temporary Access Pass in Microsoft Entra ID to register passwordless authentication methods".
const (
	MinPassLifetime = 10 * time.Minute
	MaxPassLifetime = 30 * 24 * time.Hour // 43,200 minutes
	MinPassLength   = 8
	MaxPassLength   = 48
)

// PassPolicy describes the passes that a profile issues.
type PassPolicy struct {
	Lifetime   time.Duration
	Length     int // characters
	UsableOnce bool
}

func (p PassPolicy) validate() error {
	var problems []error
	if p.Lifetime < MinPassLifetime || p.Lifetime > MaxPassLifetime {
		problems = append(problems, fmt.Errorf("pass.lifetime_minutes %d: use 10 to 43200", int(p.Lifetime/time.Minute)))
	}
	if p.Length < MinPassLength || p.Length > MaxPassLength {
		problems = append(problems, fmt.Errorf("pass.length %d: use %d to %d", p.Length, MinPassLength, MaxPassLength))
	}
	return errors.Join(problems...)
}

// PassOrder tells a PassIssuer to issue a pass for an approved transaction.
type PassOrder struct {
	Transaction TransactionID
	Client      ClientID // redeems the pass, and is the only one that may verify it
	Account     Account
	Policy      PassPolicy
	Now         time.Time
}

// Pass is a Temporary Access Pass as returned by its issuer. Entra ID shows the value once, when the pass is created;
// so do all issuers here.
type Pass struct {
	ID         string
	Value      PassValue
	StartsAt   time.Time
	ExpiresAt  time.Time
	UsableOnce bool
	Issuer     string // local, graph …
}

// PassValue is the secret that the person types. Only Reveal returns it; every other rendering is redacted.
type PassValue struct{ value string }

// NewPassValue wraps a value from an issuer.
func NewPassValue(value string) PassValue { return PassValue{value} }

// Reveal returns the secret: for the encrypted recovery token, for the page that shows it to the person (deliver:
// screen), and for the issuer's hash.
func (v PassValue) Reveal() string { return v.value }

// Format keeps the value out of every fmt verb.
func (PassValue) Format(f fmt.State, _ rune) { fmt.Fprint(f, "[redacted]") }

// LogValue keeps the value out of slog.
func (PassValue) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// MarshalJSON keeps the value out of JSON.
func (PassValue) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }

// passAlphabet has 32 characters: five bits each. Upper case only, since passes are read aloud; without 0 O 1 I,
// which look alike.
const passAlphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

// GeneratePass draws a pass of length characters from random. The characters are uniformly distributed, since 32
// divides 256.
func GeneratePass(random io.Reader, length int) (PassValue, error) {
	if length < MinPassLength || length > MaxPassLength {
		return PassValue{}, fmt.Errorf("generate pass: length %d is not %d to %d", length, MinPassLength, MaxPassLength)
	}
	buf := make([]byte, length)
	if _, err := io.ReadFull(random, buf); err != nil {
		return PassValue{}, fmt.Errorf("generate pass: read randomness: %w", err)
	}
	for i, b := range buf {
		buf[i] = passAlphabet[int(b)%len(passAlphabet)]
	}
	return PassValue{string(buf)}, nil
}
