package main_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// arrow forbids imports. A path ending in /... covers what is below it, and itself.
type arrow struct {
	from   []string
	never  []string
	except []string
	why    string
}

// arrows are the import arrows of the house. Test files are free: an end-to-end test may see everything.
func arrows() []arrow {
	const protocols = "the domain outlives every protocol and database; a rule that needs one of them cannot be tested without it"
	return []arrow{
		{from: []string{"regain/recovery"}, never: []string{"regain/..."}, why: protocols},
		{from: []string{"regain/recovery"}, never: []string{
			"github.com/...", "go.etcd.io/...", "net/http", "database/sql",
		}, why: protocols},
		{from: []string{"regain/presentation/..."}, never: []string{"regain/..."}, except: []string{"regain/presentation/...", "regain/internal/..."},
			why: "how a wallet is asked has nothing to do with whom we trust or what we do with the answer"},
		{from: []string{"regain/verifier/..."}, never: []string{"regain/..."}, except: []string{"regain/verifier/...", "regain/internal/..."},
			why: "whether a credential is genuine must not depend on who asks, or for what"},
		{from: []string{"regain/adapters/..."}, never: []string{"regain/..."}, except: []string{"regain/recovery", "regain/internal/fetch"},
			why: "an adapter can be replaced alone: it knows the port it serves and no other adapter"},
		{from: []string{"regain/storage/..."}, never: []string{"regain/..."}, except: []string{"regain/recovery", "regain/storage"},
			why: "a backend is bytes in, bytes out; backends do not know each other"},
		{from: []string{"regain/provider/..."}, never: []string{"regain/..."},
			except: []string{"regain/provider/...", "regain/recovery", "regain/presentation/...", "regain/verifier", "regain/storage", "regain/internal/..."},
			why:    "the HTTP face works with any backend and any adapter; which ones, the wiring says"},
		{from: []string{"regain/internal/cache", "regain/internal/clock", "regain/internal/config", "regain/internal/fetch", "regain/internal/publickey", "regain/internal/strictjson"}, never: []string{"regain/..."},
			except: []string{"regain/internal/..."}, why: "plumbing has no knowledge of recovery"},
		{from: []string{"regain/conformance/..."}, never: []string{"regain/..."},
			except: []string{"regain/conformance/..."},
			why:    "a counterpart that shares our code agrees with our mistakes"},
		{from: []string{"regain/..."}, never: []string{"regain/conformance/..."}, except: nil,
			why: "what is served in production must not contain its own test world"},
		{from: []string{"regain/..."}, never: []string{"github.com/ory/fosite/..."},
			why: "fosite's defects are contained in one package (docs/decisions/0001-fosite.md)"},
		{from: []string{"regain/..."}, never: []string{"github.com/gin-gonic/gin/..."},
			why: "one package knows how HTTP is routed"},
		{from: []string{"regain/..."}, never: []string{"go.etcd.io/bbolt/..."}, why: "one backend knows its file format"},
	}
}

// allowed lists the pairs that an arrow as a whole forbids, each with its reason.
func allowed() map[[2]string]string {
	world := "starts a node as an operator would, from configuration files"
	return map[[2]string]string{
		{"regain/provider/oauth", "github.com/ory/fosite/..."}:       "is that package",
		{"regain/provider", "github.com/gin-gonic/gin/..."}:          "is that package",
		{"regain/storage/bolt", "go.etcd.io/bbolt/..."}:              "is that backend",
		{"regain", "regain/conformance/demo"}:                        "the subcommand demo",
		{"regain", "regain/conformance/oidf"}:                        "the subcommand oidf",
		{"regain", "regain/conformance/load"}:                        "the subcommand load",
		{"regain/conformance/world", "regain/internal/node"}:         world,
		{"regain/conformance/world", "regain/internal/config"}:       world,
		{"regain/conformance/world", "regain/provider/keys"}:         "makes the signing key of the node it starts",
		{"regain/conformance/oidf/target", "regain/internal/node"}:   world,
		{"regain/conformance/oidf/target", "regain/internal/config"}: world,
		{"regain/conformance/oidf/target", "regain/provider/keys"}:   "makes the signing keys of the node it starts",
		{"regain/conformance/load", "regain/internal/node"}:          world,
		{"regain/conformance/load", "regain/internal/config"}:        world,
		{"regain/conformance/load", "regain/storage"}:                "counts the node's store writes from outside",
	}
}

func TestImportArrows(t *testing.T) {
	for pkg, imports := range importsOf(t) {
		for _, problem := range violations(pkg, imports) {
			t.Error(problem)
		}
	}
}

// TestArrowsBite shows that the test above can fail.
func TestArrowsBite(t *testing.T) {
	for pkg, imported := range map[string]string{
		"regain/recovery":            "regain/storage",
		"regain/presentation":        "regain/verifier",
		"regain/verifier/sdjwt":      "regain/recovery",
		"regain/adapters/directory":  "regain/adapters/localpass",
		"regain/storage/memory":      "regain/storage/bolt",
		"regain/provider":            "regain/storage/memory",
		"regain/internal/fetch":      "regain/recovery",
		"regain/conformance/wallet":  "regain/presentation",
		"regain/internal/node":       "regain/conformance/idp",
		"regain/provider/keys":       "github.com/ory/fosite",
		"regain/conformance/demo":    "github.com/gin-gonic/gin",
		"regain/conformance/wallet/": "regain/recovery",
	} {
		if len(violations(strings.TrimSuffix(pkg, "/"), []string{imported})) == 0 {
			t.Errorf("%s may import %s", pkg, imported)
		}
	}
}

func violations(pkg string, imports []string) []string {
	var found []string
	for _, a := range arrows() {
		if !matches(a.from, pkg) {
			continue
		}
		for _, imported := range imports {
			if matches(a.never, imported) && !matches(a.except, imported) && imported != pkg && !exempt(pkg, imported) && !within(a, pkg, imported) {
				found = append(found, pkg+" imports "+imported+": "+a.why)
			}
		}
	}
	return found
}

// within lets conformance know itself under the arrow that keeps everybody else from it.
func within(a arrow, pkg, imported string) bool {
	return slices.Equal(a.never, []string{"regain/conformance/..."}) && strings.HasPrefix(pkg, "regain/conformance/") && strings.HasPrefix(imported, "regain/conformance/")
}

func TestTopLevelPackages(t *testing.T) {
	rooms := []string{"adapters", "conformance", "docs", "internal", "presentation", "provider", "recovery", "scripts", "storage", "verifier"}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		made := e.Name() == "bin" || e.Name() == "zdeps" || e.Name() == "testdata" // not rooms
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && !made && !slices.Contains(rooms, e.Name()) {
			t.Errorf("%s: a new top-level package needs a decision record in docs/decisions", e.Name())
		}
	}
}

// TestFilesAreShort holds the size that a person reads in one go.
func TestFilesAreShort(t *testing.T) {
	const longest = 600
	eachGoFile(t, func(path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), "\n"); n > longest {
			t.Errorf("%s has %d lines, more than %d", path, n, longest)
		}
		if strings.Contains(string(text), "\nfunc init()") {
			t.Errorf("%s has an init function", path)
		}
	})
}

// TestReadmeIsAccurateToTheFile holds that every path and test that the README and the threats name is there.
func TestReadmeIsAccurateToTheFile(t *testing.T) {
	code := regexp.MustCompile("`([^`\\s]+)`")
	for _, page := range []string{"README.md", "docs/threats.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range code.FindAllStringSubmatch(string(text), -1) {
			path := found[1]
			_, first := os.Stat(strings.SplitN(path, "/", 2)[0])
			if !strings.Contains(path, "/") || first != nil {
				continue // not a path of the house
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s names %s: %v", page, path, err)
			}
		}
	}
}

// TestThreatsNameTheirTests holds that every test that the page of threats names is there, in the package that it names.
func TestThreatsNameTheirTests(t *testing.T) {
	text, err := os.ReadFile("docs/threats.md")
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	eachGoFile(t, func(path string) {
		if !strings.HasSuffix(path, "_test.go") {
			return
		}
		code, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range function.FindAllStringSubmatch(string(code), -1) {
			written[filepath.Base(filepath.Dir(path))+"."+found[1]] = true
		}
	})
	named := regexp.MustCompile("`([a-z]+\\.Test\\w+)`").FindAllStringSubmatch(string(text), -1)
	for _, test := range named {
		if !written[test[1]] {
			t.Errorf("docs/threats.md names %s, which nobody wrote", test[1])
		}
	}
	if len(named) < 40 {
		t.Errorf("%d tests are named; they are written package.TestName", len(named))
	}
}

func eachGoFile(t *testing.T, do func(path string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != "." || d.Name() == "node_modules" || d.Name() == "zdeps") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") {
			do(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// importsOf lists what each package imports, outside of its tests.
func importsOf(t *testing.T) map[string][]string {
	t.Helper()
	found := make(map[string][]string)
	eachGoFile(t, func(path string) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		pkg := strings.TrimSuffix("regain/"+filepath.ToSlash(filepath.Dir(path)), "/.")
		for _, spec := range file.Imports {
			found[pkg] = append(found[pkg], strings.Trim(spec.Path.Value, `"`))
		}
	})
	return found
}

func matches(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		below, all := strings.CutSuffix(p, "/...")
		return path == below || all && strings.HasPrefix(path, below+"/")
	})
}

func exempt(pkg, imported string) bool {
	for pair := range allowed() {
		if pair[0] == pkg && matches([]string{pair[1]}, imported) {
			return true
		}
	}
	return false
}
