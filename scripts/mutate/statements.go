package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// function finds the changes of one function's body.
func (w *finder) function(of *ast.FuncType, body *ast.BlockStmt) {
	w.results = append(w.results, of)
	w.block(body.List)
	w.results = w.results[:len(w.results)-1]
}

func (w *finder) block(list []ast.Stmt) {
	for _, s := range list {
		w.statement(s)
	}
}

func (w *finder) statement(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.ExprStmt, *ast.IncDecStmt, *ast.DeferStmt, *ast.GoStmt, *ast.SendStmt:
		w.drop(s)
	case *ast.AssignStmt:
		if s.Tok != token.DEFINE && w.text(s.Lhs[0]) != "_" {
			w.drop(s)
		}
	case *ast.ReturnStmt:
		w.returns(s)
	case *ast.RangeStmt:
		w.loop(s, s.Body)
	case *ast.ForStmt:
		if s.Cond != nil {
			w.loop(s, s.Body)
		}
	case *ast.SwitchStmt:
		if s.Tag != nil {
			w.cases(s.Body)
		}
	case *ast.TypeSwitchStmt:
		w.cases(s.Body)
	}
	w.inside(s)
}

// inside goes on with what a statement is made of.
func (w *finder) inside(s ast.Stmt) {
	ast.Inspect(s, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BlockStmt:
			w.block(n.List)
			return false
		case *ast.CaseClause:
			for _, e := range n.List {
				if w.isBool(e) && !w.constant(e) {
					w.condition(e, "case never taken", "", false)
				}
			}
			w.block(n.Body)
			return false
		case *ast.CommClause:
			w.block(n.Body)
			return false
		case *ast.LabeledStmt:
			w.statement(n.Stmt)
			return false
		case *ast.FuncLit:
			w.function(n.Type, n.Body)
			return false
		case *ast.GenDecl: // constants inside functions
			return n.Tok != token.CONST
		case *ast.IfStmt:
			w.condition(n.Cond, "if never", "if always", false)
		case *ast.ForStmt:
			if n.Cond != nil {
				w.condition(n.Cond, "", "", false) // negated, it would not end
			}
		case ast.Expr:
			return w.expression(n)
		}
		return true
	})
}

// unkillable are calls without which nothing differs that a test could see: locks show in races only, and the rest in time.
func unkillable() []string {
	return []string{"Lock", "Unlock", "RLock", "RUnlock", "Close", "Grow", "Helper"}
}

// drop removes a statement.
func (w *finder) drop(s ast.Stmt) {
	var call ast.Expr
	switch s := s.(type) {
	case *ast.ExprStmt:
		call = s.X
	case *ast.DeferStmt:
		call = s.Call
	}
	if c, ok := call.(*ast.CallExpr); ok {
		name := w.text(c.Fun)
		if name == "panic" || slices.Contains(unkillable(), name[strings.LastIndex(name, ".")+1:]) {
			return
		}
	}
	id := w.add(s, "dropped: %s", w.text(s))
	w.insert(s, fmt.Sprintf("if !%s(%d) { ", chosen, id), " }", id)
}

// loop never enters the body.
func (w *finder) loop(s ast.Stmt, body *ast.BlockStmt) {
	if len(body.List) == 0 {
		return
	}
	head := string(w.file.text[w.offset(s.Pos()):w.offset(body.Pos())])
	id := w.add(s, "loop without turns: %s", head)
	w.insert(body.List[0], fmt.Sprintf("if %s(%d) { break }; ", chosen, id), "", id)
}

// cases drops each case of a switch.
func (w *finder) cases(body *ast.BlockStmt) {
	for _, s := range body.List {
		c, ok := s.(*ast.CaseClause)
		if !ok || len(c.Body) == 0 {
			continue
		}
		head := string(w.file.text[w.offset(c.Pos()):w.offset(c.Colon)])
		w.addAlone(c, c, "", "dropped: %s", head)
		w.probe(c.Body[0])
	}
}

// returns swallows an error, and answers the contrary.
func (w *finder) returns(s *ast.ReturnStmt) {
	for _, e := range s.Results {
		if _, compared := e.(*ast.BinaryExpr); w.isBool(e) && !compared {
			id := w.add(e, "contrary: return %s", w.text(e))
			w.insert(e, fmt.Sprintf("(%s(%d) != (", chosen, id), "))", id)
		}
	}
	results := w.results[len(w.results)-1].Results
	if results == nil || len(s.Results) == 0 {
		return
	}
	last := results.List[len(results.List)-1].Type
	named, ok := w.info.Types[last].Type.(*types.Named)
	if !ok || named.Obj().Pkg() != nil || named.Obj().Name() != "error" || w.text(s.Results[len(s.Results)-1]) == "nil" {
		return
	}
	var swallowed string
	if n := results.NumFields(); n > 1 && len(s.Results) == 1 {
		var names []string
		for i := range n - 1 {
			names = append(names, fmt.Sprintf("result%d", i))
		}
		list := strings.Join(names, ", ")
		swallowed = fmt.Sprintf("%s, _ := %s; return %s, nil", list, w.text(s.Results[0]), list)
	} else if n == 1 {
		swallowed = fmt.Sprintf("_ = %s; return nil", w.text(s.Results[0]))
	} else {
		kept := string(w.file.text[w.offset(s.Pos()):w.offset(s.Results[len(s.Results)-1].Pos())])
		swallowed = kept + "nil"
	}
	id := w.add(s, "error swallowed: %s", w.text(s))
	w.insert(s, fmt.Sprintf("if %s(%d) { %s }; ", chosen, id, swallowed), "", id)
}

// probe tells whether the last change, which is compiled alone, is reached.
func (w *finder) probe(s ast.Stmt) {
	m := w.mutants[len(w.mutants)-1]
	m.probed = true
	w.insert(s, fmt.Sprintf("_ = %s(%d); ", chosen, m.id), "", m.id)
}
