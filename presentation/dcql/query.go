package dcql

import (
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4/json" // names match exactly, unlike in encoding/json

	"regain/internal/strictjson"
)

// ErrInvalid reports a query that breaks a rule of OpenID4VP 1.0 §6.
var ErrInvalid = errors.New("invalid DCQL query")

// Query is a dcql_query (§6). Where a member has a zero value it is absent from the JSON.
type Query struct {
	Credentials    []Credential    `json:"credentials"`
	CredentialSets []CredentialSet `json:"credential_sets,omitempty"`
}

// Credential asks for one credential (§6.1).
type Credential struct {
	ID     string `json:"id"` // the key under which the wallet answers; [A-Za-z0-9_-]+
	Format string `json:"format"`
	// Multiple allows more than one presentation in the answer.
	Multiple bool  `json:"multiple,omitempty"`
	Meta     *Meta `json:"meta"` // required, even where it says nothing
	// TrustedAuthorities tells the wallet which issuers have a chance. It is no check of trust.
	TrustedAuthorities []TrustedAuthority `json:"trusted_authorities,omitempty"`
	// HolderBinding: nil means true, which is the default of the specification.
	HolderBinding *bool      `json:"require_cryptographic_holder_binding,omitempty"`
	Claims        []Claim    `json:"claims,omitempty"`     // none: only what the wallet cannot hide
	ClaimSets     [][]string `json:"claim_sets,omitempty"` // ids of claims, the preferred option first
}

// Claim asks for one claim (§6.3).
type Claim struct {
	ID   string `json:"id,omitempty"` // required where there are claim sets
	Path Path   `json:"path"`
	// Values the claim should have: strings, integers (int, int64, or as JSON reads them) and
	// booleans. Wallets may ignore them, so [Credential.Missing] compares again.
	Values []any `json:"values,omitempty"`
	// IntentToRetain tells the holder of an mdoc whether the value is kept (Appendix B.2.4); nil says nothing.
	IntentToRetain *bool `json:"intent_to_retain,omitempty"`
}

// CredentialSet asks for one of several combinations of credentials (§6.2).
type CredentialSet struct {
	Options  [][]string `json:"options"`            // ids of credentials, the preferred option first
	Required *bool      `json:"required,omitempty"` // nil means true
}

// depth is that of the deepest query the specification allows: object, credentials, credential,
// trusted_authorities, authority, values.
const depth = 8

// Parse reads the JSON of a query and validates it. Unknown members are ignored (§6), names that
// stand twice are refused.
func Parse(raw []byte) (Query, error) {
	if _, err := strictjson.Object(raw, depth); err != nil {
		return Query{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	var q Query
	if err := json.Unmarshal(raw, &q); err != nil {
		return Query{}, fmt.Errorf("%w: a member has the wrong type: %w", ErrInvalid, err)
	}
	return q, q.Validate()
}

// Credential returns the credential query with this id.
func (q Query) Credential(id string) (Credential, bool) {
	for _, c := range q.Credentials {
		if c.ID == id {
			return c, true
		}
	}
	return Credential{}, false
}

// NeedsHolderBinding reports whether the presentation has to prove possession of the holder's key.
func (c Credential) NeedsHolderBinding() bool { return c.HolderBinding == nil || *c.HolderBinding }

// IsRequired reports whether an answer has to satisfy the set.
func (s CredentialSet) IsRequired() bool { return s.Required == nil || *s.Required }
