package trust

import (
	"fmt"
	"slices"
)

// KnowsDID reports whether a rule names this DID as an issuer of a type. Only such DIDs should be resolved.
func (r *Rules) KnowsDID(did, name string) bool {
	return did != "" && slices.Contains(r.byType[name].DIDs, did)
}

// LinkedDomain reports whether the DIDs that issue this type must be linked to their domains.
func (r *Rules) LinkedDomain(name string) bool { return r.byType[name].LinkedDomain }

// CheckDID returns ErrUntrusted unless a DID is trusted to issue credentials of a type. The caller has verified the
// DID's signature.
func (r *Rules) CheckDID(did, name string) error {
	if !r.KnowsDID(did, name) {
		return fmt.Errorf("%w: its DID is in no rule for %s", ErrUntrusted, name)
	}
	return nil
}
