package backup

import (
	"regain/storage"
)

// carried reports whether records of a kind come back with a copy. The others are permissions that somebody may have used up
// since the copy was made: to go on with a recovery, to redeem, to sign in, to refresh, to use a pass. Nobody can prove that
// they were not, so they are left behind, as is every kind that is not named here. Counters come back all of them: a count is
// never lower than none.
func carried(kind storage.Kind) bool {
	switch kind {
	case "client": // a registration is no use of anything, and nobody could register again in the client's name
		return true
	case "jti", "dpop": // they forbid: without them an assertion or a proof would be good a second time
		return true
	case "audit_head": // an older one demands less of the log than a newer one, and none would demand nothing
		return true
	}
	return false
}
