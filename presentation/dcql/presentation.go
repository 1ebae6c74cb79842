package dcql

import (
	"fmt"
	"log/slog"
)

// Presentation is what a verifier knows of one presentation whose signatures, validity and issuer it has checked. The
// claims are a person's: logs and JSON see nothing of them.
type Presentation struct {
	CredentialFormat string // one of the formats of this package
	// Types of the credential: of an SD-JWT VC the vct, its aka_vcts and what it extends; of an mdoc the doctype; of a
	// W3C credential the types, expanded where their context defines them.
	Types []string
	// Claims as paths walk them, read from JSON with float64 or json.Number: the processed payload of an SD-JWT VC with
	// every disclosure in its place, the namespaces of an mdoc, a W3C credential from its own root (Appendix B.1.2).
	Claims map[string]any
	// HolderBound says that the presenter has proven possession of the holder's key, for this very request.
	HolderBound bool
	// Withheld says that arrays may lack elements, as those of an SD-JWT do whose holder disclosed some only: what is
	// shown has moved forward (RFC 9901 §7.1), so that the element of an index may be any up to there.
	Withheld bool
	// AuthorityKeyIDs of the issuer's certificates, see [AuthorityKeyIDs]; nil where they are not known.
	AuthorityKeyIDs []string
}

const redacted = "[presentation]"

// Format shows nothing of it to any fmt verb.
func (Presentation) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, redacted) }

// LogValue shows nothing of it to slog.
func (Presentation) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON shows nothing of it.
func (Presentation) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
