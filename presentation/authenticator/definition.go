package authenticator

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"regain/presentation/dcql"
)

// presentationDefinition is as much of Presentation Exchange as these wallets read: `schema` is of its version 1, the
// rest of version 2.
type presentationDefinition struct {
	ID          string            `json:"id"`
	Descriptors []inputDescriptor `json:"input_descriptors"`
}

type inputDescriptor struct {
	ID          string      `json:"id"` // that of the DCQL credential query
	Name        string      `json:"name"`
	Schema      []schema    `json:"schema"`
	Constraints constraints `json:"constraints"`
}

type schema struct {
	URI string `json:"uri"`
}

type constraints struct {
	Fields []field `json:"fields"`
}

type field struct {
	Path   []string `json:"path"`
	Filter *filter  `json:"filter,omitempty"`
}

type filter struct {
	Type    string `json:"type"`
	Pattern string `json:"pattern"`
}

// definition puts a DCQL query into Presentation Exchange. It refuses what these wallets could not be asked.
func definition(id string, q dcql.Query, issuers []string) (presentationDefinition, error) {
	if len(q.CredentialSets) > 0 {
		return presentationDefinition{}, fmt.Errorf("wallets of this kind know no credential_sets")
	}
	d := presentationDefinition{ID: id}
	for i, c := range q.Credentials {
		if c.Format != dcql.FormatJWTVC || len(c.Meta.TypeValues) != 1 || len(c.ClaimSets) > 0 {
			return d, fmt.Errorf("%s: wallets of this kind hold JWT VCs, asked for by one set of types and no claim sets", c.ID)
		}
		types := c.Meta.TypeValues[0]
		name := types[len(types)-1] // the most special one; the first is VerifiableCredential
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

// issuedBy is the form in which these wallets are told the accepted issuers: alternatives in a pattern.
func issuedBy(issuers []string) field {
	quoted := make([]string, 0, len(issuers))
	for _, did := range issuers {
		quoted = append(quoted, "^"+regexp.QuoteMeta(did)+"$")
	}
	slices.Sort(quoted)
	return field{Path: []string{"$.issuer", "$.vc.issuer", "$.iss"}, Filter: &filter{Type: "string", Pattern: strings.Join(quoted, "|")}}
}

// jsonPath writes a path into the credential as these wallets see it: below `vc` in the JWT.
func jsonPath(path dcql.Path) (string, error) {
	var b strings.Builder
	b.WriteString("$.vc")
	for _, step := range path {
		name, ok := step.Name()
		if !ok || strings.ContainsAny(name, `.[]'"\ `) {
			return "", fmt.Errorf("%s: wallets of this kind are asked for plain names only", path)
		}
		b.WriteString("." + name)
	}
	return b.String(), nil
}
