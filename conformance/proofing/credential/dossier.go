package credential

import (
	"encoding/base64"
	"fmt"
	"log/slog"

	"regain/conformance/people"
)

// Dossier is what the provider learned about a person and puts into the Verified ID. It is personal data: it writes
// itself as a placeholder wherever it might be printed or logged.
type Dossier struct {
	Person   people.Person
	Portrait []byte
}

// NewDossier reads the document of a sample person, whose photo the studio draws.
func NewDossier(person people.Person, studio *people.Studio) (Dossier, error) {
	portrait, err := studio.Portrait(person)
	if err != nil {
		return Dossier{}, fmt.Errorf("reading the document's photo: %w", err)
	}
	return Dossier{Person: person, Portrait: portrait}, nil
}

// claim is a selectively disclosable claim.
type claim struct{ name, value string }

// claims are the disclosable claims in a fixed order, as docs/protocols.md section 3 lists them.
func (d Dossier) claims() []claim {
	return []claim{
		{"given_name", d.Person.GivenName}, {"family_name", d.Person.FamilyName}, {"birthdate", d.Person.Birthdate},
		{"document_type", d.Person.DocumentType}, {"document_number", d.Person.DocumentNumber},
		{"portrait", base64.RawURLEncoding.EncodeToString(d.Portrait)},
	}
}

const redacted = "[personal data]"

func (Dossier) String() string               { return redacted }
func (Dossier) GoString() string             { return redacted }
func (Dossier) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (Dossier) LogValue() slog.Value         { return slog.StringValue(redacted) }

func (claim) String() string               { return redacted }
func (claim) GoString() string             { return redacted }
func (claim) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (claim) LogValue() slog.Value         { return slog.StringValue(redacted) }
