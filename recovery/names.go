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

// sameLetters compares names as they look: in any letter case, with letters composed or not, without spaces around them.
func (g GroupName) sameLetters(other GroupName) bool {
	return strings.EqualFold(g.trimmed(), other.trimmed())
}

func (g GroupName) trimmed() string { return norm.NFC.String(strings.TrimSpace(string(g))) }

// ClaimName names a claim of a Verified ID.
type ClaimName string

// AttributeName names an attribute of an account in the directory.
type AttributeName string

// RequestedAccount is the account as the main IdP, or the person, named it: a string from outside. It finds an account
// once, at the start, is shown masked, counted and echoed, and is never compared, stored or released as an identity.
type RequestedAccount string

// LimitKey returns the form under which attempts are counted, and is used for nothing else: normalised (NFKC) and
// case-folded, so that an attacker gains no attempts by respelling a name.
func (r RequestedAccount) LimitKey() string {
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(strings.TrimSpace(string(r)))))
}

// Mask returns what was named for display, as AccountName.Mask does.
func (r RequestedAccount) Mask() string { return mask(string(r)) }

// AccountID is the directory's immutable identifier of an account: never changed, and never given to another one. It is
// the only form in which an account is kept in records, passes and sessions. Empty means that there is no account.
type AccountID string

// AccountName is the directory's name of an account: a user principal name, an e-mail address. It changes, and may be
// given to somebody else later, so it is read from the directory when it is needed.
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

// Mask returns the name for display, with all but the first letter of its local part hidden: enough for its owner to
// recognise it. The number of dots does not depend on the length.
func (n AccountName) Mask() string { return mask(string(n)) }

func mask(name string) string {
	local, domain, isAddress := strings.Cut(name, "@")
	first, _ := utf8.DecodeRuneInString(local)
	if first == utf8.RuneError { // as of no letter at all
		return "•••"
	}
	if !isAddress {
		return string(first) + "•••"
	}
	return string(first) + "•••@" + domain
}
