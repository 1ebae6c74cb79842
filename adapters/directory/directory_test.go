package directory_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regain/adapters/directory"
	"regain/recovery"
)

const good = `accounts:
  - name: Ada@example.org
    id: "17"
    attributes: {given_name: Ada, family_name: Lindqvist}
    groups: [employees, pilots]
  - name: bob@example.org
    enabled: false
`

func TestFind(t *testing.T) {
	path := filepath.Join(t.TempDir(), "directory.yaml")
	if err := os.WriteFile(path, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := directory.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if d.Len() != 2 {
		t.Errorf("%d accounts", d.Len())
	}
	ada, err := d.Find(t.Context(), "ADA@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if ada.ID != "17" || !ada.Enabled || ada.Attributes["family_name"] != "Lindqvist" || !ada.In([]recovery.GroupName{"pilots"}) {
		t.Errorf("ada is not as the file has her: id %s, enabled %t", ada.ID, ada.Enabled)
	}
	bob, err := d.Find(t.Context(), "bob@example.org")
	if err != nil || bob.Enabled || bob.ID != "bob@example.org" {
		t.Errorf("bob: enabled %t, id %s, %v", bob.Enabled, bob.ID, err)
	}
	if byID, err := d.Find(t.Context(), "17"); err != nil || byID.Name != "Ada@example.org" {
		t.Errorf("by the id: %v", err)
	}
	// Nobody is found by a part of a name, or by anything but name and id.
	for _, name := range []recovery.RequestedAccount{"", "ada", "ada@example.or", "1", "Ada Lindqvist", "ada@example.org\x00"} {
		if _, err := d.Find(t.Context(), name); !errors.Is(err, recovery.ErrNotFound) {
			t.Errorf("find %q: %v", name, err)
		}
	}
}

func TestMistakesAreToldWithTheirPlace(t *testing.T) {
	for name, row := range map[string]struct{ text, says string }{
		"unknown key":           {strings.Replace(good, "enabled", "enable", 1), "enable"},
		"no name":               {strings.Replace(good, "bob@example.org", `" "`, 1), "accounts[1]: name is missing"},
		"same name":             {strings.Replace(good, "bob@", "ADA@", 1), "accounts[1]"},
		"same id":               {strings.Replace(good, "enabled: false", `id: "17"`, 1), `id "17"`},
		"another's id":          {strings.Replace(good, `"17"`, "BOB@example.org", 1), "is the name or id of two"},
		"empty list":            {good + "groups: ['']\n", "groups[0]"},
		"empty group":           {strings.Replace(good, "pilots", `""`, 1), "groups"},
		"enabled by nothing":    {strings.Replace(good, "enabled: false", "enabled:", 1), "accounts[1]: enabled has no value"},
		"enabled by null":       {strings.Replace(good, "enabled: false", "enabled: ~", 1), "accounts[1]: enabled has no value"},
		"enabled by an anchor":  {strings.Replace(good, `id: "17"`, "id: &none", 1), "accounts[0]: id has no value"},
		"enabled by an alias":   {"groups: &none\n" + strings.Replace(good, "enabled: false", "enabled: *none", 1), "accounts[1]: enabled has no value"},
		"enabled by a text":     {strings.Replace(good, "enabled: false", "enabled: 'false'", 1), "accounts[1]: enabled "},
		"an id without a value": {strings.Replace(good, `id: "17"`, "id:", 1), "accounts[0]: id has no value"},
		"no groups after all":   {strings.Replace(good, "groups: [employees, pilots]", "groups:", 1), "accounts[0]: groups has no value"},
		"a group of null":       {strings.Replace(good, "pilots", "~", 1), "accounts[0]: groups holds an empty name"},
		"an attribute of null":  {strings.Replace(good, "family_name: Lindqvist", "family_name: ", 1), "accounts[0]: attributes.family_name has no value"},
		"attributes of nothing": {strings.Replace(good, "attributes: {given_name: Ada, family_name: Lindqvist}", "attributes:", 1), "accounts[0]: attributes has no value"},
		"not yaml":              {"accounts: [", "parse"},
		"another shape":         {"accounts: 17", "parse"},
	} {
		_, err := directory.Parse([]byte(row.text))
		if err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: got %v, want it to say %q", name, err, row.says)
		}
	}
	if _, err := directory.Open(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("accounts: []"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := directory.Parse(text)
		if (d == nil) == (err == nil) {
			t.Error("neither a directory nor an error, or both")
		}
	})
}

// TestAnotherSpellingIsAnotherAccount: two people of one directory whose names a fold would make one.
func TestAnotherSpellingIsAnotherAccount(t *testing.T) {
	d, err := directory.Parse([]byte(`accounts:
  - {name: weiss@example.org, id: K1}
  - {name: weiß@example.org, id: k1}
`))
	if err != nil {
		t.Fatal(err)
	}
	for name, id := range map[recovery.RequestedAccount]recovery.AccountID{
		"weiss@example.org": "K1", "WEISS@example.org": "K1", "weiß@example.org": "k1", "K1": "K1", "k1": "k1",
		"WEIẞ@example.org": "", "ｗeiss@example.org": "", "weiſſ@example.org": "", " weiss@example.org": "", "weiss@example.org ": "",
		"weiss@example.org\u00ad": "", "\u212a1": "", "": "",
	} {
		if found, err := d.Find(t.Context(), name); found.ID != id || (id == "") != errors.Is(err, recovery.ErrNotFound) {
			t.Errorf("%q finds %q, want %q: %v", name, found.ID, id, err)
		}
	}
}

// What a configuration may name: groups with members, groups that are listed, and attributes that an account has.
func TestLists(t *testing.T) {
	d, err := directory.Parse([]byte(good + "groups: [leavers, pilots]\n"))
	if err != nil {
		t.Fatal(err)
	}
	groups, err := d.Groups(t.Context())
	if err != nil || !slices.Contains(groups, "leavers") || !slices.Contains(groups, "pilots") || !slices.IsSorted(groups) || len(slices.Compact(groups)) != len(groups) {
		t.Errorf("groups %q, %v", groups, err)
	}
	attributes, err := d.Attributes(t.Context())
	if err != nil || !slices.Contains(attributes, "given_name") || slices.Contains(attributes, "name") {
		t.Errorf("attributes %q, %v", attributes, err)
	}
	var _ recovery.DirectoryLister = d
}

// Find and FindByID agree, and an id is never a name in another letter case.
func TestFindByID(t *testing.T) {
	d, err := directory.Parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[recovery.AccountID]recovery.AccountName{"17": "Ada@example.org", "bob@example.org": "bob@example.org", "Ada@example.org": "", "BOB@example.org": "", "": ""} {
		found, err := d.FindByID(t.Context(), id)
		if found.Name != want || (want == "") != errors.Is(err, recovery.ErrNotFound) {
			t.Errorf("%q finds %q: %v", id, found.Name, err)
		}
	}
}
