package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// settings are the flags.
type settings struct {
	pkg        string
	suites     []string // packages whose tests also run, on what the package's own let live
	threshold  float64
	workers    int
	equivalent string
	verbose    bool
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	set, err := parseFlags(args)
	if err != nil {
		return err
	}
	p, err := load(set.pkg)
	if err != nil {
		return err
	}
	excused, err := readEquivalents(set.equivalent)
	if err != nil {
		return err
	}
	mutants := p.mutants()
	work, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	r := &runner{pkg: p, work: work, settings: set, told: os.Stderr}
	if err := r.judge(mutants); err != nil {
		return err
	}
	t := excused.report(out, p, mutants, set.verbose)
	if t.score() < set.threshold {
		return fmt.Errorf("%s: %.1f %% of what the tests reach is noticed, less than %.1f %%", p.path, t.score(), set.threshold)
	}
	return nil
}

func parseFlags(args []string) (settings, error) {
	var set settings
	var suites string
	flags := flag.NewFlagSet("mutate", flag.ContinueOnError)
	flags.StringVar(&suites, "tests", "", "further `packages` whose tests run on what the package's own tests let live, apart by spaces")
	flags.Float64Var(&set.threshold, "threshold", 0, "the least `percentage` of reached changes that has to be noticed")
	flags.IntVar(&set.workers, "p", runtime.NumCPU(), "how many changes are tried at once")
	flags.StringVar(&set.equivalent, "equivalent", "", "a `file` of changes that change nothing, each with its reason")
	flags.BoolVar(&set.verbose, "v", false, "also print what was noticed")
	if err := flags.Parse(args); err != nil {
		return set, err
	}
	if flags.NArg() != 1 {
		return set, errors.New("usage: mutate [flags] package")
	}
	set.pkg, set.suites = flags.Arg(0), strings.Fields(suites)
	if set.workers < 1 {
		return set, fmt.Errorf("-p %d: at least one", set.workers)
	}
	return set, nil
}
