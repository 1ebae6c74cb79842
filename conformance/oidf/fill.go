package oidf

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
)

var (
	placeholder = regexp.MustCompile(`\$\{([a-z0-9_.-]+)\}`)
	ofVariant   = regexp.MustCompile(`\$\{(variant\.[a-z0-9_]+)\}`)
)

// Fill replaces the placeholders of the configuration: a text that is one placeholder becomes the value, of whatever
// type; one that contains placeholders gets their texts.
func (p Plan) Fill(values map[string]any) (Plan, error) {
	known := maps.Clone(values)
	for key, value := range p.Variant {
		known["variant."+key] = value
	}
	config, err := fill(p.Config, known)
	if err != nil {
		return p, fmt.Errorf("plan %s: %w", p.Name, err)
	}
	text, err := json.Marshal(config)
	if err != nil {
		return p, fmt.Errorf("plan %s: %w", p.Name, err)
	}
	p.Config = nil
	if err := json.Unmarshal(text, &p.Config); err != nil {
		return p, fmt.Errorf("plan %s: %w", p.Name, err)
	}
	d := &p.Drive
	for name, text := range map[string]*string{
		"recover": &d.Recover, "present": &d.Present, "offer.issuer": &d.Offer.Issuer, "offer.configuration": &d.Offer.Configuration,
	} {
		value, err := fillText(*text, known)
		filled, isText := value.(string)
		if err != nil || !isText {
			return p, fmt.Errorf("plan %s: drive.%s is no text: %w", p.Name, name, err)
		}
		*text = filled
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
	text, err := replace(ofVariant, text, values) // they may stand within others: "${query_${variant.credential_format}}"
	if err != nil {
		return nil, err
	}
	if whole := placeholder.FindStringSubmatch(text); whole != nil && whole[0] == text {
		value, there := values[whole[1]]
		if !there {
			return nil, fmt.Errorf("${%s}: the target has no such value", whole[1])
		}
		return value, nil
	}
	return replace(placeholder, text, values)
}

// replace replaces placeholders by texts.
func replace(kind *regexp.Regexp, text string, values map[string]any) (string, error) {
	var missing error
	filled := kind.ReplaceAllStringFunc(text, func(found string) string {
		value, ok := values[kind.FindStringSubmatch(found)[1]].(string)
		if !ok {
			missing = fmt.Errorf("%s: the target has no such text", found)
		}
		return value
	})
	return filled, missing
}
