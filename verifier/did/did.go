// Package did resolves decentralized identifiers (W3C DID Core 1.0) to their keys, for the three methods of the JWT VC
// Presentation Profile (Open Standards Requirements):
//
//	did:jwk  the identifier is the key
//	did:ion  the long form of the identifier holds the document and its hash; resolved without an ION node
//	did:web  the document is fetched from the host in the identifier
//
// A DID document says which key may be used for which purpose: holders sign presentations with a key under
// `authentication`, issuers sign credentials with a key under `assertionMethod`. A key of one purpose is not accepted
// for the other.
//
// A DID proves control of a key, not who its controller is. Package trust decides which DIDs are trusted.
package did

import (
	"errors"
	"fmt"
	"strings"
)

// Errors of this package. Their messages name rules and members, never values.
var (
	ErrMalformed    = errors.New("malformed DID or DID document")
	ErrUnsupported  = errors.New("unsupported DID method or form") // another method, or the short form of did:ion
	ErrUnresolvable = errors.New("DID document cannot be fetched") // an outage: a retry may succeed
	ErrNoKey        = errors.New("DID has no such key for this purpose")
)

// Limits far above any real identifier: the long form of a did:ion has about 700 characters.
const (
	maxLength   = 4096
	maxFragment = 256
)

// DID is a decentralized identifier. The zero DID stands for none; only Parse makes others. Compare DIDs with ==: two
// spellings are two DIDs.
type DID struct{ method, id string }

// Parse parses a DID (DID Core §3.1), without path, query and fragment.
func Parse(text string) (DID, error) {
	parts := strings.SplitN(text, ":", 3)
	if len(text) > maxLength || len(parts) != 3 || parts[0] != "did" {
		return DID{}, fmt.Errorf("%w: not a DID", ErrMalformed)
	}
	d := DID{method: parts[1], id: parts[2]}
	if d.method == "" || !containsOnly(d.method, "abcdefghijklmnopqrstuvwxyz"+digits) {
		return DID{}, fmt.Errorf("%w: its method name is empty or has invalid characters", ErrMalformed)
	}
	if d.id == "" || strings.HasSuffix(d.id, ":") || !idChars(d.id) {
		return DID{}, fmt.Errorf("%w: its identifier is empty or has invalid characters", ErrMalformed)
	}
	return d, nil
}

// idChars reports whether an identifier consists of idchar and colons (DID Core §3.1).
func idChars(id string) bool {
	for {
		before, after, escaped := strings.Cut(id, "%")
		if !containsOnly(before, letters+digits+".-_:") {
			return false
		}
		if !escaped {
			return true
		}
		if len(after) < 2 || !containsOnly(after[:2], digits+"abcdefABCDEF") {
			return false
		}
		id = after[2:]
	}
}

const (
	digits  = "0123456789"
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

func containsOnly(text, characters string) bool { return strings.Trim(text, characters) == "" }

// String returns the text of the DID, "" for the zero DID. fmt does not use it: see Format.
func (d DID) String() string {
	if d == (DID{}) {
		return ""
	}
	return "did:" + d.method + ":" + d.id
}

// Method returns the name of the DID's method.
func (d DID) Method() string { return d.method }

// URL is a DID URL that names a key in a DID document. Only ParseURL makes one.
type URL struct {
	DID      DID
	Fragment string
}

// ParseURL parses a DID URL that consists of a DID and a fragment, or, relative to base, of a fragment: "#key-1" (DID
// Core §3.2.2). The caller checks whether an absolute one belongs to base.
func ParseURL(text string, base DID) (URL, error) {
	// RFC 3986 §3.5 without percent-encoding: two spellings of one fragment would be two keys here and one key to a
	// parser that decodes them.
	const fragmentChars = letters + digits + "-._~!$&'()*+,;=:@/?"
	before, fragment, ok := strings.Cut(text, "#")
	if !ok || fragment == "" || len(fragment) > maxFragment || !containsOnly(fragment, fragmentChars) {
		return URL{}, fmt.Errorf("%w: not a DID URL with a fragment", ErrMalformed)
	}
	if before == "" {
		if base == (DID{}) {
			return URL{}, fmt.Errorf("%w: relative DID URL without a base", ErrMalformed)
		}
		return URL{DID: base, Fragment: fragment}, nil
	}
	d, err := Parse(before)
	if err != nil {
		return URL{}, err
	}
	return URL{DID: d, Fragment: fragment}, nil
}
