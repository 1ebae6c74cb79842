package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// runner tries the changes.
type runner struct {
	settings
	pkg   *source
	work  string
	told  io.Writer // takes lines of progress
	count int       // more than the number of any change
}

// test is one test of a test binary.
type test struct {
	pkg, bin, dir, name string
	took                time.Duration
	reaches             map[int]bool
	unfit               string // what it said when it failed without any change
}

// judge gives every change its verdict.
func (r *runner) judge(mutants []*mutant) error {
	r.count = len(mutants) + 1
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
		_, _ = fmt.Fprintf(r.told, "%s: which tests of %s reach what\n", r.pkg.path, p.ImportPath)
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
	if err := parallel(r.workers, tests, r.explore); err != nil {
		return nil, err
	}
	// One that counts allocations, or waits for another test, may fail with the changes in its way. Without it the numbers
	// are worse, never better.
	fit := slices.DeleteFunc(slices.Clone(tests), func(t *test) bool {
		if t.unfit != "" {
			_, _ = fmt.Fprintf(r.told, "%s: left out, it fails without any change: %s\n%s", r.pkg.path, t.name, t.unfit)
		}
		return t.unfit != ""
	})
	if len(fit) == 0 && len(tests) > 0 {
		return nil, fmt.Errorf("%s: every test fails without any change:\n%s", p.ImportPath, tests[0].unfit)
	}
	return fit, nil
}

// explore runs a test as it is.
func (r *runner) explore(t *test) error {
	record := filepath.Join(r.work, filepath.Base(t.bin)+"."+t.name)
	if err := os.WriteFile(record, make([]byte, r.count), 0o600); err != nil {
		return err
	}
	begun := time.Now()
	if out, passed := execute(t.bin, t.dir, []string{t.name}, 10*time.Minute, "MUTATE_RECORD="+record, "MUTATE_COUNT="+strconv.Itoa(r.count)); !passed {
		t.unfit = out
		return nil
	}
	t.took, t.reaches = time.Since(begun), map[int]bool{}
	seen, err := os.ReadFile(record)
	for id, reached := range seen {
		t.reaches[id] = reached != 0
	}
	return err
}

// try tries what is not killed yet on the tests that reach it.
func (r *runner) try(mutants []*mutant, tests []*test) error {
	slices.SortFunc(tests, func(a, b *test) int { return cmp.Compare(a.took, b.took) })
	said := r.progress(mutants)
	return parallel(r.workers, mutants, func(m *mutant) error {
		defer said()
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
		if out, passed := runInTurn(bin, reach, "MUTATE_ID="+strconv.Itoa(m.id)); !passed {
			m.verdict, m.by = killed, firstFailure(out)
		}
		return nil
	})
}

// runInTurn runs the quickest tests first and the slow ones only if those pass, and reports whether all passed. A change
// after which a test does not end costs a few times what the quick ones take, and not what all of them do.
func runInTurn(bin string, tests []*test, env string) (string, bool) {
	const patience, factor = 4 * time.Second, 4
	dir := tests[0].dir
	for budget := time.Second / 2; len(tests) > 0; budget *= factor {
		var names []string
		var took time.Duration
		for len(tests) > 0 && (len(names) == 0 || took+tests[0].took <= budget) {
			names, took, tests = append(names, tests[0].name), took+tests[0].took, tests[1:]
		}
		if out, passed := execute(bin, dir, names, patience+factor*took, env); !passed {
			return out, false
		}
	}
	return "", true
}

// progress returns what is called after each change: it says how far things are, every ten seconds, on standard error.
func (r *runner) progress(mutants []*mutant) func() {
	const often = 10 * time.Second
	var mu sync.Mutex
	done, told := 0, time.Now()
	return func() {
		mu.Lock()
		defer mu.Unlock()
		if done++; time.Since(told) < often && done < len(mutants) {
			return
		}
		told = time.Now()
		_, _ = fmt.Fprintf(r.told, "%s: %d of %d changes tried\n", r.pkg.path, done, len(mutants))
	}
}

func firstFailure(out string) string {
	if found := regexp.MustCompile(`--- FAIL: (\S+)`).FindStringSubmatch(out); found != nil {
		return found[1]
	}
	return "panic or no end"
}

// execute runs tests by name, and reports whether they passed. A change may make a loop endless or memory grow: both end.
func execute(bin, dir string, names []string, limit time.Duration, env ...string) (string, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	const capped = `ulimit -v 16000000; exec "$0" "$@"`
	cmd := exec.CommandContext(ctx, "sh", "-c", capped, bin, "-test.failfast", "-test.run", "^("+strings.Join(names, "|")+")$") // #nosec G204
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	// A test may have started processes: they end with it, or its output never does.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
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
