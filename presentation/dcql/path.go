package dcql

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

const maxSteps = 16

// Path is a claims path pointer (OpenID4VP 1.0 §7): it selects claims, starting at the root of the credential.
type Path []Step

// Step is one component of a path: a name in an object, an index in an array, or every element of an array. Compare
// steps with ==. The zero Step is [Every].
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

// Name returns the step to a member of an object.
func Name(name string) Step { return Step{kind: nameStep, name: name} }

// Index returns the step to an element of an array, counted from 0.
func Index(i int) Step { return Step{kind: indexStep, index: i} }

// Every returns the step to all elements of an array. Its JSON is null.
func Every() Step { return Step{} }

// Names returns a path of names only: Names("address", "locality").
func Names(names ...string) Path {
	path := make(Path, 0, len(names))
	for _, name := range names {
		path = append(path, Name(name))
	}
	return path
}

// ParsePath parses the JSON of a path, such as ["nationalities", null].
func ParsePath(raw []byte) (Path, error) {
	var path Path
	if err := json.Unmarshal(raw, &path); err != nil {
		return nil, fmt.Errorf("reading a claims path: %w", err)
	}
	return path, path.validate()
}

// Name returns the name of the step, and whether it has one.
func (s Step) Name() (string, bool) { return s.name, s.kind == nameStep }

// String returns the JSON of the path.
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
