package did

import (
	"fmt"
	"log/slog"
)

// A holder's DID identifies a person, and lets a reader of logs correlate where it was presented. So fmt, slog and JSON
// print the method only. Code that needs the text of a DID, such as an issuer's, calls String.

// Format keeps identifiers out of every fmt verb.
func (d DID) Format(f fmt.State, _ rune) { fmt.Fprint(f, d.redacted()) }

// LogValue keeps identifiers out of slog.
func (d DID) LogValue() slog.Value { return slog.StringValue(d.redacted()) }

// MarshalJSON keeps identifiers out of JSON.
func (d DID) MarshalJSON() ([]byte, error) { return []byte(`"` + d.redacted() + `"`), nil }

func (d DID) redacted() string {
	if d == (DID{}) {
		return "did[none]"
	}
	return "did:" + d.method + "[redacted]"
}

// Format keeps identifiers out of every fmt verb.
func (u URL) Format(f fmt.State, _ rune) { fmt.Fprint(f, u.DID.redacted()+"#[redacted]") }

// LogValue keeps identifiers out of slog.
func (u URL) LogValue() slog.Value { return slog.StringValue(u.DID.redacted() + "#[redacted]") }

// MarshalJSON keeps identifiers out of JSON.
func (u URL) MarshalJSON() ([]byte, error) {
	return []byte(`"` + u.DID.redacted() + `#[redacted]"`), nil
}

// Format keeps keys out of every fmt verb.
func (d *Document) Format(f fmt.State, _ rune) { fmt.Fprint(f, "did-document[redacted]") }

// LogValue keeps keys out of slog.
func (d *Document) LogValue() slog.Value { return slog.StringValue("did-document[redacted]") }

// MarshalJSON keeps keys out of JSON.
func (d *Document) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }
