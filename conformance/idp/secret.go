package idp

import (
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// secret is a pass, a token, a code or what else lets somebody in. It shows itself to nobody who does not ask by name.
type secret string

// Reveal returns the secret. It is exported for templates.
func (s secret) Reveal() string { return string(s) }

// Format hides the secret from every verb.
func (secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalJSON hides the secret from encoders; nothing here sends one as JSON.
func (secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue hides the secret from slog.
func (secret) LogValue() slog.Value { return slog.StringValue(redacted) }
