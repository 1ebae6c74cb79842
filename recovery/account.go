package recovery

import (
	"fmt"
	"log/slog"
	"slices"
)

// Account is an account as the directory returned it. Attributes are personal data: logs see the name's first letter
// only.
type Account struct {
	Name       AccountName
	ID         string // the directory's immutable identifier
	Enabled    bool
	Attributes map[AttributeName]string
	Groups     []GroupName
}

// In reports whether the account is a member of any of the groups.
func (a Account) In(groups []GroupName) bool {
	return slices.ContainsFunc(a.Groups, func(g GroupName) bool { return slices.Contains(groups, g) })
}

// named reports whether name is this account's name, exactly, or its id.
func (a Account) named(name AccountName) bool {
	return name != "" && (a.Name.Exact() == name.Exact() || a.ID == string(name))
}

// Format keeps the account out of every fmt verb.
func (a Account) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "account %s", a.Name.Mask()) }

// LogValue keeps the account out of slog.
func (a Account) LogValue() slog.Value { return slog.StringValue(a.Name.Mask()) }

// MarshalJSON keeps the account out of JSON: accounts are read from the directory and stored nowhere.
func (a Account) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }
