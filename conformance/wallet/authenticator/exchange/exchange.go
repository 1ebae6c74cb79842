// Package exchange reads presentation definitions (DIF Presentation Exchange) the way the wallets
// of the JWT VC Presentation Profile do: schema[].uri, of version 1, picks the type of a credential,
// and constraints.fields narrow the choice by path and by a filter of a type and a pattern.
//
// Where public sources disagree with the specification, what is taken is what both take, so that a
// definition that works here works with either:
//
//   - The Android library takes a pattern for one of the form /…/i. It drops the first character
//     and what stands after the last slash, and ignores case. Here a value matches if it does under
//     both readings.
//   - schema, which version 2 has no more, must be there.
//   - A filter is of type string: the library knows no other, and nothing that is no text passes it.
package exchange

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4/json"
)

// ErrDefinition reports a presentation definition that the wallet cannot use.
var ErrDefinition = errors.New("presentation definition not usable")

const (
	maxDescriptors = 16
	maxFields      = 16
)

// Definition is a presentation_definition.
type Definition struct {
	ID          string
	Purpose     string
	Descriptors []Descriptor
}

// Descriptor is one of its input_descriptors: one credential that is asked for.
type Descriptor struct {
	ID      string
	Name    string
	Purpose string
	Types   []string // any of them will do

	fields []field
}

type rawDescriptor struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Purpose string `json:"purpose"`
	Schema  []struct {
		URI string `json:"uri"`
	} `json:"schema"`
	Constraints struct {
		Fields []rawField `json:"fields"`
	} `json:"constraints"`
}

// Parse reads a definition that a stranger wrote.
func Parse(raw []byte) (Definition, error) {
	var body struct {
		ID          string          `json:"id"`
		Purpose     string          `json:"purpose"`
		Descriptors []rawDescriptor `json:"input_descriptors"`
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		return Definition{}, fmt.Errorf("%w: it is not the JSON expected", ErrDefinition)
	}
	if body.ID == "" {
		return Definition{}, fmt.Errorf("%w: it has no id", ErrDefinition)
	}
	if len(body.Descriptors) == 0 || len(body.Descriptors) > maxDescriptors {
		return Definition{}, fmt.Errorf("%w: it has no input descriptor, or too many", ErrDefinition)
	}
	d := Definition{ID: body.ID, Purpose: body.Purpose}
	for _, raw := range body.Descriptors {
		descriptor, err := raw.parse()
		if err != nil {
			return Definition{}, err
		}
		if slices.ContainsFunc(d.Descriptors, func(o Descriptor) bool { return o.ID == descriptor.ID }) {
			return Definition{}, fmt.Errorf("%w: two input descriptors have one id", ErrDefinition)
		}
		d.Descriptors = append(d.Descriptors, descriptor)
	}
	return d, nil
}

func (raw rawDescriptor) parse() (Descriptor, error) {
	if raw.ID == "" {
		return Descriptor{}, fmt.Errorf("%w: an input descriptor has no id", ErrDefinition)
	}
	d := Descriptor{ID: raw.ID, Name: raw.Name, Purpose: raw.Purpose}
	for _, s := range raw.Schema {
		if s.URI == "" {
			return Descriptor{}, fmt.Errorf("%w: a schema has no uri", ErrDefinition)
		}
		d.Types = append(d.Types, s.URI)
	}
	if len(d.Types) == 0 {
		return Descriptor{}, fmt.Errorf("%w: an input descriptor has no schema", ErrDefinition)
	}
	if len(raw.Constraints.Fields) > maxFields {
		return Descriptor{}, fmt.Errorf("%w: it has too many fields", ErrDefinition)
	}
	for _, raw := range raw.Constraints.Fields {
		f, err := raw.parse()
		if err != nil {
			return Descriptor{}, err
		}
		d.fields = append(d.fields, f)
	}
	return d, nil
}

// Asks reports whether a credential of the type could answer.
func (d Descriptor) Asks(kind string) bool { return slices.Contains(d.Types, kind) }

// Matches reports whether a credential answers: claims is the payload of its JWT, decoded, and
// types its vc.type.
func (d Descriptor) Matches(types []string, claims map[string]any) bool {
	return slices.ContainsFunc(types, d.Asks) &&
		!slices.ContainsFunc(d.fields, func(f field) bool { return !f.matches(claims) })
}
