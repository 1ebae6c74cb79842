package dcql

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// Path is a claims path pointer (OpenID4VP 1.0 §7): each step a string (a name), a number (an index) or nil
// (every element).
type Path []any

func (p Path) check() error {
	if len(p) == 0 || len(p) > maxPath {
		return fmt.Errorf("a claims path has to have between 1 and %d steps", maxPath)
	}
	for _, step := range p {
		switch step := step.(type) {
		case nil, string:
		case float64:
			if step < 0 || step != math.Trunc(step) || step > 1<<20 {
				return errors.New("an index in a claims path is not a non-negative integer")
			}
		default:
			return errors.New("a claims path holds something else than strings, indexes and nulls")
		}
	}
	return nil
}

// namesElement reports whether the path is of the kind that mdocs have (OpenID4VP 1.0 §7.2).
func (p Path) namesElement() bool {
	if len(p) != 2 {
		return false
	}
	_, space := p[0].(string)
	_, element := p[1].(string)
	return space && element
}

// String writes the path for a person: address.street, nationalities[].
func (p Path) String() string {
	var b strings.Builder
	for i, step := range p {
		switch step := step.(type) {
		case string:
			if i > 0 {
				b.WriteByte('.')
			}
			b.WriteString(step)
		case float64:
			fmt.Fprintf(&b, "[%d]", int(step))
		case nil:
			b.WriteString("[]")
		}
	}
	return b.String()
}

// found is one selected value and its exact place: names and indexes (int) only.
type found struct {
	place []any
	value any
}

// walk processes the path from left to right (OpenID4VP 1.0 §7.1). It fails where the specification says to
// abort, and when nothing is selected in the end.
func (p Path) walk(claims map[string]any) ([]found, error) {
	selected := []found{{value: claims}}
	for _, step := range p {
		var next []found
		for _, at := range selected {
			under, err := at.step(step)
			if err != nil {
				return nil, err
			}
			next = append(next, under...)
		}
		selected = next
	}
	if len(selected) == 0 {
		return nil, errors.New("the path selects nothing")
	}
	return selected, nil
}

func (f found) step(step any) ([]found, error) {
	if name, ok := step.(string); ok {
		object, ok := f.value.(map[string]any)
		if !ok {
			return nil, errors.New("the path names a member of something that is no object")
		}
		if v, ok := object[name]; ok {
			return []found{f.at(name, v)}, nil
		}
		return nil, nil
	}
	array, ok := f.value.([]any)
	if !ok {
		return nil, errors.New("the path indexes something that is no array")
	}
	if index, ok := step.(float64); ok {
		if int(index) < len(array) {
			return []found{f.at(int(index), array[int(index)])}, nil
		}
		return nil, nil
	}
	var all []found
	for i, v := range array {
		all = append(all, f.at(i, v))
	}
	return all, nil
}

func (f found) at(step, value any) found {
	place := append(append(make([]any, 0, len(f.place)+1), f.place...), step)
	return found{place: place, value: value}
}
