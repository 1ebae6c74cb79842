package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A release names itself: what the documented flag of the linker sets is what the binary says, and the go command's
// record of the commit is taken over.
func TestALinkedVersionIsTold(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "regain")
	if text, err := exec.Command("go", "build", "-ldflags", "-X main.version=9.8.7-test", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, argument := range []string{"version", "--version"} {
		text, err := exec.Command(binary, argument).CombinedOutput()
		if err != nil || !strings.HasPrefix(string(text), "regain 9.8.7-test (") {
			t.Errorf("%s: %v\n%s", argument, err, text)
		}
	}
}

func TestABuildNamesItsCommit(t *testing.T) {
	b := build{version: "1.2.3", commit: "0685452", time: "2026-11-30T07:00:00Z"}
	if text := b.String(); !strings.HasPrefix(text, "regain 1.2.3 (commit 0685452, 2026-11-30T07:00:00Z, go1.") {
		t.Error(text)
	}
	b.modified = true
	if text := b.String(); !strings.Contains(text, "commit 0685452, modified, ") {
		t.Error(text)
	}
	if text := (build{version: "1.2.3"}).String(); !strings.Contains(text, "commit not recorded") {
		t.Error(text)
	}
}
