package recovery

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Mode says whether an approval is for real.
type Mode string

// In evaluation a recovery that would have succeeded says so and issues nothing.
const (
	ModeEvaluation Mode = "evaluation"
	ModeProduction Mode = "production"
)

// Profile says which accounts may recover, with what evidence, and what they get.
type Profile struct {
	Name        ProfileName
	Description string
	Enabled     bool
	Mode        Mode
	Priority    int // the smallest that covers an account wins
	Scope       Scope
	// Credentials are the Verified IDs that count, any one of them, the preferred first.
	Credentials []CredentialRule
	FaceCheck   FaceCheckRule
	Pass        PassPolicy
	// Channels are the kinds of wallet that are asked, and how each is reached, the preferred first.
	Channels    []Channel
	CrossDevice CrossDevicePolicy
	Proofing    string        // name of the proofing provider to offer; "" for none
	Lifetime    time.Duration // of a transaction; 0 for the default of 15 minutes
}

// WalletName names a kind of wallet: one of the wallet profiles of the configuration.
type WalletName string

// Channel is one way to reach a wallet with a presentation request.
type Channel struct {
	Wallet WalletName `json:"wallet"`
	Flow   Flow       `json:"flow"`
	// NoRedirectBack: the wallet does not send the person back to the browser that started, so nothing proves that the
	// holder of the wallet is the person there, and a relayed link works. For wallets that cannot, and operators who know.
	NoRedirectBack bool `json:"no_redirect_back,omitempty"`
}

// Reaches reports whether the profile asks wallets in this flow.
func (p Profile) Reaches(flow Flow) bool {
	return slices.ContainsFunc(p.Channels, func(w Channel) bool { return w.Flow == flow })
}

// CrossDevicePolicy says how a wallet on another device is asked, where a channel allows it: a QR code can be relayed to
// somebody else's wallet, so it lives shortly, and where the two devices are can be compared.
type CrossDevicePolicy struct {
	QRLifetime  time.Duration // how long one code can be scanned, before another takes its place
	SameNetwork bool          // refuse a wallet whose page is opened in another network than the one that started
}

// Bounds of a QR code's life (OAuth cross-device security best practice: short-lived codes).
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

// Scope says which accounts a profile covers. Exclude wins over everything.
type Scope struct {
	All     bool
	Include []GroupName
	Exclude []GroupName
}

// CredentialRule says what the Verified ID must be, and how it is matched against the account. Every binding must hold.
type CredentialRule struct {
	Format   string   // a Credential Format Identifier (OpenID4VP 1.0 Appendix B), opaque here
	Types    []string // that count as a Verified ID: vct values, a doctype, or W3C types, as the format has it
	Bindings []Binding
	Document Document
}

// Document is what stands behind every credential of a rule, as the operator knows the issuer's process: the document that
// was checked before it was issued. The zero value says nothing. It decides nothing; clients may ask for it.
type Document struct {
	Type         string // such as passport or idcard (OpenID Identity Assurance's registry of document types)
	CheckMethod  string // such as vpiruv or vcrypt (its registry of check methods)
	Organization string // who checked
}

// MaxLifetime bounds a transaction: presentation requests and directory answers must not grow old.
const MaxLifetime = time.Hour

// covers reports whether the scope takes the account in, and whether it was excluded.
func (s Scope) covers(a Account) (in, excluded bool) {
	if a.In(s.Exclude) {
		return false, true
	}
	return s.All || a.In(s.Include), false
}

// Profiles are all profiles of a deployment, in any order.
type Profiles []Profile

// Match returns the enabled profile with the smallest priority whose scope covers the account: the first match wins.
// Otherwise it returns the reason why there is none. Groups in exclude are out of every profile.
func (ps Profiles) Match(a Account, exclude []GroupName) (Profile, Reason) {
	if !a.Enabled {
		return Profile{}, ReasonAccountDisabled
	}
	if a.In(exclude) {
		return Profile{}, ReasonAccountExcluded
	}
	reason := ReasonAccountOutOfScope
	for _, p := range ps.inOrder() {
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

// DecoyProfile returns the profile under which an account that no profile covers walks the journey: the one that most
// accounts meet, so that the pages of a stranger's guess look like everybody's.
func (ps Profiles) DecoyProfile() Profile {
	ordered := ps.inOrder()
	for _, p := range ordered {
		if p.Scope.All {
			return p
		}
	}
	return ordered[0] // Validate saw to it that there is one
}

func (ps Profiles) inOrder() []Profile {
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
	if len(ps.inOrder()) == 0 {
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
	case len(p.Credentials) == 0:
		return errors.New("credentials is empty: say which Verified IDs count")
	case len(p.Channels) == 0:
		return errors.New("wallets is empty: name a wallet profile")
	case p.Lifetime < 0 || p.Lifetime > MaxLifetime:
		return fmt.Errorf("lifetime %s: at most %s", p.Lifetime, MaxLifetime)
	}
	problems := []error{p.FaceCheck.validate(), p.Pass.validate()}
	if p.FaceCheck.NotAsked && p.Mode != ModeEvaluation {
		problems = append(problems, errors.New("face_check.source none: for mode evaluation only; without a Face Check whoever holds the phone gets the account"))
	}
	if p.Reaches(FlowCrossDevice) {
		problems = append(problems, p.CrossDevice.validate())
	}
	if p.CrossDevice.SameNetwork && slices.ContainsFunc(p.Channels, func(w Channel) bool { return w.NoRedirectBack && w.Flow == FlowCrossDevice }) {
		problems = append(problems, errors.New("cross_device.same_network: a wallet that does not come back opens no page, so where it is can never be seen and every recovery with it would be denied"))
	}
	for i, c := range p.Credentials {
		if err := c.validate(); err != nil {
			problems = append(problems, fmt.Errorf("credentials[%d]: %w", i, err))
		} else if !slices.Equal(c.attributes(), p.Credentials[0].attributes()) {
			// What a client may be told is verified must not depend on which wallet answered.
			problems = append(problems, fmt.Errorf("credentials[%d].bindings: every alternative must bind the same attributes; the first binds %s", i, p.Credentials[0].attributes()))
		}
	}
	return errors.Join(problems...)
}

// attributes are those that the rule binds, sorted, each once.
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
