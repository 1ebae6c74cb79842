package dcql

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

const maxSteps = 16

// Path is a claims path pointer (§7): how to walk from the credential's root to a claim.
type Path []Step

// Step is one component of a path: a name in an object, an index in an array, or every element of
// an array. Steps compare with ==; the zero Step is [Every].
type Step struct {
	kind  stepKind
	name  string
	index int
}

type stepKind byte

const (
	everyStep stepKind = iota
	nameStep
	indexStep
)

// Name steps to the member of an object.
func Name(name string) Step { return Step{kind: nameStep, name: name} }

// Index steps to the element of an array, counted from 0.
func Index(i int) Step { return Step{kind: indexStep, index: i} }

// Every steps to all elements of an array at once; JSON writes it as null.
func Every() Step { return Step{} }

// Names is the path through objects only: Names("address", "locality").
func Names(names ...string) Path {
	path := make(Path, 0, len(names))
	for _, name := range names {
		path = append(path, Name(name))
	}
	return path
}

// ParsePath reads the JSON of a path, such as ["nationalities", null].
func ParsePath(raw []byte) (Path, error) {
	var path Path
	if err := json.Unmarshal(raw, &path); err != nil {
		return nil, fmt.Errorf("reading a claims path: %w", err)
	}
	return path, path.validate()
}

// Name returns the step's name, and whether it is a step to a name.
func (s Step) Name() (string, bool) { return s.name, s.kind == nameStep }

// String is the JSON of the path.
func (p Path) String() string {
	text, err := json.Marshal(p)
	if err != nil {
		return "[]"
	}
	return string(text)
}

// MarshalJSON writes a string, a number or null.
func (s Step) MarshalJSON() ([]byte, error) {
	switch s.kind {
	case nameStep:
		return json.Marshal(s.name)
	case indexStep:
		return json.Marshal(s.index)
	}
	return []byte("null"), nil
}

// UnmarshalJSON reads a string, a non-negative integer or null.
func (s *Step) UnmarshalJSON(raw []byte) error {
	var component any
	if err := json.Unmarshal(raw, &component); err != nil {
		return err
	}
	switch c := component.(type) {
	case nil:
		*s = Every()
		return nil
	case string:
		*s = Name(c)
		return nil
	case float64:
		if c >= 0 && c == math.Trunc(c) && c <= math.MaxInt32 {
			*s = Index(int(c))
			return nil
		}
	}
	return errors.New("a step is no string, no null and no non-negative integer")
}

func (p Path) validate() error {
	if len(p) == 0 || len(p) > maxSteps {
		return fmt.Errorf("a claims path has %d steps, want 1 to %d", len(p), maxSteps)
	}
	for _, s := range p {
		if s.index < 0 || len(s.name) > maxText || !utf8.ValidString(s.name) {
			return errors.New("a step of a claims path is negative, too long or not UTF-8")
		}
	}
	return nil
}

// ErrNoClaim reports that a path selects nothing, or leads through a value of the wrong kind.
var ErrNoClaim = errors.New("claim not found")

// Select returns the values that the path selects in claims, at least one (§7.1.1). claims is what
// JSON reads into an any.
func (p Path) Select(claims any) ([]any, error) {
	selected := []any{claims}
	for _, s := range p {
		var next []any
		for _, at := range selected {
			under, ok := s.from(at)
			if !ok {
				return nil, fmt.Errorf("%w: %s", ErrNoClaim, p)
			}
			next = append(next, under...)
		}
		selected = next
	}
	if len(selected) == 0 || len(p) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNoClaim, p)
	}
	return selected, nil
}

// from takes the step from one value. Not finding anything is no failure, standing on the wrong
// kind of value is.
func (s Step) from(value any) (under []any, ok bool) {
	if s.kind == nameStep {
		object, ok := value.(map[string]any)
		if member, found := object[s.name]; found {
			under = []any{member}
		}
		return under, ok
	}
	array, ok := value.([]any)
	switch {
	case s.kind == everyStep:
		return array, ok
	case s.index >= 0 && s.index < len(array):
		return array[s.index : s.index+1], ok
	}
	return nil, ok
}
