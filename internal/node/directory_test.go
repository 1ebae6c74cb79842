package node_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/internal/node"
)

// inhabited is a valid configuration in production whose directory has two accounts.
func inhabited(t *testing.T) node.Config {
	t.Helper()
	cfg := valid(t)
	cfg.Directory.File = filepath.Join(t.TempDir(), "directory.yaml")
	const text = `accounts:
  - {name: ada@example.org, groups: [staff, Führung], attributes: {given_name: Ada, family_name: Lovelace}}
  - {name: tom@example.org, groups: [Executives]}
groups: [leavers]
`
	if err := os.WriteFile(cfg.Directory.File, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Profiles[0].Mode = "production"
	cfg.ExcludeGroups = []string{"Executives"}
	return cfg
}

// An exclusion that excludes nobody is a mistake that opens: it stops the start wherever somebody gets a pass, and is
// warned of elsewhere.
func TestExclusionsOfNobody(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*node.Config)
		stops  string // what the start says, "" if it goes on
		warns  string // what check warns of
	}{
		"as the directory has it":       {func(*node.Config) {}, "", ""},
		"in another letter case":        {func(c *node.Config) { c.ExcludeGroups = []string{"executives", "STAFF", "FÜHRUNG"} }, "", ""},
		"a group without members":       {func(c *node.Config) { c.ExcludeGroups = []string{"leavers"} }, "", ""},
		"a letter less":                 {func(c *node.Config) { c.ExcludeGroups = []string{"Executives", "executves"} }, `exclude_groups "executves": the directory has no such name, so nobody is excluded`, ""},
		"a space more":                  {func(c *node.Config) { c.ExcludeGroups = []string{"executives "} }, `"Executives" differs in letter case`, ""},
		"an account's name":             {func(c *node.Config) { c.ExcludeGroups = []string{"tom@example.org"} }, "exclude_groups", ""},
		"no name":                       {func(c *node.Config) { c.ExcludeGroups = []string{""} }, `exclude_groups ""`, ""},
		"of one profile":                {func(c *node.Config) { c.Profiles[0].Exclude = []string{"staf"} }, `profiles[0] (development).exclude_groups "staf"`, ""},
		"in evaluation":                 {func(c *node.Config) { c.Profiles[0].Mode, c.ExcludeGroups = "evaluation", []string{"executves"} }, "", `exclude_groups "executves": the directory has no such name, so nobody is excluded by it; in production it stops the start`},
		"of one profile, in evaluation": {func(c *node.Config) { c.Profiles[0].Mode, c.Profiles[0].Exclude = "evaluation", []string{"staf"} }, "", `profiles[0] (development).exclude_groups "staf"`},
		"of a profile that is off": {func(c *node.Config) {
			off, other := false, c.Profiles[0]
			other.Name, other.Priority, other.Enabled, other.Exclude, other.Lifetime = "off", 9, &off, []string{"staf"}, 7*time.Minute
			c.Profiles = append(c.Profiles, other)
		}, "", `profiles[1] (off).exclude_groups "staf"`},
		"several": {func(c *node.Config) { c.ExcludeGroups, c.Profiles[0].Exclude = []string{"a", "b"}, []string{"d"} }, `exclude_groups "b"`, ""},
	} {
		cfg := inhabited(t)
		row.change(&cfg)
		err := node.Check(cfg)
		if row.stops == "" && err != nil || row.stops != "" && (err == nil || !strings.Contains(err.Error(), row.stops)) {
			t.Errorf("%s: %v, want it to say %q", name, err, row.stops)
		}
		all := strings.Join(cfg.Warnings(time.Now()), "\n")
		if strings.Contains(all, "an outsider can tell") {
			t.Errorf("%s: a profile that is off is held against the strangers': %q", name, all)
		}
		if row.warns != "" && !strings.Contains(all, row.warns) || row.warns == "" && strings.Contains(all, "exclude") {
			t.Errorf("%s: warns %q, want %q", name, all, row.warns)
		}
	}
}

// Whatever else the directory does not know closes, and is told.
func TestNamesThatTheDirectoryDoesNotKnow(t *testing.T) {
	for says, change := range map[string]func(*node.Config){
		`profiles[0] (development).groups "staf": the directory has no such name, so the profile covers nobody by it`: func(c *node.Config) { c.Profiles[0].Groups = []string{"staff", "staf"} },
		`profiles[0] (development).groups "Staff": the directory has no such name; "staff" differs in letter case`:    func(c *node.Config) { c.Profiles[0].Groups = []string{"Staff"} },
		`binding of attribute "birthdate": the directory has no such name, so every recovery under this profile`: func(c *node.Config) {
			c.Profiles[0].Credential.Bindings = append(c.Profiles[0].Credential.Bindings, node.BindingConfig{Attribute: "birthdate", Claim: "birthdate"})
		},
		`clients[0] (broker).claims: employee of attribute "employee_number": the directory has no such name, so the claim is never there`: func(c *node.Config) {
			c.Clients = []node.ClientConfig{{ID: "broker", Claims: []node.ClaimConfig{{Name: "employee", Attribute: "employee_number"}, {Name: "first", Attribute: "given_name"}}}}
		},
	} {
		cfg := inhabited(t)
		if all := strings.Join(cfg.Warnings(time.Now()), "\n"); strings.Contains(all, "no such name") {
			t.Fatalf("a good configuration is warned of: %s", all)
		}
		change(&cfg)
		all := strings.Join(cfg.Warnings(time.Now()), "\n")
		if !strings.Contains(all, says) || strings.Count(all, "no such name") != 1 {
			t.Errorf("warns %q, want it to say %q, once", all, says)
		}
	}
}

// A client that goes by ids is told of accounts that have none.
func TestAccountsWithoutIDs(t *testing.T) {
	cfg := inhabited(t)
	warned := func() bool {
		return strings.Contains(strings.Join(cfg.Warnings(time.Now()), "\n"), "clients[0] (broker).subject id: 2 accounts of the directory have no id")
	}
	cfg.Clients = []node.ClientConfig{{ID: "broker", Subject: "name"}}
	if warned() {
		t.Error("a client that goes by names is warned of")
	}
	if cfg.Clients[0].Subject = "id"; !warned() {
		t.Errorf("no warning: %q", cfg.Warnings(time.Now()))
	}
	if err := os.WriteFile(cfg.Directory.File, []byte("accounts: [{name: ada@example.org, id: A1}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(strings.Join(cfg.Warnings(time.Now()), "\n"), "subject id") {
		t.Errorf("accounts with ids are warned of: %q", cfg.Warnings(time.Now()))
	}
}

// Every key of a profile either shows a stranger nothing, or a difference in it is warned of.
func TestWhatStrangersSeeOfAProfile(t *testing.T) {
	yes := true
	visible := map[string]func(p *node.ProfileConfig){
		"Wallets":                     func(p *node.ProfileConfig) { p.Wallets = []string{"other"} },
		"CrossDevice.Allow":           func(p *node.ProfileConfig) { p.CrossDevice.Allow = true },
		"CrossDevice.QRLifetime":      func(p *node.ProfileConfig) { p.CrossDevice.QRLifetime = 40 * time.Second },
		"CrossDevice.SameNetwork":     func(p *node.ProfileConfig) { p.CrossDevice.SameNetwork = true },
		"Proofing":                    func(p *node.ProfileConfig) { p.Proofing = "northlight" },
		"Lifetime":                    func(p *node.ProfileConfig) { p.Lifetime = 10 * time.Minute },
		"FaceCheck.Source":            func(p *node.ProfileConfig) { p.FaceCheck.Source = "none" },
		"FaceCheck.Threshold":         func(p *node.ProfileConfig) { p.FaceCheck.Threshold = 71 },
		"FaceCheck.MaxAge":            func(p *node.ProfileConfig) { p.FaceCheck.MaxAge = time.Minute },
		"Credential.Format":           func(p *node.ProfileConfig) { p.Credential.Format = "mso_mdoc" },
		"Credential.Types":            func(p *node.ProfileConfig) { p.Credential.Types = []string{"urn:other"} },
		"Credential.Bindings":         func(p *node.ProfileConfig) { p.Credential.Bindings = p.Credential.Bindings[:1] },
		"Credential.Bindings[].Claim": func(p *node.ProfileConfig) { p.Credential.Bindings[0].Claim = "first_name" },
		"Credential.Bindings[].Match": func(p *node.ProfileConfig) { p.Credential.Bindings[0].Match = "relaxed" },
		"Credentials": func(p *node.ProfileConfig) {
			p.Credentials, p.Credential = []node.CredentialConfig{p.Credential, p.Credential}, node.CredentialConfig{}
		},
	}
	hidden := map[string]func(p *node.ProfileConfig){
		"Name":                            func(*node.ProfileConfig) {},
		"Priority":                        func(*node.ProfileConfig) {},
		"Description":                     func(p *node.ProfileConfig) { p.Description = "other" },
		"Enabled":                         func(p *node.ProfileConfig) { p.Enabled = &yes },
		"Mode":                            func(p *node.ProfileConfig) { p.Mode = "production" },
		"AllUsers":                        func(p *node.ProfileConfig) { p.AllUsers = true },
		"Groups":                          func(p *node.ProfileConfig) { p.Groups = []string{"other"} },
		"Exclude":                         func(p *node.ProfileConfig) { p.Exclude = []string{"other"} },
		"Pass.LifetimeMinutes":            func(p *node.ProfileConfig) { p.Pass.LifetimeMinutes = 30 },
		"Pass.Length":                     func(p *node.ProfileConfig) { p.Pass.Length = 20 },
		"Pass.UsableOnce":                 func(p *node.ProfileConfig) { p.Pass.UsableOnce = &yes },
		"Credential.Bindings[].Attribute": func(p *node.ProfileConfig) { p.Credential.Bindings[0].Attribute = "other" },
		"Credential.Document": func(p *node.ProfileConfig) {
			p.Credential.Document = node.DocumentConfig{Type: "passport", CheckMethod: "vpiruv"}
		},
	}
	for _, key := range settingsOf(reflect.TypeFor[node.ProfileConfig](), "") {
		if (visible[key] == nil) == (hidden[key] == nil) {
			t.Errorf("%s: say here whether a stranger sees it", key)
		}
	}
	for shows, keys := range map[bool]map[string]func(*node.ProfileConfig){true: visible, false: hidden} {
		for key, change := range keys {
			cfg := valid(t)
			cfg.Wallets = []node.WalletConfig{{}, {Name: "other"}}
			cfg.Proofing = []node.ProofingConfig{{Name: "northlight", StartURL: "https://proofing.example"}}
			other := cfg.Profiles[0]
			other.Name, other.Priority, other.AllUsers, other.Groups = "pilot", 5, false, []string{"pilot"}
			other.Credential.Bindings = slices.Clone(other.Credential.Bindings)
			change(&other)
			cfg.Profiles = append(cfg.Profiles, other)
			all := strings.Join(cfg.Warnings(time.Now()), "\n")
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
		case kind == reflect.TypeFor[node.DocumentConfig](), kind == reflect.TypeFor[[]node.CredentialConfig]():
			keys = append(keys, name)
		case kind == reflect.TypeFor[[]node.BindingConfig]():
			keys = append(append(keys, name), settingsOf(kind.Elem(), name+"[].")...)
		case kind.Kind() == reflect.Struct:
			keys = append(keys, settingsOf(kind, name+".")...)
		default:
			keys = append(keys, name)
		}
	}
	return keys
}
