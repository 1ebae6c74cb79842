package evidence

import "regain/recovery"

// ClaimAt lets tests ask for claims that no credential of theirs has.
func ClaimAt(from map[string]any, name recovery.ClaimName) (string, bool) { return claimAt(from, name) }
