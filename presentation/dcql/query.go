package dcql

import (
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4/json" // names match exactly, unlike in encoding/json

	"regain/internal/strictjson"
)

// ErrInvalid means that a query breaks a rule of OpenID4VP 1.0 §6.
var ErrInvalid = errors.New("invalid DCQL query")

// Query is a dcql_query (OpenID4VP 1.0 §6).
type Query struct {
	Credentials    []Credential    `json:"credentials"`
	CredentialSets []CredentialSet `json:"credential_sets,omitempty"`
}

// Credential is a credential query (OpenID4VP 1.0 §6.1).
type Credential struct {
	ID     string `json:"id"` // the key of its presentations in the vp_token; [A-Za-z0-9_-]+
	Format string `json:"format"`
	// Multiple allows more than one presentation in the answer.
	Multiple bool  `json:"multiple,omitempty"`
	Meta     *Meta `json:"meta"` // required, even if it is empty
	// TrustedAuthorities is a hint to the wallet and no check of trust, see [TrustedAuthority].
	TrustedAuthorities []TrustedAuthority `json:"trusted_authorities,omitempty"`
	// HolderBinding nil means true, the default of the specification.
	HolderBinding *bool      `json:"require_cryptographic_holder_binding,omitempty"`
	Claims        []Claim    `json:"claims,omitempty"`     // nil asks only for what is not selectively disclosable
	ClaimSets     [][]string `json:"claim_sets,omitempty"` // ids of claims, the preferred option first
}

// Claim is a claims query (OpenID4VP 1.0 §6.3).
type Claim struct {
	ID   string `json:"id,omitempty"` // required if the credential query has claim_sets
	Path Path   `json:"path"`
	// Values are the accepted values: strings, integers (int, int64, or as JSON decodes them) and booleans. Wallets may
	// ignore them, so [Credential.Missing] compares them again.
	Values []any `json:"values,omitempty"`
	// IntentToRetain tells the holder of an mdoc whether we keep the value (OpenID4VP 1.0 Appendix B.2.4); nil leaves
	// it out.
	IntentToRetain *bool `json:"intent_to_retain,omitempty"`
}

// CredentialSet is a credential set query: one of several combinations of credentials (OpenID4VP 1.0 §6.2).
type CredentialSet struct {
	Options  [][]string `json:"options"`            // ids of credentials, the preferred option first
	Required *bool      `json:"required,omitempty"` // nil means true
}

// depth bounds the nesting of a query. The deepest one that the specification allows has six levels: object,
// credentials, credential, trusted_authorities, authority, values.
const depth = 8

// Parse parses the JSON of a query and validates it. It ignores unknown members (OpenID4VP 1.0 §6) and refuses
// duplicate names.
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

// NeedsHolderBinding reports whether the presentation must prove possession of the holder's key.
func (c Credential) NeedsHolderBinding() bool { return c.HolderBinding == nil || *c.HolderBinding }

// IsRequired reports whether an answer must satisfy the set.
func (s CredentialSet) IsRequired() bool { return s.Required == nil || *s.Required }
