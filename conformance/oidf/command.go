package oidf

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"regain/conformance/oidf/target"
)

// Options say what to run.
type Options struct {
	Suite    string   // URL
	Local    bool     // the suite runs on this machine, with a certificate of its own making
	TokenEnv string   // variable with the API token of a hosted suite
	Plans    []string // names of plan files; none runs all
	Modules  []string // modules to run; none runs all, and only then is anything written
	Results  string   // directory of RESULTS.md
	Alias    string   // what the suite calls who is under test in its URLs
	Port     int      // first of eight ports of who is under test
	List     bool     // only list the plans
	Render   bool     // only write RESULTS.md anew, from results.json held against the plans as they are now
	Verbose  bool     // log every request to the server under test
	Code     Code     // that was built; the checkout around Results where it is not known
}

// errNotAsExpected ends a run with exit status 1.
var errNotAsExpected = errors.New("some results are not as expected")

// Run starts who is under test, runs the plans, and writes the report.
func Run(ctx context.Context, o Options, out io.Writer) error {
	all, err := Plans()
	if err != nil {
		return err
	}
	if o.List {
		for _, p := range all {
			fmt.Fprintf(out, "%-48s %s%s\n", p.Name, p.Plan, variantText(p.Variant))
		}
		return nil
	}
	if o.Render {
		results, err := ReadResults(o.Results)
		if err != nil {
			return err
		}
		results.Judge(all)
		return results.Write(o.Results, all)
	}
	chosen, err := choose(all, o.Plans)
	if err != nil {
		return err
	}
	r := runner{all: all, options: o, out: out}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	if r.suite, err = o.suite(); err != nil {
		return err
	}
	server, err := target.Start(ctx, target.Options{Port: o.Port, Suite: r.suite.base, Alias: o.Alias, LocalSuite: o.Local, Logger: o.logger()})
	if err != nil {
		return err
	}
	r.suite.Party, r.values = server, server.Values
	return errors.Join(r.run(ctx, chosen), server.Close())
}

// runner runs plans and writes their results.
type runner struct {
	suite   *Suite
	values  map[string]any // of the target, for plans to be filled with
	all     []Plan
	results Results
	options Options
	out     io.Writer
}

// prepare does all that can go wrong before a run of hours. With Modules nothing is written.
func (r *runner) prepare(ctx context.Context) (err error) {
	if len(r.options.Modules) > 0 {
		return nil
	}
	if r.results, err = ReadResults(r.options.Results); err != nil {
		return err
	}
	if err := canWrite(r.options.Results); err != nil {
		return err
	}
	r.options.Code, err = r.options.Code.orCheckout(ctx, r.options.Results)
	return err
}

func (r *runner) run(ctx context.Context, chosen []Plan) error {
	problems := 0
	for _, p := range chosen {
		filled, err := p.Fill(r.values)
		if err != nil {
			return err
		}
		fmt.Fprintf(r.out, "%s: %s%s\n", p.Name, p.Plan, variantText(p.Variant))
		outcome, err := r.suite.Run(ctx, filled, r.options.Modules, r.out)
		if err != nil {
			return err
		}
		problems += outcome.Problems()
		if len(r.options.Modules) > 0 { // part of a plan is no result
			continue
		}
		outcome.Code = r.options.Code
		r.results[p.Name] = outcome
		if err := r.results.Write(r.options.Results, r.all); err != nil {
			return err
		}
	}
	if problems > 0 {
		return fmt.Errorf("%d: %w", problems, errNotAsExpected)
	}
	return nil
}

// choose takes plans by their names; the name of a file, or the beginning of a name up to a slash, takes every variant
// below it.
func choose(all []Plan, names []string) ([]Plan, error) {
	if len(names) == 0 {
		return all, nil
	}
	var chosen []Plan
	for _, name := range names {
		before := len(chosen)
		for _, p := range all {
			if p.Name == name || strings.HasPrefix(p.Name, name+"/") {
				chosen = append(chosen, p)
			}
		}
		if len(chosen) == before {
			return nil, fmt.Errorf("no plan is called %s: see --list", name)
		}
	}
	return chosen, nil
}

func (o Options) suite() (*Suite, error) {
	const timeout = 2 * time.Minute
	client := &http.Client{Timeout: timeout}
	if o.Local {
		client.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // a suite on this machine, for tests
	}
	token := ""
	if o.TokenEnv != "" {
		if token = os.Getenv(o.TokenEnv); token == "" {
			return nil, fmt.Errorf("--token-env: the variable %s is empty", o.TokenEnv)
		}
	}
	return NewSuite(o.Suite, client, token)
}

func (o Options) logger() *slog.Logger {
	if o.Verbose {
		return slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return slog.New(slog.DiscardHandler)
}
