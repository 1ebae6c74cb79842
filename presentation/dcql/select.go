package dcql

import (
	"errors"
	"fmt"
)

// ErrNoClaim reports that a path selects nothing, or leads through a value of the wrong kind.
var ErrNoClaim = errors.New("claim not found")

// Select returns the values that the path selects in claims, at least one (§7.1.1, and §7.2.1 with an mdoc's
// namespaces as an object of objects). claims is what JSON reads into an any. The error says where the path ends, and
// what it wanted there; never what is there.
func (p Path) Select(claims any) ([]any, error) {
	w := walk{path: p}
	if missing := w.run(claims); missing != "" {
		return nil, fmt.Errorf("%w: %s: no %s", ErrNoClaim, p, missing)
	}
	return w.found, nil
}

// walk is one path being walked. It goes down one branch after the other, and §7.1.1 goes step by step: both select
// the same values in the same order, because a value of the wrong kind spoils the whole either way.
type walk struct {
	path Path
	// moved says that an index is that of the credential, while elements before it may be missing from the array at
	// hand, see [Presentation.Withheld].
	moved   bool
	found   []any
	wrong   string // the kind that a value on the way should have had
	at      int    // the steps taken when it had another; the fewest, where there are several
	deepest int    // the steps of the longest part of the path that selects nothing
}

// run walks from the root, and says what is missing: "object at address", or nothing.
func (w *walk) run(root any) string {
	w.from(root, 0)
	switch {
	case w.wrong != "":
		return w.wrong + " at " + w.path.place(w.at)
	case len(w.found) == 0 || len(w.path) == 0:
		return "value at " + w.path.place(w.deepest)
	}
	return ""
}

func (p Path) place(steps int) string {
	if steps == 0 {
		return "the root"
	}
	return p[:steps].Pointer()
}

// from takes the rest of the path from one value. Not finding anything is no failure, standing on the wrong kind of
// value is.
func (w *walk) from(value any, steps int) {
	if steps == len(w.path) {
		w.found = append(w.found, value)
		return
	}
	s := w.path[steps]
	if s.kind == nameStep {
		w.member(value, s.name, steps)
		return
	}
	array, ok := value.([]any)
	if !ok {
		w.abort("array", steps)
		return
	}
	if s.kind == indexStep && w.moved {
		w.earlier(array[:min(max(s.index+1, 0), len(array))], steps)
		return
	}
	elements := s.of(array)
	for _, element := range elements {
		w.from(element, steps+1)
	}
	if len(elements) == 0 {
		w.deepest = max(w.deepest, steps+1)
	}
}

// of returns the elements that an index or every element is.
func (s Step) of(array []any) []any {
	switch {
	case s.kind == everyStep:
		return array
	case s.index >= 0 && s.index < len(array):
		return array[s.index : s.index+1]
	}
	return nil
}

func (w *walk) member(value any, name string, steps int) {
	object, ok := value.(map[string]any)
	if !ok {
		w.abort("object", steps)
		return
	}
	if member, there := object[name]; there {
		w.from(member, steps+1)
		return
	}
	w.deepest = max(w.deepest, steps+1)
}

// earlier takes every element that may be the one with the index. Those that the path does not fit are others.
func (w *walk) earlier(array []any, steps int) {
	for _, element := range array {
		branch := *w
		branch.from(element, steps+1)
		if branch.wrong == w.wrong {
			*w = branch
		}
	}
	w.deepest = max(w.deepest, steps+1)
}

func (w *walk) abort(wanted string, steps int) {
	if w.wrong == "" || steps < w.at {
		w.wrong, w.at = wanted, steps
	}
}
