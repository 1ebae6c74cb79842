package wallet

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"time"

	"regain/conformance/wallet/sdjwt"
)

// Credential is one SD-JWT VC in the wallet. It holds a person's data, so every way of printing
// it shows its identifier and type only.
type Credential struct {
	ID      string    // the wallet's own name for it
	Type    string    // vct
	Name    string    // what the issuer calls it, for the card
	Issuer  string    // subject of the certificate that signed it
	JTI     string    // the issuer's name for it
	Issued  time.Time // iat
	Expires time.Time // exp; zero when it has none

	token sdjwt.Token
	akis  []string
}

// Claim returns an opened text claim at the top level, empty when it is absent or no text.
func (c Credential) Claim(name string) string {
	text, _ := c.token.Claims()[name].(string)
	return text
}

// Portrait returns the JPEG in the claim portrait, nil when there is none.
func (c Credential) Portrait() []byte {
	raw, err := base64.RawURLEncoding.DecodeString(c.Claim("portrait"))
	if err != nil || len(raw) == 0 {
		return nil
	}
	return raw
}

// SDJWT returns the whole credential as the issuer wrote it, for tests that look inside.
func (c Credential) SDJWT() string { return c.token.Present(c.token.Disclosures()) }

// String names the credential without its content.
func (c Credential) String() string { return fmt.Sprintf("credential %s (%s)", c.ID, c.Type) }

// GoString is String: %#v must not print claims either.
func (c Credential) GoString() string { return c.String() }

// LogValue is String for slog.
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText is String for JSON.
func (c Credential) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
