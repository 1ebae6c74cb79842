package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// script is a test binary that notes what it was asked to run.
func script(t *testing.T, body string) (bin, dir, asked string) {
	t.Helper()
	dir = t.TempDir()
	bin, asked = filepath.Join(dir, "package.test"), filepath.Join(dir, "asked")
	if err := os.WriteFile(bin, []byte("#!/bin/sh\necho \"$*\" >> "+asked+"\n"+body+"\n"), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	return bin, dir, asked
}

// Quick tests run together and first; a slow one only if they pass.
func TestQuickTestsRunFirst(t *testing.T) {
	for body, row := range map[string]struct {
		passed bool
		turns  []string
	}{
		"exit 0":                            {true, []string{"^(A|B)$", "^(C)$"}},
		"exit 1":                            {false, []string{"^(A|B)$"}},
		"case \"$*\" in *C*) exit 1;; esac": {false, []string{"^(A|B)$", "^(C)$"}},
	} {
		bin, dir, asked := script(t, body)
		tests := []*test{{name: "A", dir: dir, took: time.Millisecond}, {name: "B", dir: dir, took: 2 * time.Millisecond}, {name: "C", dir: dir, took: 3 * time.Second}}
		_, passed := runInTurn(bin, tests, "MUTATE_ID=1")
		text, err := os.ReadFile(asked)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Fields(strings.ReplaceAll(string(text), "-test.failfast -test.run ", ""))
		if passed != row.passed || strings.Join(lines, " ") != strings.Join(row.turns, " ") {
			t.Errorf("%s: passed %t, ran %q", body, passed, lines)
		}
	}
}

// A change after which nothing ends has been noticed, within seconds, and what it started ends too.
func TestWhatDoesNotEndIsEnded(t *testing.T) {
	bin, dir, _ := script(t, "sleep 300 & sleep 300")
	began := time.Now()
	if _, passed := runInTurn(bin, []*test{{name: "A", dir: dir, took: time.Millisecond}, {name: "B", dir: dir, took: time.Hour}}, "MUTATE_ID=1"); passed || time.Since(began) > 30*time.Second {
		t.Errorf("passed %t after %s", passed, time.Since(began))
	}
}
