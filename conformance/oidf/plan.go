package oidf

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"gopkg.in/yaml.v3"
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
}

// Expectation is a module that does not plainly pass, and why that is right. One that passes all the same is a failure:
// an expectation must not outlive its reason.
type Expectation struct {
	Module string `yaml:"module"`
	Result string `yaml:"result"` // REVIEW, SKIPPED, WARNING or FAILED
	Why    string `yaml:"why"`
}

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
	seen := make(map[string]bool)
	for _, e := range expected {
		switch {
		case seen[e.Module]:
			return fmt.Errorf("expect: %s stands twice", e.Module)
		case e.Why == "":
			return fmt.Errorf("expect: %s: say why", e.Module)
		case e.Result != "REVIEW" && e.Result != "SKIPPED" && e.Result != "WARNING" && e.Result != "FAILED":
			return fmt.Errorf("expect: %s: result %q is none of REVIEW, SKIPPED, WARNING and FAILED", e.Module, e.Result)
		}
		seen[e.Module] = true
	}
	return nil
}
