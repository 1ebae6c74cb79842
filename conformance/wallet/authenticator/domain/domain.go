// Package domain finds out whether the domain that a DID says is its own is (DIF Well Known DID
// Configuration): the DID document links the domain, and the domain, in a file of its own, the DID.
//
// The Android library looks at the first domain of the document and the first credential of the
// file only, and takes a credential that lacks a date for none at all; so does this package.
package domain

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/json"

	"regain/conformance/did"
	"regain/conformance/wallet/address"
	"regain/conformance/wallet/agent"
)

// Domain is what was found out. The zero value: no domain is named.
type Domain struct {
	Host     string
	Verified bool
	Problem  string // why not, for the operator of the verifier; empty when verified
}

// Verifier verifies domains.
type Verifier struct {
	Agent    agent.Agent
	Resolver did.Resolver
	Clock    func() time.Time
}

// Verify verifies the first domain that a DID document links.
func (v Verifier) Verify(ctx context.Context, document did.Document) Domain {
	if len(document.Domains) == 0 {
		return Domain{Problem: "the DID document links no domain"}
	}
	endpoint := document.Domains[0]
	u, err := address.Check(endpoint)
	if err != nil {
		return Domain{Problem: err.Error()}
	}
	d := Domain{Host: u.Host}
	if (u.Path != "" && u.Path != "/") || u.RawQuery != "" || strings.ContainsAny(endpoint, "#?") {
		d.Problem = "what the DID document links is not an origin"
		return d
	}
	if err := v.verify(ctx, document.ID, endpoint); err != nil {
		d.Problem = err.Error()
		return d
	}
	d.Verified = true
	return d
}

func (v Verifier) verify(ctx context.Context, id, endpoint string) error {
	answer, err := v.Agent.Get(ctx, strings.TrimSuffix(endpoint, "/")+"/.well-known/did-configuration.json", nil)
	if err != nil {
		return fmt.Errorf("fetching did-configuration.json: %w", err)
	}
	var configuration struct {
		Context json.RawMessage   `json:"@context"`
		Linked  []json.RawMessage `json:"linked_dids"`
	}
	if err := answer.Decode(&configuration); err != nil {
		return fmt.Errorf("reading did-configuration.json: %w", err)
	}
	if configuration.Context == nil || len(configuration.Linked) == 0 {
		return errors.New("did-configuration.json has no @context or links no DID")
	}
	var credential string
	if err := json.Unmarshal(configuration.Linked[0], &credential); err != nil {
		return errors.New("the first of linked_dids is not a JWT")
	}
	if err := v.verifyLinkage(ctx, credential, id, endpoint); err != nil {
		return fmt.Errorf("the domain linkage credential: %w", err)
	}
	return nil
}
