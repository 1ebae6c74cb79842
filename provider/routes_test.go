package provider_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"regain/provider/registration"
)

// TestRouteTable holds the table in the package comment against what the faces mount: no route that is not in it, and none
// in it that is not mounted.
func TestRouteTable(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var table []string
	for _, row := range regexp.MustCompile(`(?m)^//\t((?:[A-Z]+ )+) *(/\S*)`).FindAllStringSubmatch(string(text), -1) {
		for method := range strings.FieldsSeq(row[1]) {
			table = append(table, method+" "+regexp.MustCompile(`\{(\w+)\}`).ReplaceAllString(row[2], ":$1"))
		}
	}
	mounted := mountedRoutes(t)
	slices.Sort(table)
	slices.Sort(mounted)
	if !slices.Equal(table, mounted) {
		t.Errorf("the table has\n%s\nand mounted are\n%s", strings.Join(table, "\n"), strings.Join(mounted, "\n"))
	}
}

// mountedRoutes reads the calls that mount a route in the code of the faces.
func mountedRoutes(t *testing.T) (routes []string) {
	t.Helper()
	files, err := filepath.Glob("*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(files, "provider.go") {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 2 {
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"GET", "POST", "PUT", "DELETE"}, method.Sel.Name) {
				return true
			}
			prefix := ""
			if router, ok := method.X.(*ast.Ident); ok && router.Name == "txn" {
				prefix = "/recover/:txn"
			}
			routes = append(routes, method.Sel.Name+" "+prefix+strings.Replace(address(t, call.Args[0]), "*", ":", 1))
			return true
		})
	}
	return routes
}

// address evaluates the address of a route: a literal, or the registration's path and what is below it.
func address(t *testing.T, e ast.Expr) string {
	t.Helper()
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		return text
	case *ast.SelectorExpr:
		return registration.Path
	case *ast.BinaryExpr:
		return address(t, e.X) + address(t, e.Y)
	}
	t.Fatalf("a route whose address is a %T", e)
	return ""
}
