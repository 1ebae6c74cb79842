package recovery

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a pass, a token, a code or what else lets somebody in. It shows itself only to code that asks by name.
// The value is behind a pointer because fmt does not ask Format of fields that are not exported, and prints what it
// finds there: an address, at most.
type Secret struct{ hidden *string }

// NewSecret hides a value.
func NewSecret(value string) Secret { return Secret{&value} }

// Reveal returns the secret, "" if there is none. It is exported for templates.
func (s Secret) Reveal() string {
	if s.hidden == nil {
		return ""
	}
	return *s.hidden
}

// Is compares without telling, by the time it takes, how much is right. Two empty strings are not the same.
func (s Secret) Is(given string) bool {
	want := s.Reveal()
	return want != "" && subtle.ConstantTimeCompare([]byte(given), []byte(want)) == 1
}

// Format hides the secret from every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalJSON hides the secret from encoders; nothing here sends one as JSON.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// UnmarshalJSON reads a secret out of a JSON string.
func (s *Secret) UnmarshalJSON(encoded []byte) error {
	var value string
	if err := json.Unmarshal(encoded, &value); err != nil {
		return errors.New("decode a secret: not a string") // the cause may quote it
	}
	*s = NewSecret(value)
	return nil
}

// LogValue hides the secret from slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
