package node

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"regain/recovery"
)

// validate reports the mistakes that no part would find itself, each with its key and the cure.
func (c Config) validate() error {
	var problems []error
	mistake := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	issuer, err := url.Parse(c.Issuer)
	switch {
	case c.Issuer == "":
		mistake("issuer: set it to the URL under which clients reach this server, such as https://recover.example.org")
	case err != nil || issuer.Host == "" || issuer.Path != "" || issuer.RawQuery != "" || issuer.Fragment != "":
		mistake("issuer %q: must be scheme and host only, without a path or a slash at the end", c.Issuer)
	case issuer.Scheme != "https" && !loopbackName(issuer.Hostname()):
		mistake("issuer %q: must be https; http is for names under .localhost only", c.Issuer)
	}
	if (c.TLS.CertificateFile == "") != (c.TLS.KeyFile == "") {
		mistake("tls: set both certificate_file and key_file, or neither and let a proxy in front terminate TLS")
	}
	if c.MutualTLS.Listen != "" && c.TLS.CertificateFile == "" {
		mistake("mutual_tls.listen: needs tls.certificate_file; behind a proxy that terminates TLS, set mutual_tls.header instead")
	}
	if c.Directory.File == "" {
		mistake("directory.file: name the YAML file of accounts")
	}
	if c.Audit.File == "" && c.Storage.Backend != "memory" {
		mistake("audit.file: name a file; a node that keeps its transactions must keep its audit log")
	}
	if len(c.Trust) == 0 {
		mistake("trust: is empty, so every Verified ID would be refused; name anchors_file for the types you accept")
	}
	for _, t := range c.untrusted() {
		mistake("trust: no entry covers the type %s, so every one of them would be refused", t)
	}
	if len(c.FaceCheck.ReceiptTypes) == 0 {
		mistake("face_check.receipt_types: name at least one")
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
	return errors.Join(problems...)
}

// untrusted lists the credential types that are asked for and that nobody is trusted to issue.
func (c Config) untrusted() []string {
	trusted := map[string]bool{}
	for _, t := range c.Trust {
		for _, name := range t.Types {
			trusted[name] = true
		}
	}
	var missing []string
	asked := c.FaceCheck.ReceiptTypes
	for _, p := range c.Profiles {
		asked = append(asked[:len(asked):len(asked)], p.Credential.Types...)
	}
	for _, name := range asked {
		if !trusted[name] {
			missing = append(missing, name)
			trusted[name] = true
		}
	}
	return missing
}

// loopbackName reports whether host always means this machine (RFC 6761 §6.3).
func loopbackName(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "127.0.0.1" || host == "::1"
}

// policy puts the configuration into the words of the domain, which validates it.
func (c Config) policy() (recovery.Policy, error) {
	policy := recovery.Policy{Exclude: groups(c.ExcludeGroups)}
	for _, l := range c.Limits {
		policy.Limits = append(policy.Limits, recovery.Limit{Name: l.Name, Per: recovery.LimitPer(l.Per), Max: l.Max, Window: l.Window})
	}
	if len(c.Limits) == 0 {
		policy.Limits = recovery.DefaultLimits()
	}
	for _, p := range c.Profiles {
		policy.Profiles = append(policy.Profiles, p.profile())
	}
	return policy, errors.Join(policy.Profiles.Validate(), policy.Limits.Validate())
}

func (p ProfileConfig) profile() recovery.Profile {
	profile := recovery.Profile{
		Name: recovery.ProfileName(p.Name), Description: p.Description, Enabled: p.Enabled == nil || *p.Enabled,
		Mode: recovery.Mode(or(p.Mode, string(recovery.ModeEvaluation))), Priority: p.Priority,
		Scope:      recovery.Scope{All: p.AllUsers, Include: groups(p.Groups), Exclude: groups(p.Exclude)},
		Credential: recovery.CredentialRule{Types: p.Credential.Types, Document: recovery.Document(p.Credential.Document)},
		FaceCheck:  recovery.FaceCheckRule{Threshold: or(p.FaceCheck.Threshold, recovery.DefaultThreshold), MaxAge: p.FaceCheck.MaxAge},
		Pass: recovery.PassPolicy{
			Lifetime: time.Duration(or(p.Pass.LifetimeMinutes, defaultPassMinutes)) * time.Minute,
			Length:   or(p.Pass.Length, defaultPassLength), UsableOnce: p.Pass.UsableOnce == nil || *p.Pass.UsableOnce,
		},
		CrossDevice: p.CrossDevice, Proofing: p.Proofing, Lifetime: p.Lifetime,
	}
	for _, b := range p.Credential.Bindings {
		profile.Credential.Bindings = append(profile.Credential.Bindings, recovery.Binding{
			Attribute: recovery.AttributeName(b.Attribute), Claim: recovery.ClaimName(b.Claim),
			Level: recovery.MatchLevel(or(b.Match, string(recovery.MatchExact))),
		})
	}
	return profile
}

// Defaults of the pass policy: Entra ID's default lifetime, and sixty bits.
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
