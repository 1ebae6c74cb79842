package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// readers lists, by package, the functions that read keys and certificates of any size: whoever calls one with what a
// stranger sent lets the stranger choose how long we calculate. A JWS is among them, since go-jose reads what its header
// brings along.
func readers() map[string][]string {
	const jose = "github.com/go-jose/go-jose/v4"
	return map[string][]string{
		"crypto/x509": {"ParseCertificate", "ParseCertificates", "ParsePKIXPublicKey", "ParsePKCS1PublicKey"},
		jose:          {"ParseSigned", "ParseSignedCompact", "ParseSignedJSON", "ParseDetached", "ParseEncrypted", "ParseEncryptedCompact", "ParseEncryptedJSON"},
		jose + "/jwt": {"ParseSigned", "ParseSignedAndEncrypted", "ParseEncrypted"},
	}
}

// decoded are the types that json.Unmarshal makes keys of, without a bound.
func decoded() []string { return []string{"JSONWebKey", "JSONWebKeySet"} }

// mayRead lists who may all the same, each with its reason.
func mayRead() map[string]string {
	return map[string]string{
		"internal/publickey/":                "is the bounded reader",
		"conformance/":                       "counterparts share none of our code, and are never deployed",
		"provider/keys/certify.go":           "a certificate that was made a line above",
		"verifier/verifiertest/authority.go": "a certificate that was made a line above",
	}
}

// TestStrangersKeysAreReadInOnePlace holds that every certificate and public key of a stranger passes through
// internal/publickey, which looks at its size before anything is calculated.
func TestStrangersKeysAreReadInOnePlace(t *testing.T) {
	used := map[string]bool{}
	eachGoFile(t, func(path string) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		found := keysRead(file)
		for prefix := range mayRead() {
			if strings.HasPrefix(filepath.ToSlash(path), prefix) && len(found) > 0 {
				used[prefix], found = true, nil
			}
		}
		for _, what := range found {
			t.Errorf("%s: %s: use internal/publickey", path, what)
		}
	})
	for prefix := range mayRead() {
		if !used[prefix] {
			t.Errorf("%s may read keys, and reads none: take it off the list", prefix)
		}
	}
}

// TestKeysReadBites shows that the test above can fail.
func TestKeysReadBites(t *testing.T) {
	const begin = "package p\nimport (\n\"crypto/x509\"\nother \"github.com/go-jose/go-jose/v4\"\n\"github.com/go-jose/go-jose/v4/jwt\"\n)\n"
	for code, reads := range map[string]bool{
		"var _, _ = x509.ParseCertificate(nil)":                            true,
		"func f() { g(x509.ParseCertificates) }":                           true,
		"func f() { jwt.ParseSigned(``, nil) }":                            true,
		"func f() { other.ParseSignedCompact(``, nil) }":                   true,
		"func f() { var set other.JSONWebKeySet; json(&set) }":             true,
		"func f() { set := new(other.JSONWebKey); json(set) }":             true,
		"func f() { set := other.JSONWebKeySet{}; json(&set) }":            true,
		"type t struct { Key *other.JSONWebKey `json:\"jwk\"` }":           true,
		"type t struct { Keys map[string][]other.JSONWebKey `json:\"\"` }": true,
		"func f() { var keys []other.JSONWebKey; _ = keys }":               false,
		"type t struct { Key other.JSONWebKey }":                           false,
		"func f() { k := other.JSONWebKey{Key: 1}; _ = k }":                false,
		"func f(certificate *x509.Certificate) { x509.NewCertPool() }":     false,
		"func f(c []other.JSONWebKey) (k other.JSONWebKeySet) { return }":  false,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "p.go", begin+code, 0)
		if err != nil {
			t.Fatal(err)
		}
		if found := keysRead(file); (len(found) > 0) != reads {
			t.Errorf("%s: found %v", code, found)
		}
	}
}

// keysRead lists where a file reads keys: calls of readers, and variables and fields that JSON is decoded into.
func keysRead(file *ast.File) []string {
	s := scan{imports: map[string]string{}, addressed: map[string]bool{}}
	for _, spec := range file.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		name := strings.TrimSuffix(path, "/v4")
		name = strings.TrimPrefix(name[strings.LastIndexByte(name, '/')+1:], "go-")
		if spec.Name != nil {
			name = spec.Name.Name
		}
		s.imports[name] = path
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if address, ok := n.(*ast.UnaryExpr); ok && address.Op == token.AND {
			if name, ok := address.X.(*ast.Ident); ok {
				s.addressed[name.Name] = true
			}
		}
		return true
	})
	ast.Inspect(file, s.look)
	return s.found
}

type scan struct {
	imports   map[string]string
	addressed map[string]bool // names of variables whose address is taken: a decoder needs it
	found     []string
}

func (s *scan) look(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.SelectorExpr:
		if path, name := s.selected(n); slices.Contains(readers()[path], name) {
			s.found = append(s.found, path+"."+name)
		}
	case *ast.ValueSpec: // var set jose.JSONWebKeySet
		if len(n.Values) == 0 && s.addressed[n.Names[0].Name] {
			s.decodes(n.Type)
		}
	case *ast.AssignStmt: // set := jose.JSONWebKeySet{}
		name, ok := n.Lhs[0].(*ast.Ident)
		if value, empty := n.Rhs[0].(*ast.CompositeLit); ok && empty && len(value.Elts) == 0 && s.addressed[name.Name] {
			s.decodes(value.Type)
		}
	case *ast.CallExpr: // new(jose.JSONWebKey)
		if f, ok := n.Fun.(*ast.Ident); ok && f.Name == "new" {
			s.decodes(n.Args[0])
		}
	case *ast.Field:
		if n.Tag != nil && strings.Contains(n.Tag.Value, "json:") {
			s.decodes(n.Type)
		}
	}
	return true
}

// decodes notes a type that has one of decoded in it.
func (s *scan) decodes(expression ast.Expr) {
	if expression == nil {
		return
	}
	ast.Inspect(expression, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			path, name := s.selected(selector)
			if strings.HasPrefix(path, "github.com/go-jose/") && slices.Contains(decoded(), name) {
				s.found = append(s.found, "a "+name+" to be decoded")
			}
		}
		return true
	})
}

// selected resolves a name of another package.
func (s *scan) selected(n *ast.SelectorExpr) (path, name string) {
	pkg, ok := n.X.(*ast.Ident)
	if !ok {
		return "", ""
	}
	return s.imports[pkg.Name], n.Sel.Name
}
