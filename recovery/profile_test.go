package recovery_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"regain/recovery"
)

func profiles() recovery.Profiles {
	everyone, staff, pilot := goodProfile("everyone", 30), goodProfile("staff", 20), goodProfile("pilot", 10)
	staff.Scope = recovery.Scope{Include: []recovery.GroupName{"staff"}, Exclude: []recovery.GroupName{"leavers"}}
	pilot.Scope = recovery.Scope{Include: []recovery.GroupName{"pilot"}}
	pilot.Mode = recovery.ModeEvaluation
	return recovery.Profiles{everyone, pilot, staff}
}

func account(groups ...recovery.GroupName) recovery.Account {
	return recovery.Account{Name: "ada@example.org", Enabled: true, Groups: groups}
}

func TestProfilesMatch(t *testing.T) {
	without := profiles()[1:] // pilot and staff
	disabled := account("staff")
	disabled.Enabled = false
	off := profiles()
	off[1].Enabled = false
	for name, row := range map[string]struct {
		profiles recovery.Profiles
		account  recovery.Account
		want     recovery.ProfileName
		reason   recovery.Reason
	}{
		"first match wins":             {profiles(), account("staff", "pilot"), "pilot", recovery.ReasonNone},
		"second":                       {profiles(), account("staff"), "staff", recovery.ReasonNone},
		"all users come last":          {profiles(), account(), "everyone", recovery.ReasonNone},
		"excluded goes to the next":    {profiles(), account("staff", "leavers"), "everyone", recovery.ReasonNone},
		"excluded and nothing else":    {without, account("staff", "leavers"), "", recovery.ReasonAccountExcluded},
		"no profile":                   {without, account("guests"), "", recovery.ReasonAccountOutOfScope},
		"disabled account":             {profiles(), disabled, "", recovery.ReasonAccountDisabled},
		"excluded everywhere":          {profiles(), account("staff", "executives"), "", recovery.ReasonAccountExcluded},
		"excluded, as others spell it": {profiles(), account("staff", "Leavers"), "everyone", recovery.ReasonNone},
		"so everywhere":                {profiles(), account("staff", "EXECUTIVES"), "", recovery.ReasonAccountExcluded},
		"included as others spell it":  {without, account("Staff"), "", recovery.ReasonAccountOutOfScope},
		"a disabled profile is no one": {off, account("pilot", "staff"), "staff", recovery.ReasonNone},
	} {
		p, reason := row.profiles.Match(row.account, []recovery.GroupName{"executives"})
		if p.Name != row.want || reason != row.reason {
			t.Errorf("%s: got %q %q, want %q %q", name, p.Name, reason, row.want, row.reason)
		}
	}
}

func TestStandInIsTheProfileThatMostMeet(t *testing.T) {
	if p := profiles().DecoyProfile(); p.Name != "everyone" {
		t.Errorf("got %s", p.Name)
	}
	if p := profiles()[1:].DecoyProfile(); p.Name != "pilot" {
		t.Errorf("without a profile for all: %s", p.Name)
	}
}

func TestProfilesValidate(t *testing.T) {
	if err := profiles().Validate(); err != nil {
		t.Fatalf("good profiles: %v", err)
	}
	for says, breakIt := range map[string]func(recovery.Profiles){
		"another profile has this name": func(ps recovery.Profiles) { ps[1].Name = "everyone" },
		"priority 30 is also that of":   func(ps recovery.Profiles) { ps[1].Priority = 30 },
		"name is missing":               func(ps recovery.Profiles) { ps[0].Name = "" },
		"mode \"\"":                     func(ps recovery.Profiles) { ps[0].Mode = "" },
		"groups and all_users are both": func(ps recovery.Profiles) {
			ps[0].Scope = recovery.Scope{All: true, Include: []recovery.GroupName{"pilot"}}
		},
		"covers nobody":                 func(ps recovery.Profiles) { ps[0].Scope = recovery.Scope{} },
		"types is empty":                func(ps recovery.Profiles) { ps[0].Credentials[0].Types = nil },
		"every Verified ID would match": func(ps recovery.Profiles) { ps[0].Credentials[0].Bindings = nil },
		"bindings[1]: attribute":        func(ps recovery.Profiles) { ps[0].Credentials[0].Bindings[1].Attribute = "" },
		"bindings[0].match":             func(ps recovery.Profiles) { ps[0].Credentials[0].Bindings[0].Level = "fuzzy" },
		"face_check.threshold 49":       func(ps recovery.Profiles) { ps[0].FaceCheck.Threshold = 49 },
		"face_check.threshold 101":      func(ps recovery.Profiles) { ps[0].FaceCheck.Threshold = 101 },
		"face_check.max_age":            func(ps recovery.Profiles) { ps[0].FaceCheck.MaxAge = -1 },
		"face_check.source none":        func(ps recovery.Profiles) { ps[0].Mode, ps[0].FaceCheck.NotAsked = recovery.ModeProduction, true },
		"pass.lifetime_minutes 9":       func(ps recovery.Profiles) { ps[0].Pass.Lifetime = 9 * time.Minute },
		"pass.lifetime_minutes 43201":   func(ps recovery.Profiles) { ps[0].Pass.Lifetime = 43_201 * time.Minute },
		"pass.length 7":                 func(ps recovery.Profiles) { ps[0].Pass.Length = 7 },
		"pass.length 49":                func(ps recovery.Profiles) { ps[0].Pass.Length = 49 },
		"lifetime 2h0m0s":               func(ps recovery.Profiles) { ps[0].Lifetime = 2 * time.Hour },
		"can never be seen": func(ps recovery.Profiles) {
			ps[0].CrossDevice = recovery.CrossDevicePolicy{QRLifetime: time.Minute, SameNetwork: true}
			ps[0].Channels = append(ps[0].Channels, recovery.Channel{Wallet: "any", Flow: recovery.FlowCrossDevice, NoRedirectBack: true})
		},
		"no profile is enabled": func(ps recovery.Profiles) {
			for i := range ps {
				ps[i].Enabled = false
			}
		},
	} {
		ps := profiles()
		breakIt(ps)
		if err := ps.Validate(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want it to say %q", err, says)
		}
	}
}

func TestPassPolicyBoundsAreAllowed(t *testing.T) {
	for _, policy := range []recovery.PassPolicy{
		{Lifetime: 10 * time.Minute, Length: 8}, {Lifetime: 43_200 * time.Minute, Length: 48, UsableOnce: true},
	} {
		ps := profiles()
		ps[0].Pass = policy
		if err := ps.Validate(); err != nil {
			t.Errorf("%+v: %v", policy, err)
		}
	}
}

func TestLimits(t *testing.T) {
	if err := recovery.DefaultLimits().Validate(); err != nil {
		t.Fatal(err)
	}
	for says, breakIt := range map[string]func(*recovery.Limit){
		"name":   func(l *recovery.Limit) { l.Name = "" },
		"per":    func(l *recovery.Limit) { l.Per = "planet" },
		"max":    func(l *recovery.Limit) { l.Max = 0 },
		"window": func(l *recovery.Limit) { l.Window = 25 * time.Hour },
	} {
		limits := recovery.DefaultLimits()
		breakIt(&limits[0])
		if err := limits.Validate(); err == nil || !strings.Contains(err.Error(), "limits[0]."+says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	twice := append(recovery.DefaultLimits(), recovery.DefaultLimits()[0])
	if twice.Validate() == nil {
		t.Error("two limits of one name")
	}
}

// Of several credentials that will do, none may be the weak one: each names its types and binds the same attributes by
// rules that exist, wherever in the list it stands.
func TestWeakerAlternatives(t *testing.T) {
	good := func() recovery.CredentialRule { return goodProfile("p", 1).Credentials[0] }
	other := good()
	other.Format, other.Types = "mso_mdoc", []string{"org.iso.18013.5.1.mDL"}
	other.Bindings = []recovery.Binding{ // other claims for the same attributes, in another order, one of them twice
		{Attribute: "family_name", Claim: "family", Level: recovery.MatchRelaxed}, {Attribute: "given_name", Claim: "given", Level: recovery.MatchRelaxed},
		{Attribute: "given_name", Claim: "first", Level: recovery.MatchExact},
	}
	for name, row := range map[string]struct {
		change func(*recovery.CredentialRule)
		says   string
	}{
		"as good":             {func(*recovery.CredentialRule) {}, ""},
		"fewer attributes":    {func(c *recovery.CredentialRule) { c.Bindings = c.Bindings[:1] }, "must bind the same attributes"},
		"another attribute":   {func(c *recovery.CredentialRule) { c.Bindings[0].Attribute = "nickname" }, "must bind the same attributes"},
		"one attribute twice": {func(c *recovery.CredentialRule) { c.Bindings[0].Attribute = "given_name" }, "must bind the same attributes"},
		"no attributes":       {func(c *recovery.CredentialRule) { c.Bindings = nil }, "bindings is empty"},
		"no types":            {func(c *recovery.CredentialRule) { c.Types = nil }, "types is empty"},
		"no format":           {func(c *recovery.CredentialRule) { c.Format = "" }, "types is empty"},
		"no claim":            {func(c *recovery.CredentialRule) { c.Bindings[0].Claim = "" }, "attribute and claim are required"},
		"no level":            {func(c *recovery.CredentialRule) { c.Bindings[0].Level = "" }, "bindings[0].match"},
	} {
		for at := 1; at < 3; at++ {
			ps := recovery.Profiles{goodProfile("p", 1)}
			changed := other
			changed.Bindings = append([]recovery.Binding(nil), other.Bindings...)
			row.change(&changed)
			if at == 1 {
				ps[0].Credentials = []recovery.CredentialRule{good(), changed, good()}
			} else {
				ps[0].Credentials = []recovery.CredentialRule{good(), other, changed}
			}
			err := ps.Validate()
			where := fmt.Sprintf("credentials[%d]", at)
			if row.says == "" && err != nil || row.says != "" && (err == nil || !strings.Contains(err.Error(), row.says) || !strings.Contains(err.Error(), where)) {
				t.Errorf("%s, as %s: %v, want it to say %q", name, where, err, row.says)
			}
		}
	}
}
