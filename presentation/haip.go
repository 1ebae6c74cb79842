package presentation

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"regain/presentation/dcql"
	"regain/presentation/identity"
)

// validateHAIP checks the rules of HAIP 1.0 §5 to §5.2 that a profile can break. Its rules about certificates, keys and
// content encryption hold for every profile.
func validateHAIP(p Profile) error {
	if !p.HAIP {
		return nil
	}
	switch {
	case p.Identity.Prefix() != identity.X509HashOf:
		return errors.New("haip: signed requests use x509_hash (HAIP 1.0 §5)")
	case p.ResponseMode != DirectPostJWT:
		return errors.New("haip: answers are encrypted, so response_mode is direct_post.jwt (HAIP 1.0 §5.1, §5.2)")
	case p.ByValue:
		return errors.New("haip: requests are fetched from a request_uri (HAIP 1.0 §5.1)")
	case slices.ContainsFunc(p.Others, func(s Signer) bool { return s.Identity.Prefix() != identity.X509HashOf }):
		return errors.New("haip: every other signer must use x509_hash too (HAIP 1.0 §5)")
	case strings.HasPrefix(p.Endpoint, "openid-vc:"):
		return errors.New("haip: openid-vc:// belongs to wallets of another protocol; use haip-vp:// or openid4vp://")
	}
	return nil
}

// validateHAIPQuery checks that the query uses the two formats of HAIP 1.0 §5.3, and requires holder binding.
func (p Profile) validateHAIPQuery(q dcql.Query) error {
	if !p.HAIP {
		return nil
	}
	for _, c := range q.Credentials {
		if c.Format != dcql.FormatSDJWT && c.Format != dcql.FormatMdoc {
			return fmt.Errorf("haip: the format %s of %s is neither dc+sd-jwt nor mso_mdoc (HAIP 1.0 §5.3)", c.Format, c.ID)
		}
		if !c.NeedsHolderBinding() {
			return fmt.Errorf("haip: %s has to be bound to its holder (HAIP 1.0 §6.1.1.1)", c.ID)
		}
	}
	return nil
}
