package recovery

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// TransactionID names a transaction: 128 random bits, base64url. It is in URLs and logs and opens nothing by itself.
type TransactionID string

// ClientID names the main IdP's registration.
type ClientID string

// ProfileName names a profile.
type ProfileName string

// GroupName names a group of the directory.
type GroupName string

// ClaimName names a claim of a Verified ID.
type ClaimName string

// AttributeName names an attribute of an account in the directory.
type AttributeName string

// AccountName is the account as the main IdP names it: a user principal name, an e-mail address, an opaque subject.
type AccountName string

// Exact returns the name in the form in which two names are one account's: A to Z as a to z, and nothing else changed.
// Whatever folds, normalises or trims more makes "weiß" and "weiss", two people of one directory, the same.
func (n AccountName) Exact() string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, string(n))
}

// LimitKey returns the name in the form in which attempts are counted, and nothing else: normalised (NFKC) and
// case-folded, so that an attacker gains no attempts by spelling a name differently.
func (n AccountName) LimitKey() string {
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(strings.TrimSpace(string(n)))))
}

// Mask returns the name with all but the first letter of its local part hidden, for pages: enough for its owner to
// see that it is the right one. The number of dots says nothing about the length.
func (n AccountName) Mask() string {
	local, domain, isAddress := strings.Cut(string(n), "@")
	first, _ := utf8.DecodeRuneInString(local)
	if local == "" || first == utf8.RuneError {
		return "•••"
	}
	if !isAddress {
		return string(first) + "•••"
	}
	return string(first) + "•••@" + domain
}
