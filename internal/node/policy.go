package node

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"regain/internal/config"
	"regain/presentation"
	"regain/provider/evidence"
	"regain/recovery"
	"regain/verifier"
)

// validate reports the mistakes that no other package detects, each with its key and the cure.
func (c Config) validate() error {
	var problems []error
	mistake := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	issuer, err := url.Parse(c.Issuer)
	switch {
	case c.Issuer == "":
		mistake("issuer: set it to the URL under which clients reach this server, such as https://recover.example.org")
	case err != nil || issuer.Host == "" || issuer.User != nil || strings.ContainsAny(c.Issuer, "?#"):
		mistake("issuer %q: must be scheme and host, or these and a path", c.Issuer)
	case !plainPath(issuer.EscapedPath()):
		mistake("issuer %q: the path must be segments of letters, digits, - and _, without a slash at the end", c.Issuer)
	case issuer.Scheme != "https" && !loopbackName(issuer.Hostname()):
		mistake("issuer %q: must be https; http is for names under .localhost only", c.Issuer)
	}
	c.validateListeners(mistake)
	if c.Directory.ofFile() && c.Directory.File == "" {
		mistake("directory.file: name the YAML file of accounts")
	}
	c.validateKeeping(issuer, mistake)
	c.validateTrust(mistake)
	if c.RequestLife <= 0 || c.RequestLife > presentation.MaxLifetime {
		mistake("request_lifetime %s: at most %s, and more than nothing", c.RequestLife, presentation.MaxLifetime)
	}
	c.validateMutualTLS(mistake)
	c.validateMetadata(mistake)
	c.validateProxies(mistake)
	c.validateProfiles(mistake)
	return errors.Join(problems...)
}

func (c Config) validateTrust(mistake func(format string, args ...any)) {
	if len(c.Trust) == 0 {
		mistake("trust: is empty, so every Verified ID would be refused; name anchors_file for the types you accept")
	}
	for _, t := range c.untrusted() {
		mistake("trust: no entry covers the type %s, so every one of them would be refused", t)
	}
	if len(c.FaceCheck.ReceiptTypes) == 0 {
		mistake("face_check.receipt_types: name at least one")
	}
}

// validateListeners checks how the node is reached.
func (c Config) validateListeners(mistake func(format string, args ...any)) {
	if err := config.CheckAddress(c.Listen); err != nil {
		mistake("listen: %w", err)
	}
	if c.MutualTLS.Listen != "" {
		if err := config.CheckAddress(c.MutualTLS.Listen); err != nil {
			mistake("mutual_tls.listen: %w", err)
		}
	}
	if (c.TLS.CertificateFile == "") != (c.TLS.KeyFile == "") {
		mistake("tls: set both certificate_file and key_file, or neither and let a proxy in front terminate TLS")
	}
	if err := c.Connections.validate(); err != nil {
		mistake("%w", err)
	}
	if c.MutualTLS.Listen != "" && c.TLS.CertificateFile == "" {
		mistake("mutual_tls.listen: needs tls.certificate_file; behind a proxy that terminates TLS, set mutual_tls.header instead")
	}
}

func (c Config) validateProfiles(mistake func(format string, args ...any)) {
	for i, p := range c.Profiles {
		if len(p.Credentials) > 0 && (len(p.Credential.Types) > 0 || len(p.Credential.Bindings) > 0) {
			mistake("profiles[%d] (%s): set either credential or credentials", i, p.Name)
		}
		if p.CrossDevice.Allow && p.CrossDevice.SameNetwork && c.behindUnknownProxy() {
			mistake("profiles[%d] (%s).cross_device.same_network: every device seems to be in the network of the proxy that terminates TLS: name it in trusted_proxies", i, p.Name)
		}
	}
	names := map[string]bool{"": true}
	for i, p := range c.Proofing {
		if names[p.Name] {
			mistake("proofing[%d].name %q: each provider needs a name of its own", i, p.Name)
		}
		names[p.Name] = true
	}
	for i, p := range c.Profiles {
		if !names[p.Proofing] {
			mistake("profiles[%d].proofing %q: there is no provider of this name under proofing", i, p.Proofing)
		}
	}
}

// behindUnknownProxy reports whether a proxy terminates TLS that trusted_proxies does not name. Its X-Forwarded-For
// header is then ignored, and all requests seem to come from its network.
func (c Config) behindUnknownProxy() bool {
	return strings.HasPrefix(c.Issuer, "https:") && c.TLS.CertificateFile == "" && len(c.TrustedProxies) == 0
}

// untrusted returns the credential types that are requested but that no trust entry covers.
func (c Config) untrusted() []string {
	trusted := map[string]bool{}
	for _, t := range c.Trust {
		for _, name := range t.Types {
			trusted[name] = true
		}
	}
	receipts := evidence.New(c.FaceCheck.ReceiptTypes, c.FaceCheck.ReceiptVCTypes)
	var missing, asked []string
	for _, p := range c.Profiles {
		for _, credential := range p.credentials() {
			asked = append(asked, trustedTypes(verifier.Wanted{Format: credential.Format, Types: credential.Types})...)
			if p.FaceCheck.Source != faceCheckNone {
				asked = append(asked, trustedTypes(receipts.ReceiptFor(credential.Format))...)
			}
		}
	}
	for _, name := range asked {
		if !trusted[name] {
			missing = append(missing, name)
			trusted[name] = true
		}
	}
	return missing
}

// trustedTypes returns the types under which rules of trust name them: for a set of W3C types, the last one.
func trustedTypes(w verifier.Wanted) (last []string) {
	if w.Format != verifier.FormatJWTVC {
		return w.Types
	}
	for _, set := range w.Types {
		if types := strings.Fields(set); len(types) > 0 {
			last = append(last, types[len(types)-1])
		}
	}
	return last
}

// loopbackName reports whether host always means this machine (RFC 6761 §6.3).
func loopbackName(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "127.0.0.1" || host == "::1"
}

// policy converts the configuration to the domain's Policy and validates it.
func (c Config) policy() (recovery.Policy, error) {
	policy := recovery.Policy{Exclude: groups(c.ExcludeGroups)}
	for _, l := range c.Limits {
		policy.Limits = append(policy.Limits, recovery.Limit{Name: l.Name, Per: recovery.LimitPer(l.Per), Max: l.Max, Window: l.Window})
	}
	if len(c.Limits) == 0 {
		policy.Limits = recovery.DefaultLimits()
	}
	var problems []error
	for i, p := range c.Profiles {
		profile := p.profile()
		var err error
		if profile.Channels, err = c.channels(p); err != nil {
			problems = append(problems, fmt.Errorf("profiles[%d] (%s): %w", i, p.Name, err))
		}
		if source := or(p.FaceCheck.Source, faceCheckReceipt); source != faceCheckReceipt && source != faceCheckNone {
			problems = append(problems, fmt.Errorf("profiles[%d] (%s): face_check.source %q: use receipt, or none in evaluation", i, p.Name, source))
		}
		policy.Profiles = append(policy.Profiles, profile)
	}
	return policy, errors.Join(errors.Join(problems...), policy.Profiles.Validate(), policy.Limits.Validate())
}

func (p ProfileConfig) profile() recovery.Profile {
	profile := recovery.Profile{
		Name: recovery.ProfileName(p.Name), Description: p.Description, Enabled: p.Enabled == nil || *p.Enabled,
		Mode: recovery.Mode(or(p.Mode, string(recovery.ModeEvaluation))), Priority: p.Priority,
		Scope: recovery.Scope{All: p.AllUsers, Include: groups(p.Groups), Exclude: groups(p.Exclude)},
		FaceCheck: recovery.FaceCheckRule{
			Threshold: or(p.FaceCheck.Threshold, recovery.DefaultThreshold), MaxAge: p.FaceCheck.MaxAge, NotAsked: p.FaceCheck.Source == faceCheckNone,
		},
		Pass: recovery.PassPolicy{
			Lifetime: time.Duration(or(p.Pass.LifetimeMinutes, defaultPassMinutes)) * time.Minute,
			Length:   or(p.Pass.Length, defaultPassLength), UsableOnce: p.Pass.UsableOnce == nil || *p.Pass.UsableOnce,
		},
		CrossDevice: recovery.CrossDevicePolicy{QRLifetime: or(p.CrossDevice.QRLifetime, defaultQRLifetime), SameNetwork: p.CrossDevice.SameNetwork},
		Proofing:    p.Proofing, Lifetime: p.Lifetime,
	}
	for _, c := range p.credentials() {
		profile.Credentials = append(profile.Credentials, c.rule())
	}
	return profile
}

// credentials returns a profile's accepted credentials, from the key credentials or from credential.
func (p ProfileConfig) credentials() []CredentialConfig {
	if len(p.Credentials) > 0 {
		return p.Credentials
	}
	return []CredentialConfig{p.Credential}
}

func (c CredentialConfig) rule() recovery.CredentialRule {
	rule := recovery.CredentialRule{Format: or(c.Format, verifier.FormatSDJWT), Types: c.Types, Document: recovery.Document(c.Document)}
	for _, b := range c.Bindings {
		rule.Bindings = append(rule.Bindings, recovery.Binding{
			Attribute: recovery.AttributeName(b.Attribute), Claim: recovery.ClaimName(b.Claim),
			Level: recovery.MatchLevel(or(b.Match, string(recovery.MatchExact))),
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

func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

func groups(names []string) []recovery.GroupName {
	var found []recovery.GroupName
	for _, name := range names {
		found = append(found, recovery.GroupName(name))
	}
	return found
}
