package main

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"
)

// verdict is what became of a change.
type verdict int

const (
	untried   verdict = iota
	killed            // a test failed, or did not end
	survived          // every test that reaches it passed
	uncovered         // no test reaches it
	invalid           // the compiler refuses it
)

// mutant is one change of the source.
type mutant struct {
	id   int
	file *file
	line int
	what string // what was changed, in words

	// alone is a change that is compiled alone: this part of the file gives way to that text. Nil for one of the
	// changes that are compiled together.
	alone  *replacement
	probed bool // whether it is known which tests reach it

	verdict verdict
	by      string // the test, or suite, that noticed
}

type replacement struct {
	from, to int
	text     string
}

// insertion is text that chooses among the changes of one part of a file, around or before it.
type insertion struct {
	from, to      int // the part of the file
	before, after string
	ids           []int
}

// finder walks one file.
type finder struct {
	*source
	file    *file
	mutants []*mutant
	inserts []insertion
	next    *int
	results []*ast.FuncType // of the functions around the current place
	done    map[ast.Expr]bool
	// doubledUse holds the constants that are doubled where they are used.
	doubledUse map[types.Object]bool
}

// mutants finds every change of the package. The insertions that choose among them are kept with the files.
func (s *source) mutants() []*mutant {
	var all []*mutant
	next := 1
	used := map[types.Object]bool{}
	var finders []*finder
	for _, f := range s.files {
		w := &finder{source: s, file: f, next: &next, done: map[ast.Expr]bool{}, doubledUse: used}
		for _, d := range f.tree.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
				w.function(fn.Type, fn.Body)
			}
		}
		f.inserts = w.inserts
		finders = append(finders, w)
	}
	for _, w := range finders {
		w.constants()
		all = append(all, w.mutants...)
	}
	return all
}

// add notes a change at a node and returns its number.
func (w *finder) add(at ast.Node, format string, args ...any) int {
	m := &mutant{id: *w.next, file: w.file, line: w.fset.Position(at.Pos()).Line, what: oneLine(fmt.Sprintf(format, args...))}
	*w.next++
	w.mutants = append(w.mutants, m)
	return m.id
}

// addAlone notes a change that is compiled alone.
func (w *finder) addAlone(at, part ast.Node, text, format string, args ...any) {
	w.add(at, format, args...)
	w.mutants[len(w.mutants)-1].alone = &replacement{w.offset(part.Pos()), w.offset(part.End()), text}
}

func (w *finder) insert(part ast.Node, before, after string, ids ...int) {
	w.inserts = append(w.inserts, insertion{w.offset(part.Pos()), w.offset(part.End()), before, after, ids})
}

func (w *finder) text(n ast.Node) string { return w.of(w.file, n) }

// oneLine shortens what is printed of the source.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 150 {
		return text[:150] + "…"
	}
	return text
}
