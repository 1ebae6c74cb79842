// Package clock defines how far the clocks of other parties may be ahead of ours, and compares their dates with ours.
//
// The tolerance applies to starts only: iat, nbf, validFrom. An expiry is never extended: the party that set it could
// allow for clocks that differ.
package clock

import "time"

// Tolerance is how far another party's clock may be ahead of ours.
type Tolerance time.Duration

// The tolerances, by the party whose clock it is. The domain, which imports no other package, repeats that of issuers
// for the time of a Face Check.
const (
	// Clients applies to client assertions, request objects and hints: FAPI 2.0 Security Profile §5.3.2.1 requires
	// that 10 seconds are accepted and more than 60 refused.
	Clients = Tolerance(10 * time.Second)
	// Issuers applies to the dates of credentials, presentations, status lists and domain linkage credentials, and to
	// the hints of Entra tenants.
	Issuers = Tolerance(time.Minute)
	// Proofs applies to DPoP proofs, which are made on unmanaged devices: RFC 9449 §11.1 allows seconds to minutes.
	Proofs = Tolerance(time.Minute)
)

// InFuture reports whether a start, such as iat or nbf, is further ahead than the tolerance allows.
func (t Tolerance) InFuture(beginning, now time.Time) bool {
	return beginning.After(now.Add(time.Duration(t)))
}

// Over reports whether an end has passed. A token is expired at the second of its exp already (RFC 7519 §4.1.4).
func Over(end, now time.Time) bool { return !now.Before(end) }
