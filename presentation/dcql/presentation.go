package dcql

import (
	"fmt"
	"log/slog"
)

// Presentation is a presentation whose signatures, validity and issuer the verifier has checked. The claims are
// personal data: fmt, slog and JSON do not print them.
type Presentation struct {
	CredentialFormat string // one of the Format constants
	// Types of the credential: for an SD-JWT VC the vct, its aka_vcts and the types that it extends; for an mdoc the
	// doctype; for a W3C credential the types, expanded where their context defines them.
	Types []string
	// Claims is the object that paths select from, with numbers as float64 or json.Number: the processed payload of an
	// SD-JWT VC, the namespaces of an mdoc, a W3C credential from its own root (OpenID4VP 1.0 Appendix B.1.2).
	Claims map[string]any
	// HolderBound reports that the presenter has proven possession of the holder's key, for this request.
	HolderBound bool
	// Withheld reports that arrays may lack elements that the holder of an SD-JWT did not disclose. The other elements
	// have moved forward (RFC 9901 §7.1), so the element with an index may now be at any index up to it.
	Withheld bool
	// AuthorityKeyIDs of the issuer's certificates, see [AuthorityKeyIDs]; nil if they are not known.
	AuthorityKeyIDs []string
}

const redacted = "[presentation]"

// Format keeps the presentation out of every fmt verb.
func (Presentation) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, redacted) }

// LogValue keeps the presentation out of slog.
func (Presentation) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON keeps the presentation out of JSON.
func (Presentation) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
