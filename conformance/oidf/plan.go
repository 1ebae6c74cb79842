package oidf

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

//go:embed plans/*.yaml
var planFiles embed.FS

// Plan is one of our plan files.
type Plan struct {
	Name    string            `yaml:"-"`    // the file's
	Plan    string            `yaml:"plan"` // the suite's
	Variant map[string]string `yaml:"variant"`
	Config  map[string]any    `yaml:"config"` // its texts may name the target's values: "${client}", "${issuer}/userinfo"
	Expect  []Expectation     `yaml:"expect"`
	// RotateBefore are modules before which, once they are configured, the server takes a new signing key.
	RotateBefore []string `yaml:"rotate_before"`
	Minutes      int      `yaml:"minutes"` // a module's time limit; 2 if absent
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
		p, err := ParsePlan(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		p.Name = strings.TrimSuffix(path.Base(name), ".yaml")
		plans = append(plans, p)
	}
	return plans, nil
}

// ParsePlan reads a plan file. Unknown keys, and expectations without a reason, are mistakes.
func ParsePlan(text []byte) (Plan, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	p := Plan{Minutes: 2}
	if err := decoder.Decode(&p); err != nil {
		return p, fmt.Errorf("parse plan: %w", err)
	}
	if p.Plan == "" {
		return p, fmt.Errorf("plan: name the suite's plan")
	}
	seen := make(map[string]bool)
	for _, e := range p.Expect {
		switch {
		case seen[e.Module]:
			return p, fmt.Errorf("expect: %s stands twice", e.Module)
		case e.Why == "":
			return p, fmt.Errorf("expect: %s: say why", e.Module)
		case e.Result != "REVIEW" && e.Result != "SKIPPED" && e.Result != "WARNING" && e.Result != "FAILED":
			return p, fmt.Errorf("expect: %s: result %q is none of REVIEW, SKIPPED, WARNING and FAILED", e.Module, e.Result)
		}
		seen[e.Module] = true
	}
	return p, nil
}

var placeholder = regexp.MustCompile(`\$\{([a-z0-9_]+)\}`)

// Fill replaces the placeholders of the configuration: a text that is one placeholder becomes the value, of whatever
// type; one that contains placeholders gets their texts.
func (p Plan) Fill(values map[string]any) (Plan, error) {
	filled, err := fill(p.Config, values)
	if err != nil {
		return p, fmt.Errorf("plan %s: %w", p.Name, err)
	}
	text, err := json.Marshal(filled)
	if err != nil {
		return p, fmt.Errorf("plan %s: %w", p.Name, err)
	}
	p.Config = nil
	if err := json.Unmarshal(text, &p.Config); err != nil {
		return p, fmt.Errorf("plan %s: %w", p.Name, err)
	}
	return p, nil
}

func fill(node any, values map[string]any) (any, error) {
	switch n := node.(type) {
	case map[string]any:
		filled := make(map[string]any, len(n))
		for key, member := range n {
			value, err := fill(member, values)
			if err != nil {
				return nil, err
			}
			filled[key] = value
		}
		return filled, nil
	case []any:
		filled := make([]any, len(n))
		for i, member := range n {
			value, err := fill(member, values)
			if err != nil {
				return nil, err
			}
			filled[i] = value
		}
		return filled, nil
	case string:
		return fillText(n, values)
	}
	return node, nil
}

func fillText(text string, values map[string]any) (any, error) {
	if whole := placeholder.FindStringSubmatch(text); whole != nil && whole[0] == text {
		value, there := values[whole[1]]
		if !there {
			return nil, fmt.Errorf("${%s}: the target has no such value", whole[1])
		}
		return value, nil
	}
	var missing error
	filled := placeholder.ReplaceAllStringFunc(text, func(found string) string {
		value, ok := values[placeholder.FindStringSubmatch(found)[1]].(string)
		if !ok {
			missing = fmt.Errorf("%s: the target has no such text", found)
		}
		return value
	})
	return filled, missing
}
