package trust

import (
	"fmt"
	"slices"
)

// KnowsDID reports whether a DID is one that issues credentials of a type: whether it makes sense to ask for its document.
func (r *Rules) KnowsDID(did, name string) bool {
	return did != "" && slices.Contains(r.byType[name].DIDs, did)
}

// LinkedDomain reports whether issuers of this type have to be linked with their domains.
func (r *Rules) LinkedDomain(name string) bool { return r.byType[name].LinkedDomain }

// CheckDID reports whether a DID is trusted to issue credentials of a type. The caller has verified that it did.
func (r *Rules) CheckDID(did, name string) error {
	if !r.KnowsDID(did, name) {
		return fmt.Errorf("%w: its DID is in no rule for %s", ErrUntrusted, name)
	}
	return nil
}
