package plan_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regain/internal/config"
)

// inhabited is a valid configuration in production whose directory has two accounts.
func inhabited(t *testing.T) config.Config {
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
		change func(*config.Config)
		stops  string // what the start says, "" if it goes on
		warns  string // what check warns of
	}{
		"as the directory has it":       {func(*config.Config) {}, "", ""},
		"in another letter case":        {func(c *config.Config) { c.ExcludeGroups = []string{"executives", "STAFF", "FÜHRUNG"} }, "", ""},
		"a group without members":       {func(c *config.Config) { c.ExcludeGroups = []string{"leavers"} }, "", ""},
		"a letter less":                 {func(c *config.Config) { c.ExcludeGroups = []string{"Executives", "executves"} }, `exclude_groups "executves": the directory has no such name, so nobody is excluded`, ""},
		"a space more":                  {func(c *config.Config) { c.ExcludeGroups = []string{"executives "} }, `"Executives" differs in letter case`, ""},
		"an account's name":             {func(c *config.Config) { c.ExcludeGroups = []string{"tom@example.org"} }, "exclude_groups", ""},
		"no name":                       {func(c *config.Config) { c.ExcludeGroups = []string{""} }, `exclude_groups ""`, ""},
		"of one profile":                {func(c *config.Config) { c.Profiles[0].Exclude = []string{"staf"} }, `profiles[0] (development).exclude_groups "staf"`, ""},
		"in evaluation":                 {func(c *config.Config) { c.Profiles[0].Mode, c.ExcludeGroups = "evaluation", []string{"executves"} }, "", `exclude_groups "executves": the directory has no such name, so nobody is excluded by it; in production it stops the start`},
		"of one profile, in evaluation": {func(c *config.Config) { c.Profiles[0].Mode, c.Profiles[0].Exclude = "evaluation", []string{"staf"} }, "", `profiles[0] (development).exclude_groups "staf"`},
		"of a profile that is off": {func(c *config.Config) {
			off, other := false, c.Profiles[0]
			other.Name, other.Priority, other.Enabled, other.Exclude, other.Lifetime = "off", 9, &off, []string{"staf"}, 7*time.Minute
			c.Profiles = append(c.Profiles, other)
		}, "", `profiles[1] (off).exclude_groups "staf"`},
		"several": {func(c *config.Config) { c.ExcludeGroups, c.Profiles[0].Exclude = []string{"a", "b"}, []string{"d"} }, `exclude_groups "b"`, ""},
	} {
		cfg := inhabited(t)
		row.change(&cfg)
		err := start(t, cfg)
		if row.stops == "" && err != nil || row.stops != "" && (err == nil || !strings.Contains(err.Error(), row.stops)) {
			t.Errorf("%s: %v, want it to say %q", name, err, row.stops)
		}
		all := strings.Join(warnings(t, cfg, time.Now()), "\n")
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
	for says, change := range map[string]func(*config.Config){
		`profiles[0] (development).groups "staf": the directory has no such name, so the profile covers nobody by it`: func(c *config.Config) {
			c.Profiles[0].AllUsers, c.Profiles[0].Groups = false, []string{"staff", "staf"}
		},
		`profiles[0] (development).groups "Staff": the directory has no such name; "staff" differs in letter case`: func(c *config.Config) { c.Profiles[0].AllUsers, c.Profiles[0].Groups = false, []string{"Staff"} },
		`binding of attribute "birthdate": the directory has no such name, so every recovery under this profile`: func(c *config.Config) {
			c.Profiles[0].Credential.Bindings = append(c.Profiles[0].Credential.Bindings, config.BindingConfig{Attribute: "birthdate", Claim: "birthdate"})
		},
		`clients[0] (broker).claims: employee of attribute "employee_number": the directory has no such name, so the claim is never there`: func(c *config.Config) {
			c.Clients = []config.ClientConfig{{ID: "broker", Claims: []config.ClaimConfig{{Name: "employee", Attribute: "employee_number"}, {Name: "first", Attribute: "given_name"}}}}
		},
	} {
		cfg := inhabited(t)
		if all := strings.Join(warnings(t, cfg, time.Now()), "\n"); strings.Contains(all, "no such name") {
			t.Fatalf("a good configuration is warned of: %s", all)
		}
		change(&cfg)
		all := strings.Join(warnings(t, cfg, time.Now()), "\n")
		if !strings.Contains(all, says) || strings.Count(all, "no such name") != 1 {
			t.Errorf("warns %q, want it to say %q, once", all, says)
		}
	}
}

// A client that goes by ids is told of accounts that have none.
func TestAccountsWithoutIDs(t *testing.T) {
	cfg := inhabited(t)
	warned := func() bool {
		return strings.Contains(strings.Join(warnings(t, cfg, time.Now()), "\n"), "clients[0] (broker).subject id: 2 accounts of the directory have no id")
	}
	cfg.Clients = []config.ClientConfig{{ID: "broker", Subject: "name"}}
	if warned() {
		t.Error("a client that goes by names is warned of")
	}
	if cfg.Clients[0].Subject = "id"; !warned() {
		t.Errorf("no warning: %q", warnings(t, cfg, time.Now()))
	}
	if err := os.WriteFile(cfg.Directory.File, []byte("accounts: [{name: ada@example.org, id: A1}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(strings.Join(warnings(t, cfg, time.Now()), "\n"), "subject id") {
		t.Errorf("accounts with ids are warned of: %q", warnings(t, cfg, time.Now()))
	}
}
