package plan_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/internal/config"
)

// Every key of a profile either shows a stranger nothing, or a difference in it is warned of.
func TestWhatStrangersSeeOfAProfile(t *testing.T) {
	yes := true
	visible := map[string]func(p *config.ProfileConfig){
		"Wallets":                     func(p *config.ProfileConfig) { p.Wallets = []string{"other"} },
		"CrossDevice.Allow":           func(p *config.ProfileConfig) { p.CrossDevice.Allow = true },
		"CrossDevice.QRLifetime":      func(p *config.ProfileConfig) { p.CrossDevice.QRLifetime = 40 * time.Second },
		"CrossDevice.SameNetwork":     func(p *config.ProfileConfig) { p.CrossDevice.SameNetwork = true },
		"Proofing":                    func(p *config.ProfileConfig) { p.Proofing = "northlight" },
		"Lifetime":                    func(p *config.ProfileConfig) { p.Lifetime = 10 * time.Minute },
		"FaceCheck.Source":            func(p *config.ProfileConfig) { p.FaceCheck.Source = "none" },
		"FaceCheck.Threshold":         func(p *config.ProfileConfig) { p.FaceCheck.Threshold = 71 },
		"FaceCheck.MaxAge":            func(p *config.ProfileConfig) { p.FaceCheck.MaxAge = time.Minute },
		"Credential.Format":           func(p *config.ProfileConfig) { p.Credential.Format = "mso_mdoc" },
		"Credential.Types":            func(p *config.ProfileConfig) { p.Credential.Types = []string{"urn:other"} },
		"Credential.Bindings":         func(p *config.ProfileConfig) { p.Credential.Bindings = p.Credential.Bindings[:1] },
		"Credential.Bindings[].Claim": func(p *config.ProfileConfig) { p.Credential.Bindings[0].Claim = "first_name" },
		"Credential.Bindings[].Match": func(p *config.ProfileConfig) { p.Credential.Bindings[0].Match = "relaxed" },
		"Credentials": func(p *config.ProfileConfig) {
			p.Credentials, p.Credential = []config.CredentialConfig{p.Credential, p.Credential}, config.CredentialConfig{}
		},
	}
	hidden := map[string]func(p *config.ProfileConfig){
		"Name":                            func(*config.ProfileConfig) {},
		"Priority":                        func(*config.ProfileConfig) {},
		"Description":                     func(p *config.ProfileConfig) { p.Description = "other" },
		"Enabled":                         func(p *config.ProfileConfig) { p.Enabled = &yes },
		"Mode":                            func(p *config.ProfileConfig) { p.Mode = "production" },
		"AllUsers":                        func(p *config.ProfileConfig) { p.AllUsers = true },
		"Groups":                          func(p *config.ProfileConfig) { p.Groups = []string{"other"} },
		"Exclude":                         func(p *config.ProfileConfig) { p.Exclude = []string{"other"} },
		"Pass.LifetimeMinutes":            func(p *config.ProfileConfig) { p.Pass.LifetimeMinutes = 30 },
		"Pass.Length":                     func(p *config.ProfileConfig) { p.Pass.Length = 20 },
		"Pass.UsableOnce":                 func(p *config.ProfileConfig) { p.Pass.UsableOnce = &yes },
		"Credential.Bindings[].Attribute": func(p *config.ProfileConfig) { p.Credential.Bindings[0].Attribute = "other" },
		"Credential.Document": func(p *config.ProfileConfig) {
			p.Credential.Document = config.DocumentConfig{Type: "passport", CheckMethod: "vpiruv"}
		},
	}
	for _, key := range settingsOf(reflect.TypeFor[config.ProfileConfig](), "") {
		if (visible[key] == nil) == (hidden[key] == nil) {
			t.Errorf("%s: say here whether a stranger sees it", key)
		}
	}
	for shows, keys := range map[bool]map[string]func(*config.ProfileConfig){true: visible, false: hidden} {
		for key, change := range keys {
			cfg := valid(t)
			cfg.Wallets = []config.WalletConfig{{}, {Name: "other"}}
			cfg.Proofing = []config.ProofingConfig{{Name: "northlight", StartURL: "https://proofing.example"}}
			other := cfg.Profiles[0]
			other.Name, other.Priority, other.AllUsers, other.Groups = "pilot", 5, false, []string{"pilot"}
			other.Credential.Bindings = slices.Clone(other.Credential.Bindings)
			change(&other)
			cfg.Profiles = append(cfg.Profiles, other)
			all := strings.Join(warnings(t, cfg, time.Now()), "\n")
			if strings.Contains(all, "an outsider can tell which accounts") != shows {
				t.Errorf("%s: warns %q, want a warning: %t", key, all, shows)
			}
		}
	}
}

// settingsOf lists the settings of a structure, with those of the structures in it.
func settingsOf(of reflect.Type, prefix string) (keys []string) {
	for field := range of.Fields() {
		name, kind := prefix+field.Name, field.Type
		switch {
		case kind == reflect.TypeFor[config.DocumentConfig](), kind == reflect.TypeFor[[]config.CredentialConfig]():
			keys = append(keys, name)
		case kind == reflect.TypeFor[[]config.BindingConfig]():
			keys = append(append(keys, name), settingsOf(kind.Elem(), name+"[].")...)
		case kind.Kind() == reflect.Struct:
			keys = append(keys, settingsOf(kind, name+".")...)
		default:
			keys = append(keys, name)
		}
	}
	return keys
}
