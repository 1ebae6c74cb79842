package authenticator

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"regain/presentation/dcql"
)

// presentationDefinition is the subset of a DIF Presentation Exchange definition that these wallets read (section
// Presentation Definition). `schema` is in version 1.0.0 only (Input Descriptor Object); the rest is the same in 2.0.0.
type presentationDefinition struct {
	ID          string            `json:"id"`
	Descriptors []inputDescriptor `json:"input_descriptors"`
}

type inputDescriptor struct {
	ID          string      `json:"id"` // the id of the DCQL credential query
	Name        string      `json:"name"`
	Schema      []schema    `json:"schema"`
	Constraints constraints `json:"constraints"`
}

// schema is required in version 1.0.0 (Input Descriptor Object). These wallets compare its uri with the credential's
// type.
type schema struct {
	URI string `json:"uri"`
}

type constraints struct {
	Fields []field `json:"fields"`
}

// field selects a value of the credential. Every field is required: `optional`, which 2.0.0 has added, is left out.
type field struct {
	Path   []string `json:"path"` // alternatives in JSONPath; the first one that selects something counts
	Filter *filter  `json:"filter,omitempty"`
}

type filter struct {
	Type    string `json:"type"`
	Pattern string `json:"pattern"`
}

// definition translates a DCQL query to DIF Presentation Exchange (JWT VC Presentation Profile, Requesting Verifiable
// Credentials). It returns an error for a query that Presentation Exchange, as these wallets read it, cannot express.
func definition(id string, q dcql.Query, issuers []string) (presentationDefinition, error) {
	if len(q.CredentialSets) > 0 {
		return presentationDefinition{}, fmt.Errorf("wallets of this kind do not support credential_sets")
	}
	d := presentationDefinition{ID: id}
	for i, c := range q.Credentials {
		if c.Format != dcql.FormatJWTVC || len(c.Meta.TypeValues) != 1 || len(c.ClaimSets) > 0 {
			return d, fmt.Errorf("%s: wallets of this kind hold JWT VCs, asked for by one set of types and no claim sets", c.ID)
		}
		types := c.Meta.TypeValues[0]
		name := types[len(types)-1] // the most specific type; the first is VerifiableCredential
		descriptor := inputDescriptor{ID: c.ID, Name: name, Schema: []schema{{name}}, Constraints: constraints{Fields: []field{}}}
		if i == 0 && len(issuers) > 0 {
			descriptor.Constraints.Fields = append(descriptor.Constraints.Fields, issuedBy(issuers))
		}
		for _, claim := range c.Claims {
			path, err := jsonPath(claim.Path)
			if err != nil {
				return d, fmt.Errorf("%s: %w", c.ID, err)
			}
			descriptor.Constraints.Fields = append(descriptor.Constraints.Fields, field{Path: []string{path}})
		}
		d.Descriptors = append(d.Descriptors, descriptor)
	}
	return d, nil
}

// issuedBy returns the field that lists the accepted issuers, as alternatives of a regular expression. $.vc.issuer and
// $.issuer are where a VC has its issuer, $.iss where a JWT VC has it (VCDM 1.1 §6.3.1).
func issuedBy(issuers []string) field {
	quoted := make([]string, 0, len(issuers))
	for _, did := range issuers {
		quoted = append(quoted, "^"+regexp.QuoteMeta(did)+"$")
	}
	slices.Sort(quoted)
	return field{Path: []string{"$.issuer", "$.vc.issuer", "$.iss"}, Filter: &filter{Type: "string", Pattern: strings.Join(quoted, "|")}}
}

// jsonPath translates a DCQL path to JSONPath (DIF Presentation Exchange, JSONPath Syntax Definition). In a JWT VC the
// credential is below `vc`. Names that would need quoting in JSONPath are refused.
func jsonPath(path dcql.Path) (string, error) {
	var b strings.Builder
	b.WriteString("$.vc")
	for _, step := range path {
		name, ok := step.Name()
		if !ok || strings.ContainsAny(name, `.[]'"\ `) {
			return "", fmt.Errorf("%s: wallets of this kind support paths of plain names only", path)
		}
		b.WriteString("." + name)
	}
	return b.String(), nil
}
