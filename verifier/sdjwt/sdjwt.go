// Package sdjwt is the verifier's half of SD-JWT VC (SD-JWT: RFC 9901): it parses a presentation, verifies the issuer's
// and the holder's signatures, and puts the disclosed claims into their places. Package trust decides whether the
// issuer is trusted.
//
// A presentation is written <issuer-signed JWT>~<disclosure>~…~<disclosure>~<key binding JWT>. The issuer-signed JWT
// has digests in place of claims; each disclosure is the base64url of [salt, name, value], or of [salt, value] for an
// array element. The holder signs the key binding JWT over our nonce, our client_id, and a hash of everything before
// it, with the key that the issuer put into `cnf`.
//
//	ParseInsecure   syntax, sizes, disclosures ↔ digests; verifies nothing
//	VerifyIssuer    the issuer's signature, with a key that the caller trusts
//	VerifyHolder    the holder's signature over nonce, audience and time
//
// Parsing is strict, because an attacker can exploit two parsers that read one message differently: only canonical
// base64url, no duplicate names in an object, every disclosure used exactly once.
package sdjwt

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"regain/verifier/internal/jws"
)

// Errors of this package. Their messages name rules and members, never values.
var (
	ErrMalformed = jws.ErrMalformed
	ErrSignature = jws.ErrSignature
	ErrHolder    = errors.New("not presented by the holder for this request")
)

// Limits far above any credential of a person.
const (
	maxLength      = 256 << 10 // characters
	maxDisclosures = 128
	maxDepth       = 16
)

// Type is the JOSE typ of an SD-JWT VC (SD-JWT VC §2.2.1).
const Type = "dc+sd-jwt"

// Parsed is a presentation that is parsed but not verified. Only ParseInsecure makes one.
type Parsed struct {
	issuer  jws.JWS
	hashed  string // everything before the key binding JWT: the input of sd_hash (RFC 9901 §4.3.1)
	binding string
	claims  map[string]any
	digests []string
}

// ParseInsecure parses a presentation with key binding. It verifies nothing: anybody could have written the result.
func ParseInsecure(raw string) (*Parsed, error) {
	if len(raw) > maxLength {
		return nil, fmt.Errorf("%w: longer than %d characters", ErrMalformed, maxLength)
	}
	parts := strings.SplitN(raw, "~", maxDisclosures+3)
	if len(parts) < 2 || len(parts) > maxDisclosures+2 {
		return nil, fmt.Errorf("%w: no tilde, or more than %d disclosures", ErrMalformed, maxDisclosures)
	}
	last := len(parts) - 1
	if parts[last] == "" {
		return nil, fmt.Errorf("%w: it has no key binding JWT", ErrHolder)
	}
	issuer, err := jws.ParseInsecure(parts[0], Type)
	if err != nil {
		return nil, fmt.Errorf("issuer's JWT: %w", err)
	}
	p := &Parsed{issuer: issuer, binding: parts[last], hashed: raw[:len(raw)-len(parts[last])]}
	if p.claims, p.digests, err = disclose(issuer.Payload, parts[1:last]); err != nil {
		return nil, err
	}
	return p, nil
}

// VerifyIssuer verifies the issuer's signature with key. That key is the issuer's is for the caller to check.
func (p *Parsed) VerifyIssuer(key *ecdsa.PublicKey) error {
	if err := p.issuer.Verify(key); err != nil {
		return fmt.Errorf("issuer's JWT: %w", err)
	}
	return nil
}

// Certificates returns the DER certificates of the issuer's `x5c` header, leaf first.
func (p *Parsed) Certificates() [][]byte { return p.issuer.Certificates }

// Claims returns the processed payload (RFC 9901 §7.1): disclosed claims in their places, without digests. Numbers are
// json.Number. The map belongs to p.
func (p *Parsed) Claims() map[string]any { return p.claims }

// Text returns a claim that is a string.
func (p *Parsed) Text(name string) (string, bool) {
	text, ok := p.claims[name].(string)
	return text, ok
}

// Time returns a claim that is a NumericDate, in seconds.
func (p *Parsed) Time(name string) (seconds int64, there bool, err error) {
	value, there := p.claims[name]
	if !there {
		return 0, false, nil
	}
	seconds, err = jws.NumericDate(value)
	if err != nil {
		return 0, true, fmt.Errorf("%w: %s is not a NumericDate", ErrMalformed, name)
	}
	return seconds, true, nil
}

// Digests returns the digests in the top level's `_sd`, disclosed or not.
func (p *Parsed) Digests() []string { return p.digests }

// Format keeps claims out of every fmt verb.
func (p *Parsed) Format(f fmt.State, _ rune) { fmt.Fprint(f, "sd-jwt[redacted]") }

// LogValue keeps claims out of slog.
func (p *Parsed) LogValue() slog.Value { return slog.StringValue("sd-jwt[redacted]") }

// MarshalJSON keeps claims out of JSON.
func (p *Parsed) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }
