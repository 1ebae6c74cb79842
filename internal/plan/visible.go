package plan

import (
	"slices"
	"strings"

	"regain/internal/config"
	"regain/recovery"
)

// lintProfiles warns about profiles that show a stranger which accounts they cover: accounts that do not exist meet the
// decoy profile.
func lintProfiles(c config.Config, add func(string, ...any)) {
	policy, err := newPolicy(c)
	if err != nil {
		return // Read reports it
	}
	decoy := policy.Profiles.DecoyProfile()
	for i, p := range policy.Profiles {
		if differences := visibleDifferences(p, decoy); p.Enabled && len(differences) > 0 {
			add("profiles[%d] (%s): differs in %s from %s, which accounts that do not exist meet: an outsider can tell which accounts %s covers",
				i, p.Name, strings.Join(differences, ", "), decoy.Name, p.Name)
		}
	}
}

// visibleDifferences returns the keys in which two profiles differ for somebody who has a wallet and nothing to do with
// the account: in pages, requests, time, and in the words of a denial. Not among them are the scope, the mode and the
// pass, which show after an approval only, and the attributes of the directory that claims are held against.
func visibleDifferences(a, b recovery.Profile) []string {
	var keys []string
	differ := func(key string, different bool) {
		if different {
			keys = append(keys, key)
		}
	}
	allows := recovery.Profile.Reaches
	differ("wallets", !slices.Equal(a.Channels, b.Channels))
	differ("cross_device.allow", allows(a, recovery.FlowCrossDevice) != allows(b, recovery.FlowCrossDevice))
	differ("cross_device.qr_lifetime", a.CrossDevice.QRLifetime != b.CrossDevice.QRLifetime)
	differ("cross_device.same_network", a.CrossDevice.SameNetwork != b.CrossDevice.SameNetwork)
	differ("proofing", a.Proofing != b.Proofing)
	differ("lifetime", a.Lifetime != b.Lifetime)
	// With one presentation whose score, or age, lies between two limits the denials have different words.
	differ("face_check.source", a.FaceCheck.NotAsked != b.FaceCheck.NotAsked)
	differ("face_check.threshold", a.FaceCheck.Threshold != b.FaceCheck.Threshold)
	differ("face_check.max_age", a.FaceCheck.MaxAge != b.FaceCheck.MaxAge)
	differ("credentials", !slices.EqualFunc(a.Credentials, b.Credentials, looksLike))
	return keys
}

// looksLike reports whether two credentials are asked for in the same words, and compared by as many steps.
func looksLike(a, b recovery.CredentialRule) bool {
	return a.Format == b.Format && slices.Equal(a.Types, b.Types) && slices.EqualFunc(a.Bindings, b.Bindings, func(a, b recovery.Binding) bool {
		return a.Claim == b.Claim && a.Level == b.Level
	})
}
