// Package clock says how far the clocks of others may be ahead of ours, and how a date is held against ours.
//
// Tolerance is for beginnings alone: iat, nbf, validFrom. An end is never stretched, because whoever set it knew that
// clocks differ.
package clock

import "time"

// Tolerance is how far ahead of ours a clock may be.
type Tolerance time.Duration

// The tolerances, by whose clock it is. The domain, which imports nothing, has that of issuers once more, for the time of a
// Face Check.
const (
	// Clients make assertions, request objects and hints: FAPI 2.0 Security Profile §5.3.2.1 wants 10 seconds accepted and
	// 60 refused.
	Clients = Tolerance(10 * time.Second)
	// Issuers and wallets date credentials, presentations, status lists and links of domains; tenants date their hints.
	Issuers = Tolerance(time.Minute)
	// Proofs are DPoP's, made on devices that nobody administers: RFC 9449 §11.1 leaves seconds or minutes.
	Proofs = Tolerance(time.Minute)
)

// InFuture reports whether a beginning, such as iat or nbf, is further ahead than the clock of who wrote it may be.
func (t Tolerance) InFuture(beginning, now time.Time) bool {
	return beginning.After(now.Add(time.Duration(t)))
}

// Over reports whether an end has come: on exp a token has expired already (RFC 7519 §4.1.4).
func Over(end, now time.Time) bool { return !now.Before(end) }
