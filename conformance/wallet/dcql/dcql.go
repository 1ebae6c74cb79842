// Package dcql is the wallet's half of the Digital Credentials Query Language (OpenID4VP 1.0 §6
// and §7): reading a verifier's query strictly, and deciding which credentials and which of their
// claims answer it with the least said.
//
// Three questions, asked in this order:
//
//	Parse             is this a query at all?
//	Credential.Match  does this credential answer that one credential query, and with which claims?
//	Query.Plan        which credential queries have to be answered for the whole to be satisfied?
//
// A credential that matches no query is treated as if it did not exist (OpenID4VP 1.0 §6.4.2).
package dcql

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/go-jose/go-jose/v4/json"
)

// ErrInvalid reports a query that breaks a rule of OpenID4VP 1.0 §6; the wallet answers invalid_request.
var ErrInvalid = errors.New("invalid DCQL query")

// Limits on a stranger's query.
const (
	maxEntries = 64
	maxPath    = 16
)

// The formats whose parameters are known here (OpenID4VP 1.0 Appendix B.2, B.3).
const (
	SDJWT = "dc+sd-jwt"
	Mdoc  = "mso_mdoc"
)

// Query is a whole dcql_query.
type Query struct {
	Credentials []Credential `json:"credentials"`
	Sets        []Set        `json:"credential_sets"`
}

// Credential asks for one credential (OpenID4VP 1.0 §6.1).
type Credential struct {
	ID            string      `json:"id"`
	Format        string      `json:"format"`
	Multiple      bool        `json:"multiple"`
	Meta          *Meta       `json:"meta"`
	Authorities   []Authority `json:"trusted_authorities"`
	HolderBinding *bool       `json:"require_cryptographic_holder_binding"`
	Claims        []Claim     `json:"claims"`
	ClaimSets     [][]string  `json:"claim_sets"`
}

// Meta is what a query says about the type: vct_values for dc+sd-jwt (OpenID4VP 1.0 Appendix B.3.5),
// doctype_value for mso_mdoc (OpenID4VP 1.0 Appendix B.2.3).
type Meta struct {
	VCTValues []string `json:"vct_values"`
	DocType   string   `json:"doctype_value"`
}

// Authority narrows the issuers (OpenID4VP 1.0 §6.1.1); only type aki can be evaluated by this wallet.
type Authority struct {
	Type   string   `json:"type"`
	Values []string `json:"values"`
}

// Claim asks for one claim (OpenID4VP 1.0 §6.3).
type Claim struct {
	ID     string `json:"id"`
	Path   Path   `json:"path"`
	Values []any  `json:"values"`
	Retain *bool  `json:"intent_to_retain"` // of mso_mdoc: whether the verifier says that it keeps the element, or does not
}

// Set asks for one of several combinations of credentials (OpenID4VP 1.0 §6.2).
type Set struct {
	Options  [][]string `json:"options"`
	Required *bool      `json:"required"`
	Purpose  string     `json:"purpose"` // not in 1.0 any more; shown to the person when present
}

// Parse reads a query. Members that the specification does not know are ignored, members that
// stand twice are refused.
func Parse(raw []byte) (Query, error) {
	var q Query
	if err := json.Unmarshal(raw, &q); err != nil {
		return Query{}, fmt.Errorf("%w: it is not the JSON of a query", ErrInvalid)
	}
	if len(q.Credentials) == 0 || len(q.Credentials) > maxEntries || len(q.Sets) > maxEntries {
		return Query{}, fmt.Errorf("%w: credentials has to hold between 1 and %d entries", ErrInvalid, maxEntries)
	}
	ids := map[string]bool{}
	for _, c := range q.Credentials {
		if !identifier(c.ID) || ids[c.ID] {
			return Query{}, fmt.Errorf("%w: a credential query's id is missing, malformed or repeated", ErrInvalid)
		}
		ids[c.ID] = true
		if err := c.check(); err != nil {
			return Query{}, fmt.Errorf("%w: credential query %s: %w", ErrInvalid, c.ID, err)
		}
	}
	if q.Sets != nil && len(q.Sets) == 0 {
		return Query{}, fmt.Errorf("%w: credential_sets is empty", ErrInvalid)
	}
	for _, s := range q.Sets {
		if err := references(s.Options, ids); err != nil {
			return Query{}, fmt.Errorf("%w: credential_sets: %w", ErrInvalid, err)
		}
	}
	return q, nil
}

func (c Credential) check() error {
	if c.Format == "" {
		return errors.New("format is missing")
	}
	if c.Meta == nil {
		return errors.New("meta is missing")
	}
	if c.Format == SDJWT && len(c.Meta.VCTValues) == 0 {
		return errors.New("meta.vct_values is missing or empty")
	}
	if c.Format == Mdoc && c.Meta.DocType == "" {
		return errors.New("meta.doctype_value is missing or empty")
	}
	if err := c.checkAuthorities(); err != nil {
		return err
	}
	if len(c.Claims) > maxEntries || len(c.ClaimSets) > maxEntries {
		return fmt.Errorf("more than %d claims or claim sets", maxEntries)
	}
	if c.Claims != nil && len(c.Claims) == 0 {
		return errors.New("claims is empty") // left out, it would mean that none are asked for
	}
	ids := map[string]bool{}
	for _, claim := range c.Claims {
		if err := claim.check(len(c.ClaimSets) > 0, ids); err != nil {
			return err
		}
		if c.Format == Mdoc && !claim.Path.namesElement() {
			return errors.New("a path into an mdoc is not a namespace and an element")
		}
	}
	if c.ClaimSets == nil {
		return nil
	}
	if len(c.Claims) == 0 {
		return errors.New("claim_sets without claims")
	}
	return references(c.ClaimSets, ids)
}

func (c Credential) checkAuthorities() error {
	if c.Authorities != nil && len(c.Authorities) == 0 {
		return errors.New("trusted_authorities is empty")
	}
	for _, a := range c.Authorities {
		if a.Type == "" || len(a.Values) == 0 {
			return errors.New("an authority has no type or no values")
		}
	}
	return nil
}

func (c Claim) check(needsID bool, ids map[string]bool) error {
	if c.ID == "" && needsID {
		return errors.New("a claim has no id but claim_sets is present")
	}
	if c.ID != "" {
		if !identifier(c.ID) || ids[c.ID] {
			return errors.New("a claim's id is malformed or repeated")
		}
		ids[c.ID] = true
	}
	if c.Values != nil && len(c.Values) == 0 {
		return errors.New("values is empty")
	}
	for _, v := range c.Values {
		switch v := v.(type) {
		case string, bool:
		case float64:
			if v != math.Trunc(v) {
				return errors.New("values holds a number that is no integer")
			}
		default:
			return errors.New("values may hold strings, integers and booleans only")
		}
	}
	return c.Path.check()
}

func references(options [][]string, ids map[string]bool) error {
	if len(options) == 0 || len(options) > maxEntries {
		return errors.New("it has no options or too many")
	}
	for _, option := range options {
		if len(option) == 0 {
			return errors.New("an option is empty")
		}
		for _, id := range option {
			if !ids[id] {
				return errors.New("an option names an id that does not exist")
			}
		}
	}
	return nil
}

func identifier(s string) bool {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
	return s != "" && len(s) <= 128 && strings.Trim(s, allowed) == ""
}
