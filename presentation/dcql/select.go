package dcql

import (
	"errors"
	"fmt"
)

// ErrNoClaim means that a path selects nothing, or meets a value of the wrong type.
var ErrNoClaim = errors.New("claim not found")

// Select returns the values that the path selects in claims, at least one (OpenID4VP 1.0 §7.1.1, and §7.2.1 with an
// mdoc's namespaces as an object of objects). claims is JSON decoded into an any. The error, an ErrNoClaim, says how
// far the path got and which type it needs there, never what is there.
func (p Path) Select(claims any) ([]any, error) {
	w := walk{path: p}
	if missing := w.run(claims); missing != "" {
		return nil, fmt.Errorf("%w: %s: no %s", ErrNoClaim, p, missing)
	}
	return w.found, nil
}

// walk is the state of one selection. It is depth-first, while OpenID4VP 1.0 §7.1.1 describes it step by step. Both
// select the same values in the same order, since in both a value of the wrong type anywhere aborts the whole
// selection.
type walk struct {
	path Path
	// withheld reports that the array may lack elements before an index, which is that in the whole credential, see
	// [Presentation.Withheld].
	withheld bool
	found    []any
	wrong    string // the type that was expected where a value of another type was found, "" for none
	at       int    // the number of steps to that value; the smallest, if there are several
	deepest  int    // the number of steps to the longest prefix of the path that selects nothing
}

// run starts at the root. It returns what is missing, such as "object at address", or "".
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

// from applies the rest of the path to one value. A missing member or index only selects nothing; a value of the wrong
// type aborts the selection.
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
	if s.kind == indexStep && w.withheld {
		w.upToIndex(array[:min(max(s.index+1, 0), len(array))], steps)
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

// upToIndex tries every element that may be the one with the index, see [Presentation.Withheld]. It ignores those for
// which the rest of the path meets the wrong type.
func (w *walk) upToIndex(array []any, steps int) {
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
