package presentation

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
)

// Answer is a wallet's response: presentations or an error.
type Answer struct {
	Presentations Presentations // nil when Error is set
	Error         *WalletError
}

// Presentations holds the wallet's presentations, unparsed, by the id of the credential query. It is checked that the
// query asks for each of them, and nothing else. They are personal data: logs and JSON get the ids only. Convert to
// map[string][]string to store them.
type Presentations map[string][]string

// IDs returns the ids of the credential queries that have a presentation, sorted.
func (p Presentations) IDs() []string { return slices.Sorted(maps.Keys(p)) }

// Format prints the ids only, for every fmt verb.
func (p Presentations) Format(f fmt.State, _ rune) { redact(f, fmt.Sprint(p.IDs())) }

// LogValue logs the ids only.
func (p Presentations) LogValue() slog.Value { return slog.AnyValue(p.IDs()) }

// MarshalJSON writes the ids only, as an array, so that unmarshalling them as Presentations fails instead of losing
// data.
func (p Presentations) MarshalJSON() ([]byte, error) { return json.Marshal(p.IDs()) }
