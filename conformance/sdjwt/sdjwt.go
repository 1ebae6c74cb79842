// Package sdjwt reads SD-JWTs (RFC 9901) for their holder, and for an issuer that takes its own back:
// which disclosures open which claims, and how a presentation is put together that opens no more
// than those.
//
// An SD-JWT is written <issuer-signed JWT>~<disclosure>~…~<disclosure>~. The JWT carries digests
// in the place of the claims, and each disclosure is the base64url of [salt, name, value], or of
// [salt, value] for an element of an array. The holder keeps all of it and shows only a part.
//
// The package reads and rearranges; it verifies no signature. The caller does, who knows the key.
package sdjwt

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/jose"
)

// ErrMalformed reports text that is no SD-JWT, or one whose disclosures and digests disagree
// (RFC 9901 §7.1).
var ErrMalformed = errors.New("malformed SD-JWT")

// Limits that no credential of a person comes near, a portrait included.
const (
	maxLength      = 1 << 20 // characters
	maxDisclosures = 256
	maxDepth       = 16
)

// Disclosure is one sealed claim with its key to open it.
type Disclosure struct {
	Encoded string // base64url, exactly as the issuer wrote it: its digest is over these characters
	Digest  string // base64url of the SHA-256 of Encoded
	Name    string // empty for an element of an array
	value   any
}

// Token is an SD-JWT as its issuer made it, without a Key Binding JWT. Its zero value is useless;
// only Parse makes one.
type Token struct {
	jwt         string
	algorithm   string
	disclosures []Disclosure
	root        *node
}

// Parse reads an issuer's SD-JWT and matches each disclosure with its digest. A presentation,
// which ends in a Key Binding JWT instead of a tilde, is refused.
func Parse(raw string) (Token, error) {
	if len(raw) > maxLength {
		return Token{}, fmt.Errorf("%w: longer than %d characters", ErrMalformed, maxLength)
	}
	parts := strings.Split(raw, "~")
	if len(parts) < 2 || parts[len(parts)-1] != "" {
		return Token{}, fmt.Errorf("%w: it does not end with a tilde", ErrMalformed)
	}
	parts = parts[:len(parts)-1]
	if len(parts)-1 > maxDisclosures {
		return Token{}, fmt.Errorf("%w: more than %d disclosures", ErrMalformed, maxDisclosures)
	}
	t := Token{jwt: parts[0]}
	payload, err := t.readJWT()
	if err != nil {
		return Token{}, err
	}
	for _, encoded := range parts[1:] {
		d, err := readDisclosure(encoded)
		if err != nil {
			return Token{}, err
		}
		t.disclosures = append(t.disclosures, d)
	}
	t.root, err = grow(payload, t.disclosures)
	return t, err
}

// JWT returns the issuer-signed part, the one with the signature.
func (t Token) JWT() string { return t.jwt }

// Algorithm is what the issuer-signed part says it is signed with.
func (t Token) Algorithm() string { return t.algorithm }

// Claims returns the payload with every disclosure opened and the machinery (_sd, …) removed,
// numbers as json.Number of go-jose.
func (t Token) Claims() map[string]any {
	claims, _ := t.root.plain().(map[string]any)
	return claims
}

// Disclosures returns all of them, in the issuer's order.
func (t Token) Disclosures() []Disclosure { return append([]Disclosure(nil), t.disclosures...) }

// Named returns the disclosure of a claim at the top level.
func (t Token) Named(name string) (Disclosure, bool) {
	child, ok := t.root.members[name]
	if !ok || child.sealed == nil {
		return Disclosure{}, false
	}
	return *child.sealed, true
}

// Reveal returns the disclosures that open the claims at the given places and no others, in the
// issuer's order. A place is a list of names (string) and indexes (int) from the top. The whole
// value at a place is opened, with whatever is sealed inside it.
func (t Token) Reveal(places [][]any) []Disclosure {
	wanted := map[string]bool{}
	for _, place := range places {
		t.root.open(place, wanted)
	}
	var chosen []Disclosure
	for _, d := range t.disclosures {
		if wanted[d.Digest] {
			chosen = append(chosen, d)
		}
	}
	return chosen
}

// Present writes the SD-JWT with only the given disclosures; a Key Binding JWT may follow its
// last tilde (RFC 9901 §4).
func (t Token) Present(chosen []Disclosure) string {
	var b strings.Builder
	b.WriteString(t.jwt)
	b.WriteByte('~')
	for _, d := range chosen {
		b.WriteString(d.Encoded)
		b.WriteByte('~')
	}
	return b.String()
}

// Digest hashes US-ASCII text as SD-JWT does, both for disclosures and for sd_hash: base64url
// without padding of its SHA-256 (RFC 9901 §4.2.3, §4.3.1).
func Digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (t *Token) readJWT() (map[string]any, error) {
	signed, err := jose.Parse(t.jwt)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	t.algorithm = signed.Algorithm
	value, err := decodeJSON(signed.PayloadUnverified())
	payload, ok := value.(map[string]any)
	if err != nil || !ok {
		return nil, fmt.Errorf("%w: its payload is not a JSON object", ErrMalformed)
	}
	if alg, present := payload["_sd_alg"]; present && alg != "sha-256" {
		return nil, fmt.Errorf("%w: _sd_alg is not sha-256", ErrMalformed)
	}
	return payload, nil
}

func readDisclosure(encoded string) (Disclosure, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return Disclosure{}, fmt.Errorf("%w: a disclosure is not base64url", ErrMalformed)
	}
	content, err := decodeJSON(raw)
	if err != nil {
		return Disclosure{}, fmt.Errorf("%w: disclosure: %w", ErrMalformed, err)
	}
	list, ok := content.([]any)
	if !ok || len(list) < 2 || len(list) > 3 {
		return Disclosure{}, fmt.Errorf("%w: a disclosure is not an array of two or three", ErrMalformed)
	}
	if _, ok := list[0].(string); !ok {
		return Disclosure{}, fmt.Errorf("%w: a disclosure's salt is not a string", ErrMalformed)
	}
	d := Disclosure{Encoded: encoded, Digest: Digest(encoded), value: list[len(list)-1]}
	if len(list) == 3 {
		name, ok := list[1].(string)
		if !ok || name == "" || name == "_sd" || name == "..." {
			return Disclosure{}, fmt.Errorf("%w: a disclosure's claim name is not allowed", ErrMalformed)
		}
		d.Name = name
	}
	return d, nil
}

// decodeJSON uses go-jose's JSON because it refuses a member that is named twice: two readers
// must never see two different credentials in the same bytes.
func decodeJSON(raw []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.SetNumberType(json.UnmarshalJSONNumber)
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, errors.New("it is not JSON")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON")
	}
	return value, nil
}
