package oidf

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed plans/*.yaml
var planFiles embed.FS

// Plan is one of our plan files, in one variant of the suite's plan.
type Plan struct {
	Name    string            `yaml:"-"`    // the file's, and the values that this variant has of the file's lists
	Plan    string            `yaml:"plan"` // the suite's
	Variant map[string]string `yaml:"-"`
	Drive   Drive             `yaml:"drive"`
	// Config is what the suite is told. Its texts, and Drive's, may name the target's values and the variant's:
	// "${client}", "${issuer}/userinfo", "${variant.response_mode}".
	Config map[string]any `yaml:"config"`
	Expect []Expectation  `yaml:"expect"`
	// RotateBefore are modules before which, once they are configured, the server takes a new signing key.
	RotateBefore []string `yaml:"rotate_before"`
	Minutes      int      `yaml:"minutes"` // a module's time limit; 2 if absent
}

// Drive says what the runner does when a module waits. It does nothing, because the suite's own browser does it all,
// where this says nothing.
type Drive struct {
	// Recover is the account that is recovered at the server under test, in a browser of the runner's. The suite is the
	// wallet.
	Recover string `yaml:"recover"`
	// Present is the wallet of ours that answers what the suite asks as a verifier: by the link that it wants visited, or
	// over the Digital Credentials API.
	Present string `yaml:"present"`
	// Accept has a wallet of ours take up what the suite offers as an issuer, by the link that it wants visited.
	Accept bool `yaml:"accept"`
	// Offer is what an issuer of ours offers to the suite, which is the wallet.
	Offer Offered `yaml:"offer"`
}

// Offered is a credential configuration of one of our issuers.
type Offered struct {
	Issuer        string `yaml:"issuer"` // URL
	Configuration string `yaml:"configuration"`
}

// Expectation is a module that does not plainly pass, and why that is right. One that passes all the same is a failure:
// an expectation must not outlive its reason.
type Expectation struct {
	Module string            `yaml:"module"`
	When   map[string]string `yaml:"when"`   // only in variants that have these values
	Result string            `yaml:"result"` // REVIEW, SKIPPED, WARNING or FAILED; or OMITTED
	// Conditions are, for WARNING and FAILED, all conditions of the suite that fail or warn: another failure of the same
	// module would otherwise hide behind the expected one. "Source", or "Source: part of its message".
	Conditions []string `yaml:"conditions"`
	Why        string   `yaml:"why"`
}

// omitted is the result of a module that is not run: it makes no sense in the variant, and the suite lists it all the
// same.
const omitted = "OMITTED"

// Plans reads every plan file, in the order of their names.
func Plans() ([]Plan, error) {
	names, err := fs.Glob(planFiles, "plans/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list plans: %w", err)
	}
	plans := make([]Plan, 0, len(names))
	for _, name := range names {
		text, err := planFiles.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read plan: %w", err)
		}
		made, err := ParsePlans(strings.TrimSuffix(path.Base(name), ".yaml"), text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		plans = append(plans, made...)
	}
	return plans, nil
}

// ParsePlans reads a plan file: one plan, or one for every combination of the lists in its variant. Unknown keys, and
// expectations without a reason, are mistakes.
func ParsePlans(name string, text []byte) ([]Plan, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	file := planFile{Plan: Plan{Name: name, Minutes: 2}}
	if err := decoder.Decode(&file); err != nil {
		return nil, fmt.Errorf("parse plan: %w", err)
	}
	if file.Plan.Plan == "" {
		return nil, errors.New("plan: name the suite's plan")
	}
	if err := validate(file.Expect); err != nil {
		return nil, err
	}
	return file.combine()
}

func validate(expected []Expectation) error {
	for i, e := range expected {
		switch {
		case slices.ContainsFunc(expected[:i], func(before Expectation) bool { return before.Module == e.Module && maps.Equal(before.When, e.When) }):
			return fmt.Errorf("expect: %s stands twice", e.Module)
		case e.Why == "":
			return fmt.Errorf("expect: %s: say why", e.Module)
		case !slices.Contains([]string{"REVIEW", "SKIPPED", "WARNING", "FAILED", omitted}, e.Result):
			return fmt.Errorf("expect: %s: result %q is none of REVIEW, SKIPPED, WARNING, FAILED and OMITTED", e.Module, e.Result)
		}
		if err := e.validateConditions(); err != nil {
			return fmt.Errorf("expect: %s: %w", e.Module, err)
		}
	}
	return nil
}
