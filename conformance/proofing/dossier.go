package proofing

import (
	"encoding/base64"
	"fmt"
	"log/slog"

	"regain/conformance/people"
)

// dossier is what the provider learned about a person and puts into the Verified ID. It is personal data: it writes
// itself as a placeholder wherever it might be printed or logged.
type dossier struct {
	person   people.Person
	portrait []byte
}

func (s *Server) newDossier(person people.Person) (dossier, error) {
	portrait, err := s.config.Studio.Portrait(person)
	if err != nil {
		return dossier{}, fmt.Errorf("reading the document's photo: %w", err)
	}
	return dossier{person: person, portrait: portrait}, nil
}

// claim is a selectively disclosable claim.
type claim struct{ name, value string }

// claims are the disclosable claims in a fixed order, as docs/protocols.md section 3 lists them.
func (d dossier) claims() []claim {
	return []claim{
		{"given_name", d.person.GivenName}, {"family_name", d.person.FamilyName}, {"birthdate", d.person.Birthdate},
		{"document_type", d.person.DocumentType}, {"document_number", d.person.DocumentNumber},
		{"portrait", base64.RawURLEncoding.EncodeToString(d.portrait)},
	}
}

const redacted = "[personal data]"

func (dossier) String() string               { return redacted }
func (dossier) GoString() string             { return redacted }
func (dossier) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (dossier) LogValue() slog.Value         { return slog.StringValue(redacted) }

func (claim) String() string               { return redacted }
func (claim) GoString() string             { return redacted }
func (claim) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (claim) LogValue() slog.Value         { return slog.StringValue(redacted) }
