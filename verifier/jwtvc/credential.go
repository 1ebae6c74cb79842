package jwtvc

import (
	"crypto/sha256"
	"fmt"
	"log/slog"

	"regain/verifier/internal/jws"
)

// Credential is a VC that was read and not verified. Only ParseCredentialInsecure makes one.
type Credential struct {
	signed jws.JWS
	claims map[string]any
	types  []string
}

// ParseCredentialInsecure reads a VC that stands alone. Nothing about it is verified.
func ParseCredentialInsecure(raw string) (*Credential, error) {
	if len(raw) > maxLength {
		return nil, fmt.Errorf("%w: VC: longer than %d characters", ErrMalformed, maxLength)
	}
	signed, err := form().ParseInsecure(raw)
	if err != nil {
		return nil, fmt.Errorf("VC: %w", err)
	}
	c := &Credential{signed: signed}
	if c.claims, err = mapped(signed.Payload); err != nil {
		return nil, fmt.Errorf("VC: %w", err)
	}
	if err := checkContext(c.claims["@context"]); err != nil {
		return nil, fmt.Errorf("VC: %w", err)
	}
	if c.types, err = typesOf(c.claims["type"], "VerifiableCredential"); err != nil {
		return nil, fmt.Errorf("VC: %w", err)
	}
	return c, nil
}

// Claims returns the VC, with the JWT's claims in their places (VCDM 1.1 §6.3.1): iss in issuer, sub in
// credentialSubject.id, jti in id, nbf in issuanceDate, exp in expirationDate. A `status` of the JWT (Token Status List
// §6.2) stands in it too. Numbers are json.Number. The map belongs to c.
func (c *Credential) Claims() map[string]any { return c.claims }

// Types returns the VC's types, VerifiableCredential among them.
func (c *Credential) Types() []string { return c.types }

// ID returns the VC's jti, "" when it has none.
func (c *Credential) ID() string {
	id, _ := c.claims["id"].(string)
	return id
}

// Issuer returns the VC's iss: whom it claims to be from.
func (c *Credential) Issuer() string { return c.text("iss") }

// Subject returns the VC's sub, "" when it has none: whom it is about.
func (c *Credential) Subject() string {
	subject, _ := c.claims["credentialSubject"].(map[string]any)
	id, _ := subject["id"].(string)
	return id
}

// Certificates returns the DER certificates of the VC's `x5c` header, leaf first; nil when its issuer is a DID.
func (c *Credential) Certificates() [][]byte { return c.signed.Certificates }

// Digests returns what a Face Check receipt may name as the photo: for `portrait` and `photo` of the subject, the
// SHA-256 of their text, in base64url.
func (c *Credential) Digests() []string {
	subject, _ := c.claims["credentialSubject"].(map[string]any)
	var digests []string
	for _, name := range []string{"portrait", "photo"} {
		if text, ok := subject[name].(string); ok {
			sum := sha256.Sum256([]byte(text))
			digests = append(digests, jws.Encode(sum[:]))
		}
	}
	return digests
}

// Status returns the VC's credentialStatus as it stands (VCDM 1.1 §4.9), and whether it has one: an object with a type,
// such as StatusList2021Entry or RevocationList2021Status. Nothing here can look one up. A caller that cannot either
// must not use the credential: its issuer said that it can be revoked. The other kind of status is in Claims.
func (c *Credential) Status() (entry map[string]any, there bool) {
	entry, there = c.claims["credentialStatus"].(map[string]any)
	return entry, there
}

func (c *Credential) text(claim string) string {
	text, _ := c.signed.Payload[claim].(string)
	return text
}

// Format keeps claims out of every fmt verb.
func (c *Credential) Format(f fmt.State, _ rune) { fmt.Fprint(f, "jwt-vc[redacted]") }

// LogValue keeps claims out of slog.
func (c *Credential) LogValue() slog.Value { return slog.StringValue("jwt-vc[redacted]") }

// MarshalJSON keeps claims out of JSON.
func (c *Credential) MarshalJSON() ([]byte, error) { return []byte(`"[redacted]"`), nil }
