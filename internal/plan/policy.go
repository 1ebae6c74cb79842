package plan

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"regain/internal/config"
	"regain/recovery"
	"regain/verifier"
)

// newPolicy converts the configuration to the domain's Policy and validates it.
func newPolicy(c config.Config) (recovery.Policy, error) {
	policy := recovery.Policy{Exclude: groups(c.ExcludeGroups)}
	for _, l := range c.Limits {
		policy.Limits = append(policy.Limits, recovery.Limit{Name: l.Name, Per: recovery.LimitPer(l.Per), Max: l.Max, Window: l.Window})
	}
	if len(c.Limits) == 0 {
		policy.Limits = recovery.DefaultLimits()
	}
	var problems []error
	for i, p := range c.Profiles {
		profile := newProfile(p)
		var err error
		if profile.Channels, err = channelsOf(c, p); err != nil {
			problems = append(problems, fmt.Errorf("profiles[%d] (%s): %w", i, p.Name, err))
		}
		if source := cmp.Or(p.FaceCheck.Source, faceCheckReceipt); source != faceCheckReceipt && source != faceCheckNone {
			problems = append(problems, fmt.Errorf("profiles[%d] (%s): face_check.source %q: use receipt, or none in evaluation", i, p.Name, source))
		}
		policy.Profiles = append(policy.Profiles, profile)
	}
	return policy, errors.Join(errors.Join(problems...), policy.Profiles.Validate(), policy.Limits.Validate())
}

func newProfile(p config.ProfileConfig) recovery.Profile {
	profile := recovery.Profile{
		Name: recovery.ProfileName(p.Name), Description: p.Description, Enabled: p.Enabled == nil || *p.Enabled,
		Mode: recovery.Mode(cmp.Or(p.Mode, string(recovery.ModeEvaluation))), Priority: p.Priority,
		Scope: recovery.Scope{All: p.AllUsers, Include: groups(p.Groups), Exclude: groups(p.Exclude)},
		FaceCheck: recovery.FaceCheckRule{
			Threshold: cmp.Or(p.FaceCheck.Threshold, recovery.DefaultThreshold), MaxAge: p.FaceCheck.MaxAge, NotAsked: p.FaceCheck.Source == faceCheckNone,
		},
		Pass: recovery.PassPolicy{
			Lifetime: time.Duration(cmp.Or(p.Pass.LifetimeMinutes, defaultPassMinutes)) * time.Minute,
			Length:   cmp.Or(p.Pass.Length, defaultPassLength), UsableOnce: p.Pass.UsableOnce == nil || *p.Pass.UsableOnce,
		},
		CrossDevice: recovery.CrossDevicePolicy{QRLifetime: cmp.Or(p.CrossDevice.QRLifetime, defaultQRLifetime), SameNetwork: p.CrossDevice.SameNetwork},
		Proofing:    p.Proofing, Lifetime: p.Lifetime,
	}
	for _, c := range credentialsOf(p) {
		profile.Credentials = append(profile.Credentials, credentialRule(c))
	}
	return profile
}

// credentialsOf returns a profile's accepted credentials, from the key credentials or from credential.
func credentialsOf(p config.ProfileConfig) []config.CredentialConfig {
	if len(p.Credentials) > 0 {
		return p.Credentials
	}
	return []config.CredentialConfig{p.Credential}
}

func credentialRule(c config.CredentialConfig) recovery.CredentialRule {
	rule := recovery.CredentialRule{Format: cmp.Or(c.Format, verifier.FormatSDJWT), Types: c.Types, Document: recovery.Document(c.Document)}
	for _, b := range c.Bindings {
		rule.Bindings = append(rule.Bindings, recovery.Binding{
			Attribute: recovery.AttributeName(b.Attribute), Claim: recovery.ClaimName(b.Claim),
			Level: recovery.MatchLevel(cmp.Or(b.Match, string(recovery.MatchExact))),
		})
	}
	return rule
}

const (
	faceCheckReceipt = string(recovery.FaceCheckReceipt)
	faceCheckNone    = "none"
)

// defaultQRLifetime is long enough to take out a phone, and short enough that a picture of the code soon becomes
// useless.
const defaultQRLifetime = time.Minute

// Defaults of the pass policy: the default lifetime of Entra ID's Temporary Access Pass (one hour), and 60 bits of
// entropy.
const (
	defaultPassMinutes = 60
	defaultPassLength  = 12
)

func groups(names []string) []recovery.GroupName {
	var found []recovery.GroupName
	for _, name := range names {
		found = append(found, recovery.GroupName(name))
	}
	return found
}
