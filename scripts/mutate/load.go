package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// source is one package with what its compiler knows of it.
type source struct {
	path  string // import path
	dir   string
	name  string
	fset  *token.FileSet
	files []*file
	info  *types.Info
	tests bool
}

type file struct {
	path string
	text []byte
	tree *ast.File

	inserts []insertion
}

// listed is what `go list` says of a package.
type listed struct {
	ImportPath, Dir, Name, Export string
	GoFiles                       []string
	TestGoFiles, XTestGoFiles     []string
	DepOnly                       bool
}

// load parses and type-checks the package; what it imports is read from the compiler's export data.
func load(pattern string) (*source, error) {
	packages, err := list("-deps", "-export", pattern)
	if err != nil {
		return nil, err
	}
	exports := map[string]string{}
	var own *listed
	for i, p := range packages {
		exports[p.ImportPath] = p.Export
		if !p.DepOnly {
			if own != nil {
				return nil, fmt.Errorf("%s: one package at a time", pattern)
			}
			own = &packages[i]
		}
	}
	if own == nil {
		return nil, fmt.Errorf("%s: no such package", pattern)
	}
	s := &source{path: own.ImportPath, dir: own.Dir, name: own.Name, fset: token.NewFileSet(), tests: len(own.TestGoFiles)+len(own.XTestGoFiles) > 0}
	if err := s.parse(own.GoFiles); err != nil {
		return nil, err
	}
	return s, s.check(exports)
}

func list(args ...string) ([]listed, error) {
	cmd := exec.CommandContext(context.Background(), "go", append([]string{"list", "-json=ImportPath,Dir,Name,Export,GoFiles,TestGoFiles,XTestGoFiles,DepOnly"}, args...)...) // #nosec G204 -- the developer's own arguments
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("listing packages: %w", err)
	}
	var packages []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages, nil
		} else if err != nil {
			return nil, fmt.Errorf("listing packages: %w", err)
		}
		packages = append(packages, p)
	}
}

func (s *source) parse(names []string) error {
	for _, name := range names {
		path := filepath.Join(s.dir, name)
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		tree, err := parser.ParseFile(s.fset, path, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		s.files = append(s.files, &file{path: path, text: text, tree: tree})
	}
	return nil
}

func (s *source) check(exports map[string]string) error {
	s.info = &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: importer.ForCompiler(s.fset, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("%s: no export data", path)
		}
		return os.Open(exports[path])
	})}
	var trees []*ast.File
	for _, f := range s.files {
		trees = append(trees, f.tree)
	}
	if _, err := config.Check(s.path, s.fset, trees, s.info); err != nil {
		return fmt.Errorf("type-checking %s: %w", s.path, err)
	}
	return nil
}

// of returns the text of a part of a file.
func (s *source) of(f *file, n ast.Node) string {
	return string(f.text[s.offset(n.Pos()):s.offset(n.End())])
}

func (s *source) offset(p token.Pos) int { return s.fset.Position(p).Offset }
