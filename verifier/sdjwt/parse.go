package sdjwt

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"regain/verifier/internal/jws"
	"regain/verifier/internal/strict"
)

// Unverified is a presentation whose signatures nobody has checked. It gives nothing away but its own text.
type Unverified struct {
	issuer      *jws.Unverified
	disclosures []disclosure
	binding     *jws.Unverified // nil when there is no Key Binding JWT
	signed      string          // everything up to and including the last tilde: what sd_hash covers
	claims      claims
	holder      holder
}

type disclosure struct {
	raw    []byte // JSON text
	digest string
	name   string // "" for an array element
	value  any
	member bool // of an object; otherwise an array element
}

// ParseInsecure reads a presentation, or a credential without Key Binding JWT, and verifies nothing: neither who
// issued it nor who holds it. Use [ParseAndVerify].
func ParseInsecure(compact string) (*Unverified, error) {
	if len(compact) > MaxSize {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrMalformed, MaxSize)
	}
	parts := strings.Split(compact, "~")
	if len(parts) < 2 {
		return nil, fmt.Errorf("%w: no tilde", ErrMalformed)
	}
	if len(parts)-2 > MaxDisclosures {
		return nil, fmt.Errorf("%w: more than %d disclosures", ErrMalformed, MaxDisclosures)
	}
	u := &Unverified{signed: compact[:strings.LastIndexByte(compact, '~')+1]}
	var err error
	if u.issuer, err = jws.ParseInsecure(parts[0], typeCredential); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	for _, text := range parts[1 : len(parts)-1] {
		d, err := parseDisclosure(text)
		if err != nil {
			return nil, err
		}
		u.disclosures = append(u.disclosures, d)
	}
	if last := parts[len(parts)-1]; last != "" {
		if u.binding, err = jws.ParseInsecure(last, typeBinding); err != nil {
			return nil, fmt.Errorf("%w: %w: %w", ErrMalformed, ErrBinding, err)
		}
	}
	if u.claims, err = open(u.issuer.Payload, u.disclosures); err != nil {
		return nil, err
	}
	if u.holder, err = readHolder(u.issuer.Payload); err != nil {
		return nil, err
	}
	return u, nil
}

// parseDisclosure reads `[salt, name, value]` or, for an array element, `[salt, value]` (RFC 9901 §4.2).
func parseDisclosure(text string) (disclosure, error) {
	raw, err := strict.Base64(text)
	if err != nil {
		return disclosure{}, fmt.Errorf("%w: disclosure: %w", ErrMalformed, err)
	}
	value, err := strict.Value(raw)
	if err != nil {
		return disclosure{}, fmt.Errorf("%w: disclosure: %w", ErrMalformed, err)
	}
	list, _ := value.([]any)
	if len(list) != 2 && len(list) != 3 {
		return disclosure{}, fmt.Errorf("%w: disclosure has not two or three elements", ErrMalformed)
	}
	if _, ok := list[0].(string); !ok {
		return disclosure{}, fmt.Errorf("%w: disclosure without salt", ErrMalformed)
	}
	// The digest is over the text as sent, not over the JSON in it (RFC 9901 §4.2.3).
	sum := sha256.Sum256([]byte(text))
	d := disclosure{raw: raw, digest: base64.RawURLEncoding.EncodeToString(sum[:]), value: list[len(list)-1]}
	if len(list) == 2 {
		return d, nil
	}
	var ok bool
	if d.name, ok = list[1].(string); !ok {
		return disclosure{}, fmt.Errorf("%w: disclosure whose name is no string", ErrMalformed)
	}
	if reserved(d.name) {
		return disclosure{}, fmt.Errorf("%w: disclosure with a reserved name", ErrMalformed)
	}
	d.member = true
	return d, nil
}

// reserved reports whether a name belongs to the format (RFC 9901 §7.1).
func reserved(name string) bool { return name == "_sd" || name == "..." || name == "_sd_alg" }

// Compact encodes the presentation again, from its parts. The result is the text that was parsed.
func (u *Unverified) Compact() string {
	var b strings.Builder
	b.WriteString(u.issuer.Compact())
	b.WriteByte('~')
	for _, d := range u.disclosures {
		b.WriteString(base64.RawURLEncoding.EncodeToString(d.raw))
		b.WriteByte('~')
	}
	if u.binding != nil {
		b.WriteString(u.binding.Compact())
	}
	return b.String()
}
