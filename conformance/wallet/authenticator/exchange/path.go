package exchange

import (
	"fmt"
	"strconv"
	"strings"
)

const maxPath = 512 // bytes

// path is a JSONPath that leads to at most one place: names and indices after a $.
type path []any // string or int

// parsePath reads $.a.b, $['a'] and $.a[0]. A path that could lead to many places is refused: which
// of them would be meant is not said anywhere.
func parsePath(text string) (path, error) {
	rest, ok := strings.CutPrefix(text, "$")
	if !ok || len(text) > maxPath {
		return nil, badPath()
	}
	var p path
	for rest != "" {
		var step any
		if step, rest, ok = nextStep(rest); !ok {
			return nil, badPath()
		}
		p = append(p, step)
	}
	return p, nil
}

func badPath() error {
	return fmt.Errorf("%w: a path is not made of names and indices", ErrDefinition)
}

func nextStep(text string) (step any, rest string, ok bool) {
	if after, dotted := strings.CutPrefix(text, "."); dotted {
		end := strings.IndexAny(after, ".[")
		if end < 0 {
			end = len(after)
		}
		name := after[:end]
		return name, after[end:], name != "" && !strings.ContainsAny(name, "*@?()]'\" ")
	}
	inside, bracketed := strings.CutPrefix(text, "[")
	if !bracketed || inside == "" {
		return nil, "", false
	}
	if quote := inside[0]; quote == '\'' || quote == '"' {
		name, after, closed := strings.Cut(inside[1:], string(quote)+"]")
		return name, after, closed && name != "" && !strings.ContainsAny(name, `'"\`)
	}
	digits, after, closed := strings.Cut(inside, "]")
	index, err := strconv.Atoi(digits)
	return index, after, closed && err == nil && index >= 0 && strconv.Itoa(index) == digits
}

// find returns what is at the place, nil when nothing is.
func (p path) find(claims map[string]any) any {
	var at any = claims
	for _, step := range p {
		switch step := step.(type) {
		case string:
			members, _ := at.(map[string]any)
			at = members[step]
		case int:
			list, _ := at.([]any)
			if step >= len(list) {
				return nil
			}
			at = list[step]
		}
	}
	return at
}
