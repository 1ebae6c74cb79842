package exchange

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/go-jose/go-jose/v4/json"
)

const maxPattern = 4 << 10 // bytes

// field is one of constraints.fields: one of the paths has to lead to something that passes the filter.
type field struct {
	paths  []path
	filter *filter // nil: anything
}

// filter is a pattern under the two readings that have to agree.
type filter struct {
	schema  *regexp.Regexp // JSON Schema: anywhere in the text, and case counts
	literal *regexp.Regexp // the Android library: of a literal such as /…/i
}

type rawField struct {
	Path   []string        `json:"path"`
	Filter json.RawMessage `json:"filter"`
}

func (raw rawField) parse() (field, error) {
	if len(raw.Path) == 0 || len(raw.Path) > maxFields {
		return field{}, fmt.Errorf("%w: a field has no path, or too many", ErrDefinition)
	}
	var f field
	for _, text := range raw.Path {
		p, err := parsePath(text)
		if err != nil {
			return field{}, err
		}
		f.paths = append(f.paths, p)
	}
	if raw.Filter == nil {
		return f, nil
	}
	var err error
	f.filter, err = parseFilter(raw.Filter)
	return f, err
}

func parseFilter(raw json.RawMessage) (*filter, error) {
	var body struct {
		Type    string  `json:"type"`
		Pattern *string `json:"pattern"`
	}
	if err := json.Unmarshal(raw, &body); err != nil || body.Pattern == nil || body.Type != "string" {
		return nil, fmt.Errorf("%w: a filter is not the type string and a pattern", ErrDefinition)
	}
	if len(*body.Pattern) > maxPattern {
		return nil, fmt.Errorf("%w: a pattern is too long", ErrDefinition)
	}
	schema, err := regexp.Compile(*body.Pattern) // RE2: no pattern of a stranger takes for ever
	if err != nil {
		return nil, fmt.Errorf("%w: a pattern is no regular expression", ErrDefinition)
	}
	literal, err := regexp.Compile("(?i)" + unwrap(*body.Pattern))
	if err != nil {
		return nil, fmt.Errorf("%w: without its first character a pattern is no regular expression, and wallets that take it for /…/i fail", ErrDefinition)
	}
	return &filter{schema: schema, literal: literal}, nil
}

// unwrap takes /…/gi apart as the Android library does, whether or not there are slashes.
func unwrap(pattern string) string {
	if len(pattern) <= 1 {
		return ""
	}
	end := len(pattern)
	if slash := strings.LastIndexByte(pattern, '/'); slash >= 0 {
		flags := pattern[slash+1:]
		end -= 1 + len(flags) - len(strings.TrimLeft(flags, "gi"))
	}
	return pattern[1:max(end, 1)]
}

func (f field) matches(claims map[string]any) bool {
	for _, p := range f.paths {
		value := p.find(claims)
		text, isText := value.(string)
		if f.filter == nil && value != nil || f.filter != nil && isText && f.filter.matches(text) {
			return true
		}
	}
	return false
}

func (f *filter) matches(text string) bool {
	return f.schema.MatchString(text) && f.literal.MatchString(text)
}
