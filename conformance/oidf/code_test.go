package oidf

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The commit is the binary's, or else the checkout's around the results; its own results do not count as changes.
func TestTheCodeUnderTestIsNamed(t *testing.T) {
	directory := t.TempDir()
	git := func(args ...string) string {
		t.Helper()
		text, err := exec.Command("git", append([]string{"-C", directory, "-c", "user.name=t", "-c", "user.email=t@example.org"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, text)
		}
		return strings.TrimSpace(string(text))
	}
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(directory, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	git("init", "-q")
	write("main.go", "package main\n")
	write("conformance/oidf/results.json", "{}")
	git("add", ".")
	git("commit", "-q", "-m", "first")
	results := filepath.Join(directory, "conformance", "oidf")
	for _, tc := range []struct {
		change   func()
		modified bool
	}{
		{func() {}, false},
		{func() { write("conformance/oidf/results.json", `{"more":{}}`) }, false},
		{func() { write("main.go", "package main // changed\n") }, true},
	} {
		tc.change()
		if c, err := (Code{}).orCheckout(t.Context(), results); err != nil || c.Commit != git("rev-parse", "HEAD") || c.Modified != tc.modified {
			t.Errorf("%+v, %v, want modified %t", c, err, tc.modified)
		}
	}
	built := Code{Commit: "0685452f0000"}
	if c, err := built.orCheckout(t.Context(), results); err != nil || c != built {
		t.Errorf("of the binary: %+v, %v", c, err)
	}
}
