// Package contract implements the published contracts by which two vendors federate with identity verification providers.
// Both are OpenID Connect with deviations; each is a setting of a client. This package holds what differs from the
// standard:
//
//	okta-idv                   Okta, custom identity verification vendor: the claims parameter contains the claims to verify,
//	                           and a failure is a successful token response with FAILED. Okta's guide: "Integrate Okta
//	                           with identity verification vendors"
//	entra-external-method      Microsoft Entra ID, external MFA provider: a form-posted ID token for a form-posted request
//	                           that names the account in an expired id_token_hint of the tenant. Microsoft Learn:
//	                           "Microsoft Entra External MFA Method Provider Reference"
//
// The package does no I/O, except that [Tenants] fetches a tenant's keys.
package contract

import "time"

// Name is the name of a contract in the configuration. The empty name is standard OpenID Connect.
type Name string

// The contracts.
const (
	OktaIDV             Name = "okta-idv"
	EntraExternalMethod Name = "entra-external-method"
)

// Lifetime returns how long the vendor waits for the response before it drops the attempt; 0 if not documented.
func (n Name) Lifetime() time.Duration {
	switch n {
	case OktaIDV:
		return 10 * time.Minute
	case EntraExternalMethod:
		return 5 * time.Minute
	}
	return 0
}
