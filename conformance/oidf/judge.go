package oidf

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// validateConditions refuses an expected failure that any other failure would do for.
func (e Expectation) validateConditions() error {
	fails := e.Result == "FAILED" || e.Result == "WARNING"
	if fails != (len(e.Conditions) > 0) {
		return errors.New("name the conditions that fail or warn with FAILED and WARNING, and with these only")
	}
	for _, condition := range e.Conditions {
		if source, message := splitCondition(condition); source == e.Module && message == "" {
			return fmt.Errorf("condition %s: is the module itself, in whose name the suite reports every exception: add a part of the message", source)
		}
	}
	return nil
}

func splitCondition(condition string) (source, message string) {
	source, message, _ = strings.Cut(condition, ": ")
	return source, message
}

// is reports whether a finding is the one that a condition of an expectation names.
func (f Finding) is(condition string) bool {
	source, message := splitCondition(condition)
	return f.Source == source && strings.Contains(f.Message, message)
}

// judge holds the result against the expectation. The result alone says too little: what failed must be what was
// expected to fail, all of it and nothing else.
func (o *ModuleOutcome) judge(expected Expectation) {
	want := expected.Result
	o.Why, o.Problem = expected.Why, ""
	switch o.Result {
	case want:
		o.Problem = strings.Join(o.unlike(expected.Conditions), "; ")
	case "PASSED":
		o.Problem = "passed, though " + want + " is expected: take the expectation away"
	default:
		o.Problem = "is " + o.Result + ", and must be " + want
	}
}

// unlike lists what failed or warned without being expected to, and what was expected to and did not. The runner's own
// findings (a module that hangs, one that it could not drive) are never expected.
func (o *ModuleOutcome) unlike(conditions []string) (problems []string) {
	for _, f := range o.Findings {
		if (f.Result == "FAILURE" || f.Result == "WARNING") && !slices.ContainsFunc(conditions, f.is) {
			problems = append(problems, fmt.Sprintf("has the %s of %s, which is not expected", f.Result, f.Source))
		}
	}
	for _, condition := range conditions {
		if !slices.ContainsFunc(o.Findings, func(f Finding) bool { return f.is(condition) }) {
			problems = append(problems, fmt.Sprintf("has no failure of %q any more", condition))
		}
	}
	return problems
}

// Judge holds all results against the plans as they are now: a report must not go on with an expectation that its plan
// no longer has.
func (r Results) Judge(plans []Plan) {
	for _, p := range plans {
		for i, m := range r[p.Name].Modules {
			m.judge(p.expects(Module{Name: m.Name, Variant: m.Variant}))
			r[p.Name].Modules[i] = m
		}
	}
}
