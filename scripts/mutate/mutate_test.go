package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRun holds what is said of a package with one thing tested well, one badly and one not at all, and that nothing is written beside it.
func TestRun(t *testing.T) {
	before := tree(t)
	var out strings.Builder
	if err := run([]string{"-v", "-equivalent", "testdata/limits/equivalent.txt", "./testdata/limits"}, &out); err != nil {
		t.Fatal(err)
	}
	said := out.String()
	for _, want := range []string{
		"limits.go:15: killed by TestWithin: if never: n > most || n < 0",
		"limits.go:15: killed by TestWithin: if always: n > most || n < 0",
		"limits.go:15: killed by TestWithin: only the left of: n > most || n < 0",
		"limits.go:15: killed by TestWithin: n > most became >=",
		"limits.go:15: killed by TestWithin: n < 0 became <=",
		"limits.go:15: killed by TestWithin: doubled: most",
		"limits.go:16: killed by TestWithin: error swallowed: return errors.New",
		"limits.go:23: survived: n < 1000 became <=",
		"limits.go:23: survived: doubled: 1000",
		"limits.go:23: survived: only the left of: n < 1000 && name == \"\"",
		"limits.go:23: killed by TestLoose: negated: name == \"\"",
		"limits.go:28: killed by TestCount: loop without turns: for _, w := range words",
		"limits.go:30: killed by TestCount: dropped: case \"skip\"",
		"limits.go:33: killed by TestCount: error swallowed: return total, errors.New(\"stopped\")",
		"limits.go:35: killed by TestCount: dropped: total++",
		"limits.go:37: survived: dropped: note(total)",
		"limits.go:8: survived: doubled: table = 4",
		"limits.go:48: uncovered: negated: n == 7",
		"no longer equivalent, or gone: testdata/limits/limits.go: negated: n == 8",
		" 1 known to be equivalent, 0 do not compile",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("nothing says %q", want)
		}
	}
	if t.Failed() {
		t.Log(said)
	}
	if strings.Contains(said, "dropped: slots") {
		t.Error("a change that is known to be equivalent is told")
	}
	if after := tree(t); after != before {
		t.Errorf("the package itself was changed: before: %s\nafter: %s", before, after)
	}
}

// TestRunRefuses holds that it fails where there is something to do.
func TestRunRefuses(t *testing.T) {
	short := filepath.Join(t.TempDir(), "short.txt")
	if err := os.WriteFile(short, []byte("file\tchange\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		args []string
		why  string
	}{
		"below the threshold":          {[]string{"-threshold", "99.5", "./testdata/limits"}, "of what the tests reach is noticed, less than 99.5 %"},
		"no package":                   {nil, "usage: mutate [flags] package"},
		"two packages":                 {[]string{"container/..."}, "one package at a time"},
		"a package that is not there":  {[]string{"./testdata/none"}, "listing packages"},
		"an equivalent without reason": {[]string{"-equivalent", short, "./testdata/limits"}, "short.txt:1: file, change and reason"},
		"no worker":                    {[]string{"-p", "0", "./testdata/limits"}, "-p 0: at least one"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := run(row.args, &strings.Builder{}); err == nil || !strings.Contains(err.Error(), row.why) {
				t.Errorf("got %v, want %q", err, row.why)
			}
		})
	}
}

func tree(t *testing.T) string {
	t.Helper()
	entries, err := os.ReadDir("testdata/limits")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join("testdata/limits", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e.Name(), string(text))
	}
	return strings.Join(all, "\n")
}
