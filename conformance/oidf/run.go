package oidf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// Outcome is the result of one plan.
type Outcome struct {
	Plan    string            `json:"plan"`
	Variant map[string]string `json:"variant,omitempty"`
	Suite   Version           `json:"suite"`
	Code    Code              `json:"code,omitzero"` // that was under test
	Date    string            `json:"date"`          // day
	Modules []ModuleOutcome   `json:"modules"`
}

// ModuleOutcome is the result of one module.
type ModuleOutcome struct {
	Name     string            `json:"name"`
	Variant  map[string]string `json:"variant,omitempty"`
	Result   string            `json:"result"` // PASSED, REVIEW, SKIPPED, WARNING, FAILED or OMITTED
	Findings []Finding         `json:"findings,omitempty"`
	Why      string            `json:"why,omitempty"`     // of the expectation that allows it
	Problem  string            `json:"problem,omitempty"` // why the result is not what it must be; "" if it is
	log      string            // where the suite shows what happened
}

// Finding is a failure, warning, review or skip in the suite's log.
type Finding struct {
	Result       string   `json:"result"`
	Source       string   `json:"source"`
	Message      string   `json:"message"`
	Requirements []string `json:"requirements,omitempty"`
}

// Problems counts the modules whose result is not what it must be.
func (o Outcome) Problems() int {
	n := 0
	for _, m := range o.Modules {
		if m.Problem != "" {
			n++
		}
	}
	return n
}

// errTooLong ends a module that hangs.
var errTooLong = errors.New("took too long")

// errNoModules is for a plan that the suite lists nothing of: a run of nothing would read as if all had passed.
var errNoModules = errors.New("no module was run")

// Run runs a filled plan, one module after another, and prints a line for each. only names the modules to run; none
// runs all.
func (s *Suite) Run(ctx context.Context, p Plan, only []string, out io.Writer) (Outcome, error) {
	version, err := s.Version(ctx)
	if err != nil {
		return Outcome{}, err
	}
	made, err := s.createPlan(ctx, p)
	if err != nil {
		return Outcome{}, err
	}
	o := Outcome{Plan: p.Plan, Variant: p.Variant, Suite: version, Date: time.Now().UTC().Format(time.DateOnly)}
	for _, m := range made.Modules {
		if len(only) > 0 && !slices.Contains(only, m.Name) {
			continue
		}
		began := time.Now()
		outcome := ModuleOutcome{Name: m.Name, Variant: m.Variant, Result: omitted}
		if p.expects(m).Result != omitted {
			if outcome, err = s.runModule(ctx, p, made.ID, m); err != nil {
				return o, fmt.Errorf("%s: %w", m.Name, err)
			}
		}
		outcome.judge(p.expects(m))
		o.Modules = append(o.Modules, outcome)
		outcome.print(out, time.Since(began))
	}
	if len(o.Modules) == 0 {
		return o, fmt.Errorf("%s: %w: the suite lists %d modules in this variant, of which %d were asked for", p.Name, errNoModules, len(made.Modules), len(only))
	}
	return o, ctx.Err()
}

func (s *Suite) runModule(ctx context.Context, p Plan, plan string, m Module) (ModuleOutcome, error) {
	o := ModuleOutcome{Name: m.Name, Variant: m.Variant}
	instance, err := s.start(ctx, plan, m)
	if err != nil {
		return o, err
	}
	o.log = s.base + "/log-detail.html?log=" + instance
	limited, cancel := context.WithTimeoutCause(ctx, time.Duration(p.Minutes)*time.Minute, errTooLong)
	defer cancel()
	at, err := s.wait(limited, instance, s.steps(p, m, instance))
	switch {
	case errors.Is(err, errTooLong):
		s.stop(ctx, instance)
		o.fail(fmt.Sprintf("did not end within %d minutes; it was %s", p.Minutes, at.Status))
	case errors.Is(err, errDrive):
		s.stop(ctx, instance)
		o.fail(err.Error())
	case err != nil:
		return o, err
	}
	entries, err := s.log(ctx, instance)
	if err != nil {
		return o, err
	}
	o.Result = at.Result
	for _, e := range entries {
		if slices.Contains([]string{"FAILURE", "WARNING", "REVIEW", "SKIPPED"}, e.Result) {
			o.Findings = append(o.Findings, Finding{e.Result, e.Source, e.Message, e.Requirements})
		}
	}
	// The suite stops a module at a failed condition of some kinds, and calls that interrupted. One that was interrupted
	// without a failure in its log was not tested.
	if at.Status != "FINISHED" && !o.has("FAILURE") {
		o.fail("ended as " + at.Status + " without a failed condition")
	}
	if at.Status != "FINISHED" || o.has("FAILURE") {
		o.Result = "FAILED"
	} else if slices.Contains([]string{"PASSED", "REVIEW", "SKIPPED"}, o.Result) && o.has("WARNING") { // what a picture is wanted for may hide one
		o.Result = "WARNING"
	}
	return o, nil
}

// fail adds what the runner itself saw go wrong.
func (o *ModuleOutcome) fail(message string) {
	o.Findings = append(o.Findings, Finding{Result: "FAILURE", Source: "runner", Message: message})
}

func (o ModuleOutcome) has(result string) bool {
	return slices.ContainsFunc(o.Findings, func(f Finding) bool { return f.Result == result })
}

// expects is what a module must end with: the last expectation that holds in its variant.
func (p Plan) expects(m Module) Expectation {
	variant := maps.Clone(m.Variant)
	if variant == nil {
		variant = make(map[string]string)
	}
	maps.Copy(variant, p.Variant)
	for _, e := range slices.Backward(p.Expect) {
		if e.Module == m.Name && e.holds(variant) {
			return e
		}
	}
	return Expectation{Module: m.Name, Result: "PASSED"}
}

// holds reports whether a variant has all the values that the expectation is for.
func (e Expectation) holds(variant map[string]string) bool {
	for key, value := range e.When {
		if variant[key] != value {
			return false
		}
	}
	return true
}

func (o ModuleOutcome) print(out io.Writer, took time.Duration) {
	mark := "ok  "
	if o.Problem != "" {
		mark = "FAIL"
	}
	fmt.Fprintf(out, "%s %-8s %6.1fs %s%s\n", mark, o.Result, took.Seconds(), o.Name, variantText(o.Variant))
	if o.Problem == "" {
		return
	}
	fmt.Fprintf(out, "     %s; see %s\n", o.Problem, o.log)
	for _, f := range o.Findings {
		fmt.Fprintf(out, "     %s %s: %.300s %v\n", f.Result, f.Source, f.Message, f.Requirements)
	}
}

func variantText(variant map[string]string) string {
	text := ""
	for _, key := range slices.Sorted(maps.Keys(variant)) {
		text += " " + key + "=" + variant[key]
	}
	return text
}
