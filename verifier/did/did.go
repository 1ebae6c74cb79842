// Package did finds the keys of decentralized identifiers (W3C DID Core 1.0), by the three methods that the wallets and
// issuers of the JWT VC Presentation Profile use:
//
//	did:jwk  the identifier is the key
//	did:ion  the identifier's long form holds the document and a hash of it; resolved here, without a node
//	did:web  the document is fetched from the host that the identifier names
//
// A DID document says which key may be used for what: a holder signs presentations with a key under `authentication`,
// an issuer signs credentials with one under `assertionMethod`. A key for one is no key for the other.
//
// A DID says nothing about who somebody is. Whether anybody trusts it is for others to decide.
package did

import (
	"errors"
	"fmt"
	"strings"
)

// Errors of this package. Their messages name rules and members, never values.
var (
	ErrMalformed    = errors.New("malformed DID or DID document")
	ErrUnsupported  = errors.New("kind of DID that is not resolved here") // another method, or the short form of did:ion
	ErrUnresolvable = errors.New("DID document cannot be had")            // an outage: later it may be
	ErrNoKey        = errors.New("DID has no such key for this purpose")
)

// Limits that no identifier of a person or an issuer comes near: a long form of did:ion has about 700 characters.
const (
	maxLength   = 4096
	maxFragment = 256
)

// DID is a decentralized identifier. The zero DID is none; only Parse makes others. DIDs are compared with ==: another
// spelling is another DID.
type DID struct{ method, id string }

// Parse reads a DID (DID Core §3.1): no path, no query, no fragment.
func Parse(text string) (DID, error) {
	parts := strings.SplitN(text, ":", 3)
	if len(text) > maxLength || len(parts) != 3 || parts[0] != "did" {
		return DID{}, fmt.Errorf("%w: not a DID", ErrMalformed)
	}
	d := DID{method: parts[1], id: parts[2]}
	if d.method == "" || !madeOf(d.method, "abcdefghijklmnopqrstuvwxyz"+digits) {
		return DID{}, fmt.Errorf("%w: its method is no name", ErrMalformed)
	}
	if d.id == "" || strings.HasSuffix(d.id, ":") || !idChars(d.id) {
		return DID{}, fmt.Errorf("%w: its identifier has other characters", ErrMalformed)
	}
	return d, nil
}

// idChars reports whether an identifier is made of idchar and colons.
func idChars(id string) bool {
	for {
		before, after, escaped := strings.Cut(id, "%")
		if !madeOf(before, letters+digits+".-_:") {
			return false
		}
		if !escaped {
			return true
		}
		if len(after) < 2 || !madeOf(after[:2], digits+"abcdefABCDEF") {
			return false
		}
		id = after[2:]
	}
}

const (
	digits  = "0123456789"
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// madeOf reports whether text has no other characters.
func madeOf(text, characters string) bool { return strings.Trim(text, characters) == "" }

// String returns the DID's text, "" for none. It is not what fmt prints: see Format.
func (d DID) String() string {
	if d == (DID{}) {
		return ""
	}
	return "did:" + d.method + ":" + d.id
}

// Method returns the name of the DID's method.
func (d DID) Method() string { return d.method }

// URL names a part of a DID document: a key. Only ParseURL makes one.
type URL struct {
	DID      DID
	Fragment string
}

// ParseURL reads a DID URL with a fragment and nothing else beside it, absolute or relative to base: "#key-1" (DID Core
// §3.2.2). Whether an absolute one belongs to base is the caller's to check.
func ParseURL(text string, base DID) (URL, error) {
	// RFC 3986 §3.5, but for what would need decoding: two spellings of one key would be one key to another reader.
	const fragmentChars = letters + digits + "-._~!$&'()*+,;=:@/?"
	before, fragment, ok := strings.Cut(text, "#")
	if !ok || fragment == "" || len(fragment) > maxFragment || !madeOf(fragment, fragmentChars) {
		return URL{}, fmt.Errorf("%w: not a DID URL with a fragment", ErrMalformed)
	}
	if before == "" {
		if base == (DID{}) {
			return URL{}, fmt.Errorf("%w: relative to no DID", ErrMalformed)
		}
		return URL{DID: base, Fragment: fragment}, nil
	}
	d, err := Parse(before)
	if err != nil {
		return URL{}, err
	}
	return URL{DID: d, Fragment: fragment}, nil
}
