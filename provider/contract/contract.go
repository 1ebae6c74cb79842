// Package contract holds the published contracts of two vendors that federate with identity verifiers in a way of their
// own. Both are OpenID Connect with additions; each is a setting of a client, and what differs from the standard is here:
//
//	okta-idv                   Okta, custom identity verification vendor: what is to be verified comes in the claims
//	                           parameter, and a failure is a successful exchange that says FAILED
//	entra-external-method      Microsoft Entra ID, external MFA provider: a form-posted ID token for a form-posted request
//	                           that names the account in an expired id_token_hint of the tenant
//
// The package is pure, but for [Tenants], which fetches a tenant's keys.
package contract

import "time"

// Name is the name of a contract as the configuration has it. The empty name is no contract: the standard.
type Name string

// The contracts.
const (
	OktaIDV             Name = "okta-idv"
	EntraExternalMethod Name = "entra-external-method"
)

// Lifetime is how long the vendor waits for an answer, after which it drops the attempt; 0 means that nothing is said.
func (n Name) Lifetime() time.Duration {
	switch n {
	case OktaIDV:
		return 10 * time.Minute
	case EntraExternalMethod:
		return 5 * time.Minute
	}
	return 0
}
