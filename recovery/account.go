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
	ID         AccountID
	Enabled    bool
	Attributes map[AttributeName]string
	Groups     []GroupName
}

// In reports whether the account is a member of any of the groups, each named exactly as the directory names it.
func (a Account) In(groups []GroupName) bool {
	return slices.ContainsFunc(a.Groups, func(g GroupName) bool { return slices.Contains(groups, g) })
}

// excludedBy reports whether the account is a member of any of the groups, as their names look: a group that is written
// another way than the directory writes it must keep its members out, not let them in.
func (a Account) excludedBy(groups []GroupName) bool {
	return slices.ContainsFunc(a.Groups, func(g GroupName) bool {
		return slices.ContainsFunc(groups, g.sameLetters)
	})
}

// IsNamed reports whether requested is this account's name, but for the case of A to Z, or its id.
func (a Account) IsNamed(requested RequestedAccount) bool {
	return requested != "" && (a.Name.Exact() == AccountName(requested).Exact() || a.ID == AccountID(requested))
}

// Format keeps the account out of every fmt verb.
func (a Account) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "account %s", a.Name.Mask()) }

// LogValue keeps the account out of slog.
func (a Account) LogValue() slog.Value { return slog.StringValue(a.Name.Mask()) }

// MarshalJSON keeps the account out of JSON: accounts are read from the directory and stored nowhere.
func (a Account) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }
