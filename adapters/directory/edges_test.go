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

// The bound of a file is held before it is parsed; one that is as large as it may be is read, and refused for what is in it.
func TestTheSizeOfAFileIsBounded(t *testing.T) {
	const bound = 64 << 20
	path := filepath.Join(t.TempDir(), "directory.yaml")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for size, says := range map[int64]string{bound + 1: "larger than 64 MiB", bound: "parse"} {
		if err := os.Truncate(path, size); err != nil { // octets of zero, which are no YAML
			t.Fatal(err)
		}
		if _, err := directory.Open(path); err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%d octets: %v, want %q", size, err, says)
		}
	}
	if _, err := directory.Open(filepath.Dir(path)); err == nil || !strings.Contains(err.Error(), "read directory") {
		t.Errorf("a folder: %v", err)
	}
}

// A file without a line has no accounts, and is no mistake; an account is enabled unless the file says that it is not.
func TestWhatAFileNeedNotSay(t *testing.T) {
	empty, err := directory.Parse(nil)
	if err != nil || empty.Len() != 0 {
		t.Fatalf("an empty file: %v", err)
	}
	d, err := directory.Parse([]byte(`accounts:
  - {name: said, id: "1", enabled: true}
  - {name: not said, groups: [employees]}
  - {name: denied, enabled: false}
`))
	if err != nil {
		t.Fatal(err)
	}
	for name, enabled := range map[recovery.RequestedAccount]bool{"said": true, "not said": true, "denied": false} {
		if a, err := d.Find(t.Context(), name); err != nil || a.Enabled != enabled {
			t.Errorf("%s: enabled %t, %v", name, a.Enabled, err)
		}
	}
	if n := d.WithoutID(); n != 2 {
		t.Errorf("%d accounts without an id of their own", n)
	}
	if groups, err := d.Groups(t.Context()); err != nil || !slices.Equal(groups, []recovery.GroupName{"employees"}) {
		t.Errorf("groups with a member: %q, %v", groups, err)
	}
}

// A file that is read again answers each question as the accounts that it last had.
func TestAFileAnswersAsItsAccounts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "directory.yaml")
	if err := os.WriteFile(path, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := directory.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := f.FindByID(t.Context(), "17"); err != nil || a.Name != "Ada@example.org" {
		t.Errorf("by id: %s, %v", a.Name, err)
	}
	if _, err := f.FindByID(t.Context(), "18"); !errors.Is(err, recovery.ErrNotFound) {
		t.Errorf("by an id that nobody has: %v", err)
	}
	if groups, err := f.Groups(t.Context()); err != nil || len(groups) != 2 {
		t.Errorf("groups %q, %v", groups, err)
	}
	if attributes, err := f.Attributes(t.Context()); err != nil || len(attributes) != 2 {
		t.Errorf("attributes %q, %v", attributes, err)
	}
	if f.WithoutID() != 1 {
		t.Errorf("%d accounts without an id of their own", f.WithoutID())
	}
}
