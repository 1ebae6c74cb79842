package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"
)

// The names of what is written beside the package to choose among its changes.
const (
	chosen  = "mutateChosen"
	replace = "mutateReplace"
)

func (w *finder) isBool(e ast.Expr) bool {
	t, ok := w.info.Types[e].Type.(*types.Basic)
	return ok && t.Info()&types.IsBoolean != 0
}

func (w *finder) constant(e ast.Expr) bool { return w.info.Types[e].Value != nil }

// expression finds the changes of an expression, and reports whether its parts are to be looked at.
func (w *finder) expression(e ast.Expr) bool {
	if w.info.Types[e].IsType() {
		return false
	}
	if w.constant(e) {
		w.number(e)
		return false
	}
	switch e := e.(type) {
	case *ast.BinaryExpr:
		if w.isBool(e) {
			w.condition(e, "", "", true)
		}
	case *ast.CallExpr:
		name := w.text(e.Fun)
		return name != "make" && name != "new" // capacities
	case *ast.KeyValueExpr:
		ast.Inspect(e.Value, w.inner)
		return false // a key may have to be constant
	}
	return true
}

// inner is inside for an expression alone.
func (w *finder) inner(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncLit:
		w.function(n.Type, n.Body)
		return false
	case ast.Expr:
		return w.expression(n)
	}
	return true
}

// alternative is what an expression may be changed to.
type alternative struct {
	what, text string
}

// condition changes a condition: to false and true, if the words for that are given, and to its neighbours.
func (w *finder) condition(e ast.Expr, never, always string, negate bool) {
	if w.done[e] || !w.isBool(e) || w.constant(e) || w.info.Types[e].IsType() {
		return
	}
	w.done[e] = true
	var before strings.Builder
	var ids []int
	if always != "" {
		id := w.add(e, "%s: %s", always, w.text(e))
		fmt.Fprintf(&before, "%s(%d) || ", chosen, id)
		ids = append(ids, id)
	}
	if never != "" {
		id := w.add(e, "%s: %s", never, w.text(e))
		fmt.Fprintf(&before, "!%s(%d) && ", chosen, id)
		ids = append(ids, id)
	}
	var others []string
	var choice strings.Builder
	for _, a := range w.neighbours(e, negate) {
		id := w.add(e, "%s", a.what)
		fmt.Fprintf(&choice, "%s(%d) && (%s) || ", chosen, id, a.text)
		others = append(others, fmt.Sprint(id))
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return
	}
	if len(others) > 0 {
		fmt.Fprintf(&before, "(%s!%s(%s) && ", choice.String(), chosen, strings.Join(others, ", "))
		w.insert(e, "("+before.String()+"(", ")))", ids...)
		return
	}
	w.insert(e, "("+before.String()+"(", "))", ids...)
}

// neighbours are the changes that a slip of the hand makes.
func (w *finder) neighbours(e ast.Expr, negate bool) []alternative {
	b, ok := e.(*ast.BinaryExpr)
	if !ok {
		return nil
	}
	x, y := w.flat(b.X), w.flat(b.Y)
	change := func(op string) alternative {
		return alternative{fmt.Sprintf("%s %s %s became %s", x, b.Op, y, op), x + " " + op + " " + y}
	}
	var found []alternative
	switch b.Op {
	case token.LAND, token.LOR:
		other := map[token.Token]string{token.LAND: "||", token.LOR: "&&"}[b.Op]
		return []alternative{
			{fmt.Sprintf("only the left of: %s %s %s", x, b.Op, y), x},
			{fmt.Sprintf("only the right of: %s %s %s", x, b.Op, y), y},
			{fmt.Sprintf("%s %s %s became %s", x, b.Op, y, other), fmt.Sprintf("(%s) %s (%s)", x, other, y)},
		}
	case token.LSS:
		found = append(found, change("<="))
	case token.LEQ:
		found = append(found, change("<"))
	case token.GTR:
		found = append(found, change(">="))
	case token.GEQ:
		found = append(found, change(">"))
	}
	if negate {
		found = append(found, alternative{fmt.Sprintf("negated: %s %s %s", x, b.Op, y), fmt.Sprintf("!(%s)", w.flat(e))})
	}
	return found
}

// number doubles a number: a limit, a length, a lifetime. Zero and one are left to the comparisons around them.
func (w *finder) number(e ast.Expr) {
	tv := w.info.Types[e]
	if tv.Value.Kind() != constant.Int && tv.Value.Kind() != constant.Float {
		return
	}
	if constant.Compare(tv.Value, token.LSS, constant.MakeInt64(2)) {
		return
	}
	name, ok := w.numberType(e)
	if !ok {
		return
	}
	ast.Inspect(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && w.info.Uses[id] != nil {
			w.doubledUse[w.info.Uses[id]] = true
		}
		return true
	})
	text := w.flat(e)
	id := w.add(e, "doubled: %s", text)
	w.insert(e, fmt.Sprintf("%s%s(%d, (%s)%s, ", replace, name, id, text, w.doubled(tv)), ")", id)
}

// doubled is the operation that changes the number: half of it, where twice does not fit.
func (w *finder) doubled(tv types.TypeAndValue) string {
	if b, ok := tv.Type.Underlying().(*types.Basic); ok && (b.Kind() == types.Uint8 || b.Kind() == types.Int8) {
		return "/2"
	}
	return "*2"
}

// numberType is how the type of a number is given to a generic function: not at all where the number says it.
func (w *finder) numberType(e ast.Expr) (string, bool) {
	switch t := w.info.Types[e].Type.(type) {
	case *types.Basic:
		if t.Info()&types.IsUntyped != 0 {
			return "", false
		}
		return "[" + t.Name() + "]", true
	case *types.Named:
		if t.Obj().Pkg() != nil && t.Obj().Pkg().Path() == "time" && t.Obj().Name() == "Duration" {
			return "", w.typed(e)
		}
	}
	return "", false
}

// typed reports whether an expression has its type without what is around it.
func (w *finder) typed(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if c, ok := w.info.Uses[id].(*types.Const); ok {
				b, basic := c.Type().(*types.Basic)
				found = found || !basic || b.Info()&types.IsUntyped == 0
			}
		}
		return true
	})
	return found
}

// constants doubles the package's constants that stand where the compiler wants a constant, each in a compilation of its own.
func (w *finder) constants() {
	for _, d := range w.file.tree.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.CONST {
			continue
		}
		for _, s := range decl.Specs {
			spec, ok := s.(*ast.ValueSpec)
			if !ok {
				continue
			}
			for i, v := range spec.Values {
				tv := w.info.Types[v]
				numeric := tv.Value != nil && (tv.Value.Kind() == constant.Int || tv.Value.Kind() == constant.Float)
				if !numeric || w.doubledUse[w.info.Defs[spec.Names[i]]] || strings.Contains(w.text(v), "iota") || constant.Compare(tv.Value, token.LSS, constant.MakeInt64(2)) {
					continue
				}
				w.addAlone(spec, v, "("+w.text(v)+")*2", "doubled: %s = %s", spec.Names[i].Name, w.text(v))
			}
		}
	}
}

// flat is the text on one line, so that the compiler's messages name the lines of the file.
func (w *finder) flat(n ast.Node) string {
	text := w.text(n)
	if strings.Contains(text, "//") || strings.Contains(text, "`") {
		return text
	}
	return strings.ReplaceAll(text, "\n", " ")
}
