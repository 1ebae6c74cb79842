package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// runner tries the changes.
type runner struct {
	settings
	pkg  *source
	work string
}

// test is one test of a test binary.
type test struct {
	pkg, bin, dir, name string
	took                time.Duration
	reaches             map[int]bool
}

// judge gives every change its verdict.
func (r *runner) judge(mutants []*mutant) error {
	packages, err := list(append([]string{r.pkg.path}, r.suites...)...)
	if err != nil {
		return err
	}
	slices.SortStableFunc(packages, func(a, b listed) int { // our own first: list sorts by name
		return strings.Compare(strconv.FormatBool(a.ImportPath != r.pkg.path), strconv.FormatBool(b.ImportPath != r.pkg.path))
	})
	packages = slices.DeleteFunc(packages, func(p listed) bool { return len(p.TestGoFiles)+len(p.XTestGoFiles) == 0 })
	bins, err := r.compileAll(mutants, packages)
	if err != nil {
		return err
	}
	for _, m := range mutants {
		if m.verdict == untried {
			m.verdict = uncovered
		}
	}
	for i, p := range packages {
		tests, err := r.tests(p, bins[i])
		if err != nil {
			return err
		}
		if err := r.try(mutants, tests); err != nil {
			return err
		}
	}
	return nil
}

// tests lists the tests of a binary, and finds what each reaches.
func (r *runner) tests(p listed, bin string) ([]*test, error) {
	cmd := exec.CommandContext(context.Background(), bin, "-test.list", ".") // #nosec G204
	cmd.Dir = p.Dir
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("listing the tests of %s: %w", p.ImportPath, err)
	}
	var tests []*test
	for _, name := range strings.Fields(string(out)) {
		if regexp.MustCompile(`^(Test|Fuzz|Example)`).MatchString(name) {
			tests = append(tests, &test{pkg: p.ImportPath, bin: bin, dir: p.Dir, name: name})
		}
	}
	return tests, parallel(r.workers, tests, r.explore)
}

// explore runs a test as it is.
func (r *runner) explore(t *test) error {
	record := filepath.Join(r.work, filepath.Base(t.bin)+"."+t.name)
	begun := time.Now()
	if out, passed := execute(t.bin, t.dir, []string{t.name}, 10*time.Minute, "MUTATE_RECORD="+record); !passed {
		return fmt.Errorf("%s fails without any change:\n%s", t.name, out)
	}
	t.took, t.reaches = time.Since(begun), map[int]bool{}
	text, err := os.ReadFile(record)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, id := range strings.Fields(string(text)) {
		n, err := strconv.Atoi(id)
		if err != nil {
			return err
		}
		t.reaches[n] = true
	}
	return nil
}

// try tries what is not killed yet on the tests that reach it.
func (r *runner) try(mutants []*mutant, tests []*test) error {
	slices.SortFunc(tests, func(a, b *test) int { return int(a.took - b.took) })
	return parallel(r.workers, mutants, func(m *mutant) error {
		if m.verdict != uncovered && m.verdict != survived {
			return nil
		}
		reach := tests
		if m.alone == nil || m.probed {
			reach = slices.DeleteFunc(slices.Clone(tests), func(t *test) bool { return !t.reaches[m.id] })
		}
		if len(reach) == 0 {
			return nil
		}
		m.verdict = survived
		bin := reach[0].bin
		if m.alone != nil {
			var err error
			if bin, err = r.compileAlone(m, reach[0].pkg); err != nil {
				m.verdict = invalid
				return nil //nolint:nilerr // a change that does not compile is none
			}
			defer func() { _ = os.Remove(bin) }()
		}
		var names []string
		limit := 4 * time.Second
		for _, t := range reach {
			names = append(names, t.name)
			limit += 4 * t.took
		}
		if out, passed := execute(bin, reach[0].dir, names, limit, "MUTATE_ID="+strconv.Itoa(m.id)); !passed {
			m.verdict, m.by = killed, firstFailure(out)
		}
		return nil
	})
}

func firstFailure(out string) string {
	if found := regexp.MustCompile(`--- FAIL: (\S+)`).FindStringSubmatch(out); found != nil {
		return found[1]
	}
	return "panic or no end"
}

// execute runs tests by name, and reports whether they passed. A change may make a loop endless or memory grow: both end.
func execute(bin, dir string, names []string, limit time.Duration, env string) (string, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	const capped = `ulimit -v 16000000; exec "$0" "$@"`
	cmd := exec.CommandContext(ctx, "sh", "-c", capped, bin, "-test.failfast", "-test.run", "^("+strings.Join(names, "|")+")$") // #nosec G204
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	return out.String(), err == nil
}

// parallel does all of them, some at once, and returns the first error.
func parallel[T any](workers int, all []T, do func(T) error) error {
	var group sync.WaitGroup
	errs := make([]error, len(all))
	slots := make(chan struct{}, workers)
	for i, one := range all {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			errs[i] = do(one)
		})
	}
	group.Wait()
	return errors.Join(errs...)
}
