package presentation

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
)

// Answer is what a wallet said: presentations, or the error why there are none.
type Answer struct {
	Presentations Presentations // nil when Error is set
	Error         *WalletError
}

// Presentations holds the wallet's presentations as they came, by the id of the credential query.
// Each has been checked to be wanted; nothing else about them has. They are personal data: logs and
// JSON get the ids only. Convert to map[string][]string to store them.
type Presentations map[string][]string

// IDs are the credential queries that are answered, sorted.
func (p Presentations) IDs() []string { return slices.Sorted(maps.Keys(p)) }

// Format shows the ids to every fmt verb.
func (p Presentations) Format(f fmt.State, _ rune) { redact(f, fmt.Sprint(p.IDs())) }

// LogValue shows slog the ids.
func (p Presentations) LogValue() slog.Value { return slog.AnyValue(p.IDs()) }

// MarshalJSON writes the ids, as a list, so that reading it back as presentations fails.
func (p Presentations) MarshalJSON() ([]byte, error) { return json.Marshal(p.IDs()) }
