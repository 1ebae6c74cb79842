package wallet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"regain/conformance/mdoc"
	"regain/conformance/sdjwt"
	"regain/conformance/wallet/dcql"
	"regain/conformance/wallet/request"
)

// The formats that the wallet can hold.
const (
	sdJWTFormat = dcql.SDJWT
	mdocFormat  = dcql.Mdoc
)

// Credential is one SD-JWT VC or mdoc in the wallet. It holds a person's data, so every way of
// printing it shows its identifier and type only.
type Credential struct {
	ID      string    // the wallet's own name for it
	Format  string    // dc+sd-jwt or mso_mdoc
	Type    string    // vct or docType
	Name    string    // what the issuer calls it, for the card
	Issuer  string    // subject of the certificate that signed it
	JTI     string    // the issuer's name for it; of an mdoc, the hash that receipts name
	Issued  time.Time // iat, or when the MSO was signed
	Expires time.Time // exp, or the end of the MSO's validity; zero when it has none

	token sdjwt.Token   // of dc+sd-jwt
	doc   mdoc.Document // of mso_mdoc
	akis  []string
}

// claims are what DCQL paths walk.
func (c Credential) claims() map[string]any {
	if c.Format == mdocFormat {
		return c.doc.Claims()
	}
	return c.token.Claims()
}

// Claim returns a text claim, empty when it is absent or no text: of an SD-JWT VC one at the top
// level, of an mdoc namespace/element, or an element alone in whichever namespace has it.
func (c Credential) Claim(name string) string {
	claims := c.claims()
	if c.Format == mdocFormat {
		space, element, found := strings.Cut(name, "/")
		if !found {
			element = name
			space, _, _ = c.doc.Find(name)
		}
		claims, _ = claims[space].(map[string]any)
		name = element
	}
	text, _ := claims[name].(string)
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

// portrait finds what a Face Check is about: the place of the portrait and the digest that the
// issuer signed of it. ok is false when there is none that can be shown alone.
func (c Credential) portrait() (place []any, digest string, ok bool) {
	if c.Format == mdocFormat {
		space, digest, ok := c.doc.Find("portrait")
		return []any{space, "portrait"}, digest, ok
	}
	disclosure, ok := c.token.Named("portrait")
	return []any{"portrait"}, disclosure.Digest, ok
}

// takenBy reports whether the verifier's formats have room for the credential.
func (c Credential) takenBy(f request.Formats) bool {
	if c.Format == mdocFormat {
		var curve elliptic.Curve
		if key, ok := c.doc.Chain().Leaf().PublicKey.(*ecdsa.PublicKey); ok {
			curve = key.Curve
		}
		return f.TakesMdoc(c.doc.Algorithm(), curve)
	}
	return f.TakesSDJWT(c.token.Algorithm())
}

// pathText writes a path for a person.
func (c Credential) pathText(path dcql.Path) string {
	if c.Format == mdocFormat {
		return fmt.Sprint(path[0], "/", path[1])
	}
	return path.String()
}

// SDJWT returns the whole SD-JWT VC as the issuer wrote it, for tests that look inside.
func (c Credential) SDJWT() string { return c.token.Present(c.token.Disclosures()) }

// Document returns the mdoc, for tests that look inside.
func (c Credential) Document() mdoc.Document { return c.doc }

// String names the credential without its content.
func (c Credential) String() string { return fmt.Sprintf("credential %s (%s)", c.ID, c.Type) }

// GoString is String: %#v must not print claims either.
func (c Credential) GoString() string { return c.String() }

// LogValue is String for slog.
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText is String for JSON.
func (c Credential) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
