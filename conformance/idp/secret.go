package idp

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// secret is a pass, a token, a code or what else lets somebody in. It shows itself only to code that asks by name.
// The value is behind a pointer because fmt does not ask Format of fields that are not exported, and prints what it
// finds there: an address, at most.
type secret struct{ hidden *string }

func newSecret(value string) secret { return secret{&value} }

// Reveal returns the secret, "" if there is none. It is exported for templates.
func (s secret) Reveal() string {
	if s.hidden == nil {
		return ""
	}
	return *s.hidden
}

// Format hides the secret from every verb.
func (secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalJSON hides the secret from encoders; nothing here sends one as JSON.
func (secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// UnmarshalJSON reads a secret out of a JSON string.
func (s *secret) UnmarshalJSON(encoded []byte) error {
	var value string
	if err := json.Unmarshal(encoded, &value); err != nil {
		return errors.New("decode a secret: not a string") // the cause may quote it
	}
	*s = newSecret(value)
	return nil
}

// LogValue hides the secret from slog.
func (secret) LogValue() slog.Value { return slog.StringValue(redacted) }
