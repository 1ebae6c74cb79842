package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// compileAll compiles the tests of each package with all changes of ours in it. Changes on a line that the compiler
// refuses are given up, and it is asked again.
func (r *runner) compileAll(mutants []*mutant, packages []listed) ([]string, error) {
	refused := map[int]bool{}
	for range 8 {
		overlay, err := r.overlay("all", func(f *file) (string, bool) { return f.render(refused), true })
		if err != nil {
			return nil, err
		}
		var bins []string
		var said string
		for i, p := range packages {
			bin := filepath.Join(r.work, fmt.Sprintf("all%d.test", i))
			if said, err = compile(p.ImportPath, overlay, bin); err != nil {
				break
			}
			bins = append(bins, bin)
		}
		if err == nil {
			return bins, nil
		}
		if !refuse(said, mutants, refused) {
			return nil, fmt.Errorf("compiling: %w\n%s", err, said)
		}
	}
	return nil, errors.New("compiling: the compiler refuses more after each try")
}

// refuse gives up the changes on the lines that the compiler names, and reports whether there were any.
func refuse(said string, mutants []*mutant, refused map[int]bool) bool {
	found := false
	for _, line := range regexp.MustCompile(`(?m)([\w-]+\.go):(\d+):`).FindAllStringSubmatch(said, -1) {
		for _, m := range mutants {
			if filepath.Base(m.file.path) == line[1] && strconv.Itoa(m.line) == line[2] && !refused[m.id] {
				refused[m.id], m.verdict, found = true, invalid, true
			}
		}
	}
	return found
}

// compileAlone compiles the package's tests with one change.
func (r *runner) compileAlone(m *mutant, pkg string) (string, error) {
	overlay, err := r.overlay(strconv.Itoa(m.id), func(f *file) (string, bool) { return m.render(), f == m.file })
	if err != nil {
		return "", err
	}
	bin := filepath.Join(r.work, fmt.Sprintf("alone%d.test", m.id))
	_, err = compile(pkg, overlay, bin)
	return bin, err
}

// overlay writes what the compiler shall see in the place of the files.
func (r *runner) overlay(name string, changed func(*file) (string, bool)) (string, error) {
	dir := filepath.Join(r.work, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	seen := map[string]string{}
	write := func(path, text string) error {
		to := filepath.Join(dir, filepath.Base(path))
		seen[path] = to
		return os.WriteFile(to, []byte(text), 0o600)
	}
	for _, f := range r.pkg.files {
		if text, ok := changed(f); ok {
			if err := write(f.path, text); err != nil {
				return "", err
			}
		}
	}
	if err := write(filepath.Join(r.pkg.dir, "zz_mutate.go"), chooser(r.pkg.name)); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{"Replace": seen})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, text, 0o600)
}

func compile(pkg, overlay, bin string) (string, error) {
	cmd := exec.CommandContext(context.Background(), "go", "test", "-c", "-vet=off", "-gcflags=-e", "-ldflags=-s -w", "-overlay", overlay, "-o", bin, pkg) // #nosec G204
	out, err := cmd.CombinedOutput()
	return string(out), err
}
