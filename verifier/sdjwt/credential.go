package sdjwt

import (
	"crypto/x509"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"regain/verifier/internal/strict"
)

// Credential is an SD-JWT VC that was verified by [ParseAndVerify]. It holds personal data and prints as nothing else
// than its kind.
type Credential struct {
	id, kind, issuer           string
	issued, notBefore, expires time.Time
	holder                     Thumbprint
	chain                      []*x509.Certificate
	claims                     claims
}

func newCredential(u *Unverified) (Credential, error) {
	c := Credential{holder: u.holder.thumbprint, chain: u.issuer.Chain, claims: u.claims}
	var err error
	for _, member := range []struct {
		name string
		to   *string
	}{{"jti", &c.id}, {"vct", &c.kind}, {"iss", &c.issuer}} {
		if *member.to, err = strict.String(c.claims.all, member.name); err != nil {
			return Credential{}, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
	}
	for _, member := range []struct {
		name string
		to   *time.Time
	}{{"iat", &c.issued}, {"nbf", &c.notBefore}, {"exp", &c.expires}} {
		if *member.to, err = strict.Date(c.claims.all, member.name); err != nil {
			return Credential{}, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
	}
	if c.kind == "" {
		return Credential{}, fmt.Errorf("%w: vct is missing", ErrMalformed)
	}
	return c, nil
}

// ID returns `jti`, Type `vct` and Issuer `iss`; "" when absent.
func (c Credential) ID() string     { return c.id }
func (c Credential) Type() string   { return c.kind }
func (c Credential) Issuer() string { return c.issuer }

// Issued returns `iat`, NotBefore `nbf` and Expires `exp`; the zero time when absent.
func (c Credential) Issued() time.Time    { return c.issued }
func (c Credential) NotBefore() time.Time { return c.notBefore }
func (c Credential) Expires() time.Time   { return c.expires }

// Holder returns the thumbprint of the key in `cnf`.
func (c Credential) Holder() Thumbprint { return c.holder }

// Chain returns the certificates of x5c, leaf first. The leaf's key signed the credential; the chain is not verified.
func (c Credential) Chain() []*x509.Certificate { return slices.Clone(c.chain) }

// HasDigest reports whether digest stands in the top-level `_sd`.
func (c Credential) HasDigest(digest string) bool {
	_, ok := c.claims.digests[digest]
	return ok
}

// Claim returns a top-level claim, open or disclosed: string, bool, nil, json.Number, []any or map[string]any, which
// the caller must not change.
func (c Credential) Claim(name string) (any, bool) {
	value, ok := c.claims.all[name]
	return value, ok
}

const redacted = "[credential redacted]"

// Format keeps the credential out of every fmt verb, LogValue out of slog, and MarshalJSON out of JSON.
func (c Credential) Format(f fmt.State, _ rune)    { _, _ = f.Write([]byte(redacted)) }
func (c Credential) LogValue() slog.Value          { return slog.StringValue(redacted) }
func (c Credential) MarshalJSON() ([]byte, error)  { return []byte(`"` + redacted + `"`), nil }
func (u *Unverified) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(redacted)) }
func (u *Unverified) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (u *Unverified) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
