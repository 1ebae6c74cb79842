package recovery

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// TransactionID identifies a transaction: 128 random bits, base64url. It appears in URLs and logs and grants nothing
// by itself.
type TransactionID string

// ClientID is the client_id under which a main IdP is registered.
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

// Exact returns the form in which two names denote the same account: A to Z lowered, nothing else changed. Any
// further folding, normalising or trimming would merge "weiß" and "weiss", which are two people in one directory.
func (n AccountName) Exact() string {
	exact := []byte(n) // by bytes: going by runes would make one of all bytes that are not UTF-8
	for i, b := range exact {
		if b >= 'A' && b <= 'Z' {
			exact[i] = b + ('a' - 'A')
		}
	}
	return string(exact)
}

// LimitKey returns the form under which attempts are counted, and is used for nothing else: normalised (NFKC) and
// case-folded, so that an attacker gains no attempts by respelling a name.
func (n AccountName) LimitKey() string {
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(strings.TrimSpace(string(n)))))
}

// Mask returns the name for display, with all but the first letter of its local part hidden: enough for its owner to
// recognise it. The number of dots does not depend on the length.
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
