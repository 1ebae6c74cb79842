package node_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"regain/internal/node"
)

// An exclusion of nobody stops the start in production, and what else the directory does not know is warned of:
// internal/plan finds both, once the directory is open.
func TestADirectoryThatKnowsNoSuchNames(t *testing.T) {
	cfg := valid(t)
	if err := os.WriteFile(cfg.Directory.File, []byte("accounts: [{name: ada@example.org, groups: [staff]}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.Profiles[0].Mode, cfg.ExcludeGroups, cfg.Profiles[0].AllUsers, cfg.Profiles[0].Groups = "production", []string{"Staff"}, false, []string{"staf"}
	if err := node.Check(cfg); err != nil {
		t.Fatal(err)
	}
	cfg.ExcludeGroups = []string{"staf"}
	said(t, node.Check(cfg), `exclude_groups "staf": the directory has no such name, so nobody is excluded`)
	if all := strings.Join(node.Warnings(cfg, time.Now()), "\n"); !strings.Contains(all, `profiles[0] (development).groups "staf": the directory has no such name`) {
		t.Errorf("warns %q", all)
	}
}
