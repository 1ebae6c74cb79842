package oidf

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// planFile is a file as it is written: of a list in its variant, each value makes a plan of its own.
type planFile struct {
	Plan    `yaml:",inline"`
	Choices map[string]choice `yaml:"variant"`
}

// choice is one text or a list of them.
type choice []string

// UnmarshalYAML implements yaml.Unmarshaler.
func (c *choice) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*c = choice{node.Value}
		return nil
	}
	return node.Decode((*[]string)(c))
}

// check refuses what would make no plan, or two of one name.
func (c choice) check() error {
	if len(c) == 0 {
		return errors.New("has no value")
	}
	for i, value := range c {
		if slices.Contains(c[:i], value) {
			return fmt.Errorf("%s stands twice", value)
		}
	}
	return nil
}

// combine makes a plan of every combination.
func (f planFile) combine() ([]Plan, error) {
	plans := []Plan{f.Plan}
	for _, key := range slices.Sorted(maps.Keys(f.Choices)) {
		values := f.Choices[key]
		if err := values.check(); err != nil {
			return nil, fmt.Errorf("variant: %s %w", key, err)
		}
		more := make([]Plan, 0, len(plans)*len(values))
		for _, p := range plans {
			for _, value := range values {
				more = append(more, p.with(key, value, len(values) > 1))
			}
		}
		plans = more
	}
	return plans, nil
}

// with is the plan with one more value in its variant, and in its name where there are others.
func (p Plan) with(key, value string, named bool) Plan {
	variant := map[string]string{key: value}
	maps.Copy(variant, p.Variant)
	p.Variant = variant
	if named {
		p.Name += "/" + value
	}
	return p
}
