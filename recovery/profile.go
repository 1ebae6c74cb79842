package recovery

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Mode says whether an approval issues a pass.
type Mode string

// The modes. In evaluation an approved recovery shows that it would have succeeded and issues nothing.
const (
	ModeEvaluation Mode = "evaluation"
	ModeProduction Mode = "production"
)

// Profile says which accounts may recover, with what evidence, and which pass they get.
type Profile struct {
	Name        ProfileName
	Description string
	Enabled     bool
	Mode        Mode
	Priority    int // of the profiles that cover an account, the one with the smallest number applies
	Scope       Scope
	// Credentials are the accepted kinds of Verified ID, in order of preference; one is enough.
	Credentials []CredentialRule
	FaceCheck   FaceCheckRule
	Pass        PassPolicy
	// Channels are the ways to reach a wallet, in order of preference.
	Channels    []Channel
	CrossDevice CrossDevicePolicy
	Proofing    string        // name of the proofing provider to offer; "" for none
	Lifetime    time.Duration // of a transaction; 0 for the default of 15 minutes
}

// WalletName names a wallet profile of the configuration.
type WalletName string

// Channel is one way to reach a wallet with a presentation request: a wallet profile and a flow.
type Channel struct {
	Wallet WalletName `json:"wallet"`
	Flow   Flow       `json:"flow"`
	// NoRedirectBack: the wallet does not send the person back to the browser that started. Nothing then proves that
	// the wallet's holder is the person at that browser, and a relayed link succeeds. For wallets that cannot
	// redirect, and operators who accept the risk.
	NoRedirectBack bool `json:"no_redirect_back,omitempty"`
}

// Reaches reports whether one of the profile's channels uses flow.
func (p Profile) Reaches(flow Flow) bool {
	return slices.ContainsFunc(p.Channels, func(w Channel) bool { return w.Flow == flow })
}

// CrossDevicePolicy limits the cross-device flow. An attacker can relay a QR code to a victim's wallet, so a code is
// short-lived, and the networks of the two devices can be compared.
type CrossDevicePolicy struct {
	QRLifetime  time.Duration // how long one code can be scanned before a new one replaces it
	SameNetwork bool          // deny if the wallet's page is opened in another network than that of the browser that started
}

// Bounds of a QR code's lifetime (Cross-Device Flows: Security BCP §6.1.2, short-lived codes).
const (
	MinQRLifetime = 20 * time.Second
	MaxQRLifetime = 2 * time.Minute
)

func (p CrossDevicePolicy) validate() error {
	if p.QRLifetime < MinQRLifetime || p.QRLifetime > MaxQRLifetime {
		return fmt.Errorf("cross_device.qr_lifetime %s: use %s to %s", p.QRLifetime, MinQRLifetime, MaxQRLifetime)
	}
	return nil
}

// Scope says which accounts a profile covers. Exclude wins over everything. Groups are included by exactly their names,
// and excluded in any letter case: a mistake closes.
type Scope struct {
	All     bool
	Include []GroupName
	Exclude []GroupName
}

// CredentialRule describes an accepted Verified ID and how it is matched against the account. Every binding must
// match.
type CredentialRule struct {
	Format   string   // a Credential Format Identifier (OpenID4VP 1.0 Appendix B), opaque here
	Types    []string // accepted types: vct values, a doctype, or W3C types, depending on the format
	Bindings []Binding
	Document Document
}

// Document is the identity document that the issuer checks before it issues a credential of this rule, as far as the
// operator knows the issuer's process. The zero value means unknown. It does not influence the decision; clients may
// request it.
type Document struct {
	Type         string // such as passport or idcard (document type of OpenID Identity Assurance)
	CheckMethod  string // such as vpiruv or vcrypt (its check methods)
	Organization string // that checked the document
}

// MaxLifetime bounds a transaction's lifetime, so that presentation requests and directory results do not become
// stale.
const MaxLifetime = time.Hour

// covers reports whether the scope includes the account, and whether it explicitly excludes it.
func (s Scope) covers(a Account) (in, excluded bool) {
	if a.excludedBy(s.Exclude) {
		return false, true
	}
	return s.All || a.In(s.Include), false
}

// Profiles are all profiles of a deployment, in any order.
type Profiles []Profile

// Match returns the enabled profile with the smallest priority whose scope covers the account, or the reason why
// there is none. Members of a group in exclude are in no profile.
func (ps Profiles) Match(a Account, exclude []GroupName) (Profile, Reason) {
	profile, reason := ps.covering(a) // also for accounts that are in no profile, so that they take as many steps
	switch {
	case !a.Enabled:
		return Profile{}, ReasonAccountDisabled
	case a.excludedBy(exclude):
		return Profile{}, ReasonAccountExcluded
	}
	return profile, reason
}

// covering returns the enabled profile with the smallest priority whose scope covers the account, or the reason why there
// is none.
func (ps Profiles) covering(a Account) (Profile, Reason) {
	reason := ReasonAccountOutOfScope
	for _, p := range ps.enabledByPriority() {
		in, excluded := p.Scope.covers(a)
		if in {
			return p, ReasonNone
		}
		if excluded {
			reason = ReasonAccountExcluded
		}
	}
	return Profile{}, reason
}

// DecoyProfile returns the profile for accounts that no profile covers, including unknown ones. It is the profile
// that most accounts have, so that the pages for a guessed name look like those for an existing account.
func (ps Profiles) DecoyProfile() Profile {
	ordered := ps.enabledByPriority()
	for _, p := range ordered {
		if p.Scope.All {
			return p
		}
	}
	return ordered[0] // Validate ensures that one exists
}

func (ps Profiles) enabledByPriority() []Profile {
	enabled := slices.DeleteFunc(slices.Clone(ps), func(p Profile) bool { return !p.Enabled })
	slices.SortStableFunc(enabled, func(a, b Profile) int { return cmp.Compare(a.Priority, b.Priority) })
	return enabled
}

// Validate reports every mistake, naming the configuration key and the cure.
func (ps Profiles) Validate() error {
	var problems []error
	names, priorities := map[ProfileName]bool{}, map[int]ProfileName{}
	for i, p := range ps {
		key := fmt.Sprintf("profiles[%d] (%s)", i, p.Name)
		if names[p.Name] {
			problems = append(problems, fmt.Errorf("%s: another profile has this name: names must differ", key))
		}
		if other, taken := priorities[p.Priority]; taken && p.Enabled {
			problems = append(problems, fmt.Errorf("%s: priority %d is also that of %s: give each profile its own, the smallest wins", key, p.Priority, other))
		}
		names[p.Name] = true
		if p.Enabled {
			priorities[p.Priority] = p.Name
		}
		if err := p.validate(); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", key, err))
		}
	}
	if len(ps.enabledByPriority()) == 0 {
		problems = append(problems, errors.New("profiles: no profile is enabled: without one nobody can recover anything"))
	}
	return errors.Join(problems...)
}

func (p Profile) validate() error {
	switch {
	case p.Name == "":
		return errors.New("name is missing")
	case p.Mode != ModeEvaluation && p.Mode != ModeProduction:
		return fmt.Errorf("mode %q: use %s or %s", p.Mode, ModeEvaluation, ModeProduction)
	case !p.Scope.All && len(p.Scope.Include) == 0:
		return errors.New("groups is empty and all_users is not set: the profile covers nobody")
	case p.Scope.All && len(p.Scope.Include) > 0:
		return errors.New("groups and all_users are both set: all_users covers everybody, whatever groups says; keep one")
	case len(p.Credentials) == 0:
		return errors.New("credentials is empty: say which Verified IDs count")
	case len(p.Channels) == 0:
		return errors.New("wallets is empty: name a wallet profile")
	case p.Lifetime < 0 || p.Lifetime > MaxLifetime:
		return fmt.Errorf("lifetime %s: at most %s", p.Lifetime, MaxLifetime)
	}
	problems := []error{p.FaceCheck.validate(), p.Pass.validate()}
	if p.FaceCheck.NotAsked && p.Mode != ModeEvaluation {
		problems = append(problems, errors.New("face_check.source none: for mode evaluation only; without a Face Check any person who holds the phone gets the account"))
	}
	if p.Reaches(FlowCrossDevice) {
		problems = append(problems, p.CrossDevice.validate())
	}
	if p.CrossDevice.SameNetwork && slices.ContainsFunc(p.Channels, func(w Channel) bool { return w.NoRedirectBack && w.Flow == FlowCrossDevice }) {
		problems = append(problems, errors.New("cross_device.same_network: a wallet without redirect back opens no page, so its network can never be seen and every recovery with it would be denied"))
	}
	for i, c := range p.Credentials {
		if err := c.validate(); err != nil {
			problems = append(problems, fmt.Errorf("credentials[%d]: %w", i, err))
		} else if !slices.Equal(c.attributes(), p.Credentials[0].attributes()) {
			// The attributes that clients are told are verified must not depend on which wallet answered.
			problems = append(problems, fmt.Errorf("credentials[%d].bindings: every alternative must bind the same attributes; the first binds %s", i, p.Credentials[0].attributes()))
		}
	}
	return errors.Join(problems...)
}

// attributes returns the bound attributes, sorted, without duplicates.
func (c CredentialRule) attributes() []AttributeName {
	names := make([]AttributeName, 0, len(c.Bindings))
	for _, b := range c.Bindings {
		names = append(names, b.Attribute)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (c CredentialRule) validate() error {
	if c.Format == "" || len(c.Types) == 0 {
		return errors.New("types is empty: name the types of the Verified IDs that count")
	}
	if len(c.Bindings) == 0 {
		return errors.New("bindings is empty: without a binding every Verified ID would match every account")
	}
	if d := c.Document; d != (Document{}) && (d.Type == "" || d.CheckMethod == "") {
		return errors.New("document: type and check_method are required, e.g. passport and vpiruv; or leave it out")
	}
	for i, b := range c.Bindings {
		if b.Attribute == "" || b.Claim == "" {
			return fmt.Errorf("bindings[%d]: attribute and claim are required", i)
		}
		if b.Level != MatchExact && b.Level != MatchRelaxed {
			return fmt.Errorf("bindings[%d].match %q: use %s or %s", i, b.Level, MatchExact, MatchRelaxed)
		}
	}
	return nil
}
