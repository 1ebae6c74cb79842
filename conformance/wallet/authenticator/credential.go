package authenticator

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Credential is one JWT VC in the wallet. It holds a person's data, so every way of printing it
// shows its identifier and type only.
type Credential struct {
	ID      string    // the wallet's own name for it
	Type    string    // the last of vc.type
	Name    string    // what the issuer calls it, for the card
	Issuer  string    // the DID that signed it
	JTI     string    // the issuer's name for it
	Issued  time.Time // nbf, which the profile means by issuanceDate
	Expires time.Time // exp; zero when it has none

	raw       string
	algorithm string
	types     []string
	claims    map[string]any // the payload
}

// subject is vc.credentialSubject.
func (c Credential) subject() map[string]any {
	vc, _ := c.claims["vc"].(map[string]any)
	subject, _ := vc["credentialSubject"].(map[string]any)
	return subject
}

// Claim returns a text claim about the subject, empty when it is absent or no text.
func (c Credential) Claim(name string) string {
	text, _ := c.subject()[name].(string)
	return text
}

// ClaimNames lists what the credential says about its subject, sorted.
func (c Credential) ClaimNames() []string {
	var names []string
	for name := range c.subject() {
		if name != "id" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// portrait returns the text of the picture in it: VerifiedIdentity calls it portrait,
// VerifiedEmployee photo.
func (c Credential) portrait() string {
	if text := c.Claim("portrait"); text != "" {
		return text
	}
	return c.Claim("photo")
}

// photoDigest is what a receipt names the picture by: the hash of its text.
func (c Credential) photoDigest() string {
	sum := sha256.Sum256([]byte(c.portrait()))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Portrait returns the JPEG in it, nil when there is none. Microsoft's issuers write base64 that is
// URL-encoded once more, the profile's sample has a data: URL, and others plain base64url.
func (c Credential) Portrait() []byte {
	text := c.portrait()
	if head, encoded, ok := strings.Cut(text, ","); ok && strings.HasPrefix(head, "data:image/jpeg") {
		text = encoded
	}
	if plain, err := url.PathUnescape(text); err == nil {
		text = plain
	}
	text = strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(text)
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) == 0 {
		return nil
	}
	return raw
}

// IssuerName is what a person is shown of the issuer: the host of a did:web, else the method.
func (c Credential) IssuerName() string { return shownName(c.Issuer) }

// JWT returns the whole credential as the issuer wrote it, for tests that look inside.
func (c Credential) JWT() string { return c.raw }

func (c Credential) expired(now time.Time) bool {
	return !c.Expires.IsZero() && !now.Before(c.Expires)
}

// String names the credential without its content.
func (c Credential) String() string { return fmt.Sprintf("credential %s (%s)", c.ID, c.Type) }

// GoString is String: %#v must not print claims either.
func (c Credential) GoString() string { return c.String() }

// LogValue is String for slog.
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText is String for JSON.
func (c Credential) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
