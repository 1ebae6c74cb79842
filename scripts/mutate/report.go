package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// equivalents are changes that change nothing that can be seen, each with its reason.
type equivalents map[string]string

// readEquivalents reads lines of three columns apart by tabs: the file, what was changed as it is printed, and why it is
// no change.
func readEquivalents(path string) (equivalents, error) {
	known := equivalents{}
	if path == "" {
		return known, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for i, line := range strings.Split(strings.TrimRight(string(text), "\n"), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		columns := strings.Split(line, "\t")
		if len(columns) != 3 || strings.TrimSpace(columns[2]) == "" {
			return nil, fmt.Errorf("%s:%d: file, change and reason, apart by tabs", path, i+1)
		}
		known[columns[0]+"\t"+columns[1]] = columns[2]
	}
	return known, nil
}

// tally counts verdicts.
type tally struct {
	of         [invalid + 1]int
	equivalent int
}

// score is how much of what the tests reach they notice, in percent.
func (t tally) score() float64 {
	reached := t.of[killed] + t.of[survived]
	if reached == 0 {
		return 100
	}
	return 100 * float64(t.of[killed]) / float64(reached)
}

// report prints what was not noticed, what was not reached, and the numbers.
func (known equivalents) report(out io.Writer, p *source, mutants []*mutant, verbose bool) tally {
	var t tally
	here, _ := os.Getwd()
	show := func(m *mutant, word string) {
		path, err := filepath.Rel(here, m.file.path)
		if err != nil {
			path = m.file.path
		}
		_, _ = fmt.Fprintf(out, "%s:%d: %s: %s\n", path, m.line, word, m.what)
	}
	stale := known.in(p, here)
	for _, m := range mutants {
		path, _ := filepath.Rel(here, m.file.path)
		if key := path + "\t" + m.what; known[key] != "" && m.verdict == survived {
			delete(stale, key)
			t.equivalent++
			continue
		}
		t.of[m.verdict]++
		switch {
		case m.verdict == survived:
			show(m, "survived")
		case m.verdict == killed && verbose:
			show(m, "killed by "+m.by)
		case m.verdict == invalid && verbose:
			show(m, "does not compile")
		}
	}
	for _, m := range mutants {
		if m.verdict == uncovered {
			show(m, "uncovered")
		}
	}
	for key := range stale {
		_, _ = fmt.Fprintf(out, "no longer equivalent, or gone: %s\n", strings.ReplaceAll(key, "\t", ": "))
	}
	reached := t.of[killed] + t.of[survived]
	_, _ = fmt.Fprintf(out, "%s: %d changes; %d killed and %d survived: %.1f %% of what the tests reach is noticed; %d uncovered (%.1f %%), %d known to be equivalent, %d do not compile\n",
		p.path, len(mutants), t.of[killed], t.of[survived], t.score(), t.of[uncovered],
		100*float64(t.of[uncovered])/float64(max(1, reached+t.of[uncovered])), t.equivalent, t.of[invalid])
	return t
}

// in returns those of the package's files.
func (known equivalents) in(p *source, here string) map[string]bool {
	found := map[string]bool{}
	for key := range known {
		path, _, _ := strings.Cut(key, "\t")
		if filepath.Dir(filepath.Join(here, path)) == p.dir {
			found[key] = true
		}
	}
	return found
}
