package mdoc

import (
	"fmt"
	"log/slog"

	"github.com/fxamacker/cbor/v2"
)

// Licence is what a driving licence says (ISO/IEC 18013-5 §7.2.1); days are written YYYY-MM-DD. It is personal data: it
// writes itself as a placeholder wherever it might be printed or logged.
type Licence struct {
	FamilyName, GivenName, BirthDate string
	Portrait                         []byte // JPEG
	DocumentNumber                   string
	IssueDate, ExpiryDate            string
	Categories                       []string // vehicle categories, such as B
}

const redacted = "[personal data]"

// String implements fmt.Stringer.
func (Licence) String() string { return redacted }

// GoString implements fmt.GoStringer.
func (Licence) GoString() string { return redacted }

// MarshalText implements encoding.TextMarshaler.
func (Licence) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements slog.LogValuer.
func (Licence) LogValue() slog.Value { return slog.StringValue(redacted) }

// Format keeps %x and its like from walking through the fields.
func (Licence) Format(state fmt.State, _ rune) { _, _ = fmt.Fprint(state, redacted) }

// element is a data element before it is salted.
type element struct {
	name  string
	value any
}

// elements are the data elements that the standard makes mandatory, the authority's own among them.
func (a *Authority) elements(l Licence) []element {
	privileges := make([]map[string]any, len(l.Categories))
	for i, category := range l.Categories {
		privileges[i] = map[string]any{
			"vehicle_category_code": category, "issue_date": day(l.IssueDate), "expiry_date": day(l.ExpiryDate),
		}
	}
	return []element{
		{"family_name", l.FamilyName}, {"given_name", l.GivenName}, {"birth_date", day(l.BirthDate)},
		{"issue_date", day(l.IssueDate)}, {"expiry_date", day(l.ExpiryDate)},
		{"issuing_country", a.config.Country}, {"issuing_authority", a.config.Name}, {"un_distinguishing_sign", a.config.Sign},
		{"document_number", l.DocumentNumber}, {"portrait", l.Portrait}, {"driving_privileges", privileges},
	}
}

// day is a full-date, written YYYY-MM-DD.
func day(text string) cbor.Tag { return cbor.Tag{Number: tagDay, Content: text} }
