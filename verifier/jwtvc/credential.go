package jwtvc

import (
	"crypto/sha256"
	"fmt"
	"log/slog"

	"regain/verifier/internal/jws"
)

// Credential is a VC that is parsed but not verified. Only ParseCredentialInsecure makes one.
type Credential struct {
	signed jws.JWS
	claims map[string]any
	types  []string
}

// Bytes estimates the memory that the credential takes.
func (c *Credential) Bytes() int { return c.signed.Bytes() }

// ParseCredentialInsecure parses a VC that is not inside a VP. It verifies nothing.
func ParseCredentialInsecure(raw string) (*Credential, error) {
	if len(raw) > maxLength {
		return nil, fmt.Errorf("%w: VC: longer than %d characters", ErrMalformed, maxLength)
	}
	signed, err := form().ParseInsecure(raw)
	if err != nil {
		return nil, fmt.Errorf("VC: %w", err)
	}
	c := &Credential{signed: signed}
	if c.claims, err = mapClaims(signed.Payload); err != nil {
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

// Claims returns the VC with the JWT claims copied to its properties (VCDM 1.1 §6.3.1): iss to issuer, sub to
// credentialSubject.id, jti to id, nbf to issuanceDate, exp to expirationDate, and `status` (Token Status List §6.2) to
// status. Numbers are json.Number. The caller must not change the map.
func (c *Credential) Claims() map[string]any { return c.claims }

// Types returns the VC's types, VerifiableCredential among them.
func (c *Credential) Types() []string { return c.types }

// ID returns the VC's jti, "" when it has none.
func (c *Credential) ID() string {
	id, _ := c.claims["id"].(string)
	return id
}

// Issuer returns the VC's iss, the claimed issuer.
func (c *Credential) Issuer() string { return c.text("iss") }

// Subject returns the VC's sub, "" when it has none.
func (c *Credential) Subject() string {
	subject, _ := c.claims["credentialSubject"].(map[string]any)
	id, _ := subject["id"].(string)
	return id
}

// Certificates returns the DER certificates of the VC's `x5c` header, leaf first; nil when its issuer is a DID.
func (c *Credential) Certificates() [][]byte { return c.signed.Certificates }

// Digests returns the photo digests that a Face Check receipt may name: the base64url SHA-256 of the text of `portrait`
// and `photo` in credentialSubject.
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

// Status returns the VC's credentialStatus (VCDM 1.1 §4.9), and whether it has one: an object with a type, such as
// StatusList2021Entry or RevocationList2021Status. This package cannot look one up. A caller that cannot either must
// refuse the credential, since its issuer may have revoked it. A Token Status List entry is in Claims instead.
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
