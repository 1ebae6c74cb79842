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

// importRule forbids imports. A path ending in /... covers what is below it, and itself.
type importRule struct {
	from   []string
	never  []string
	except []string
	why    string
}

// importRules are the import rules of the module. Test files are free: an end-to-end test may see everything.
func importRules() []importRule {
	const protocols = "the domain outlives every protocol and database; a rule that needs one of them cannot be tested without it"
	return []importRule{
		{from: []string{"regain/recovery"}, never: []string{"regain/..."}, why: protocols},
		{from: []string{"regain/recovery"}, never: []string{
			"github.com/...", "go.etcd.io/...", "net/http", "database/sql",
		}, why: protocols},
		{from: []string{"regain/recovery/chain"}, never: []string{"regain/..."}, except: []string{"regain/recovery"},
			why: "a chain of records knows the events in them, and not where they are kept"},
		{from: []string{"regain/presentation/..."}, never: []string{"regain/..."}, except: []string{"regain/presentation/...", "regain/internal/..."},
			why: "how a wallet is asked has nothing to do with whom we trust or what we do with the answer"},
		{from: []string{"regain/verifier/..."}, never: []string{"regain/..."}, except: []string{"regain/verifier/...", "regain/internal/..."},
			why: "whether a credential is genuine must not depend on who asks, or for what"},
		{from: []string{"regain/adapters/..."}, never: []string{"regain/..."}, except: []string{"regain/recovery", "regain/internal/fetch", "regain/internal/holder"},
			why: "an adapter can be replaced alone: it knows the port it serves and no other adapter"},
		{from: []string{"regain/storage/..."}, never: []string{"regain/..."}, except: []string{"regain/recovery", "regain/storage", "regain/internal/clock"},
			why: "a backend is bytes in, bytes out; backends do not know each other"},
		{from: []string{"regain/provider/..."}, never: []string{"regain/..."},
			except: []string{"regain/provider/...", "regain/recovery", "regain/presentation/...", "regain/verifier", "regain/storage", "regain/internal/..."},
			why:    "the HTTP face works with any backend and any adapter; which ones, the wiring says"},
		{from: []string{"regain/provider/web"}, never: []string{"regain/provider/..."}, except: []string{"regain/provider/problem"},
			why: "what every face needs once knows none of them"},
		{from: []string{"regain/provider/binding"}, never: []string{"regain/provider/..."}, except: []string{"regain/provider/web"},
			why: "whose browser it is has nothing to do with what it asks for"},
		{from: []string{"regain/provider/wallet"}, never: []string{"regain/provider/..."}, except: append(face(),
			"regain/provider/protocol", "regain/provider/evidence", "regain/provider/diagnosis"),
			why: "a wallet knows no client, and is shown no page"},
		{from: []string{"regain/provider/journey"}, never: []string{"regain/provider/...", "regain/presentation/...", "regain/verifier"}, except: face(),
			why: "pages show where a transaction stands: they know neither how a wallet is asked nor how a client asked"},
		{from: []string{"regain/provider/openid"}, never: []string{
			"regain/provider", "regain/provider/wallet", "regain/provider/journey", "regain/provider/protocol", "regain/provider/evidence",
			"regain/presentation/...", "regain/verifier",
		}, why: "what a client is told depends on the decision, and on nothing that a wallet sent"},
		{from: []string{"regain/provider/..."}, never: []string{"regain/provider/web", "regain/provider/binding", "regain/provider/wallet", "regain/provider/journey", "regain/provider/openid"},
			why: "the faces stand on the packages below them, and none of those looks back up"},
		{from: []string{"regain/provider/requests"}, never: []string{"regain/provider/...", "regain/storage/..."}, except: []string{
			"regain/provider/problem", "regain/provider/clients", "regain/provider/claims", "regain/provider/contract", "regain/provider/jwa", "regain/provider/keys",
			"regain/provider/remotekeys", "regain/provider/requestobject",
		}, why: "what a client asks for is read from what it sent and what it registered: nothing is granted, stored or looked up meanwhile"},
		{from: []string{"regain/provider/pushed"}, never: []string{"regain/provider/..."}, except: []string{"regain/provider/problem", "regain/provider/clients", "regain/provider/requests"},
			why: "a request waits as it was read, whoever sent it by whatever credentials, and whatever comes of it"},
		{from: []string{"regain/provider/possession"}, never: []string{"regain/provider/..."}, except: []string{
			"regain/provider/problem", "regain/provider/clients", "regain/provider/dpop", "regain/provider/mtls", "regain/provider/published",
		}, why: "whether a holder shows the key of a token has nothing to do with what the token is good for"},
		{from: []string{"regain/provider/backchannel"}, never: []string{"regain/provider/..."},
			why: "what a client is told, and who it is, its caller knows"},
		{from: []string{"regain/internal/admission", "regain/internal/cache", "regain/internal/clock", "regain/internal/costtest", "regain/internal/fetch", "regain/internal/holder", "regain/internal/listener", "regain/internal/peer", "regain/internal/publickey", "regain/internal/strictjson"}, never: []string{"regain/..."},
			except: []string{"regain/internal/..."}, why: "plumbing has no knowledge of recovery"},
		{from: []string{"regain/provider/...", "regain/verifier/...", "regain/presentation/...", "regain/internal/fetch", "regain/internal/listener", "regain/internal/peer"},
			never: []string{"regain/internal/config", "regain/internal/plan", "regain/internal/keep", "regain/internal/node"},
			why:   "the wiring tells each part what it needs; a part that knew the configuration could not be used with another"},
		{from: []string{"regain/internal/config"}, never: []string{"regain/..."}, except: []string{"regain/recovery", "regain/presentation"},
			why: "what an administrator writes is decoded and checked without what reads it, or is opened for it"},
		{from: []string{"regain/internal/plan"}, never: []string{"regain/..."}, except: append(values(), "regain/internal/config", "regain/internal/fetch", "regain/internal/publickey"),
			why: "what a configuration means is decided without a backend, an adapter or a face: a new kind of these is a case in internal/keep or internal/node"},
		{from: []string{"regain/internal/keep"}, never: []string{"regain/provider/...", "regain/presentation/...", "regain/verifier/...", "regain/internal/node"},
			why: "what a node keeps is opened and watched over whatever it serves"},
		{from: []string{"regain/internal/backup"}, never: []string{"regain/internal/node", "regain/provider/..."}, why: "a store is looked at, copied and filled without a node"},
		{from: []string{"regain/conformance/..."}, never: []string{"regain/..."},
			except: []string{"regain/conformance/..."},
			why:    "a counterpart that shares our code agrees with our mistakes"},
		{from: []string{"regain/..."}, never: []string{"regain/conformance/..."}, except: nil,
			why: "what is served in production must not contain its own test environment"},
		{from: []string{"regain/..."}, never: []string{"github.com/ory/fosite/..."},
			why: "fosite's defects are contained in one package (docs/decisions/0001-fosite.md)"},
		{from: []string{"regain/..."}, never: []string{"github.com/gin-gonic/gin/..."},
			why: "the faces of the provider know how HTTP is routed"},
		{from: []string{"regain/..."}, never: []string{"github.com/ThalesGroup/crypto11/...", "github.com/miekg/pkcs11/..."},
			why: "modules of PKCS#11 run C in the process: one package loads them, under a build tag (docs/decisions/0007-pkcs11.md)"},
		{from: []string{"regain/..."}, never: []string{"go.etcd.io/bbolt/..."}, why: "one backend knows its file format"},
		{from: []string{"regain/..."}, never: []string{"go.mongodb.org/..."}, why: "one backend knows its database"},
	}
}

// face is what each face of the provider stands on.
func face() []string {
	return []string{"regain/provider/web", "regain/provider/binding", "regain/provider/problem"}
}

// values is what a plan of a node is made of.
func values() []string {
	return []string{
		"regain/recovery", "regain/recovery/chain", "regain/storage", "regain/presentation", "regain/presentation/authenticator", "regain/presentation/identity",
		"regain/verifier", "regain/verifier/trust", "regain/provider/clients", "regain/provider/contract", "regain/provider/evidence",
		"regain/provider/keys", "regain/provider/mtls", "regain/provider/protocol",
	}
}

// allowed lists the pairs that a rule as a whole forbids, each with its reason.
func allowed() map[[2]string]string {
	starts := "starts a node as an operator would, from configuration files"
	mounts := "makes the faces and mounts them"
	layer := "stands on it"
	return map[[2]string]string{
		{"regain/provider", "regain/provider/web"}:                        mounts,
		{"regain/provider", "regain/provider/binding"}:                    mounts,
		{"regain/provider", "regain/provider/wallet"}:                     mounts,
		{"regain/provider", "regain/provider/journey"}:                    mounts,
		{"regain/provider", "regain/provider/openid"}:                     mounts,
		{"regain/provider/binding", "regain/provider/web"}:                layer,
		{"regain/provider/wallet", "regain/provider/web"}:                 layer,
		{"regain/provider/wallet", "regain/provider/binding"}:             layer,
		{"regain/provider/journey", "regain/provider/web"}:                layer,
		{"regain/provider/journey", "regain/provider/binding"}:            layer,
		{"regain/provider/openid", "regain/provider/web"}:                 layer,
		{"regain/provider/openid", "regain/provider/binding"}:             layer,
		{"regain/provider/web", "github.com/gin-gonic/gin/..."}:           "is a face's own",
		{"regain/provider/binding", "github.com/gin-gonic/gin/..."}:       "is a face's own",
		{"regain/provider/wallet", "github.com/gin-gonic/gin/..."}:        "is a face",
		{"regain/provider/journey", "github.com/gin-gonic/gin/..."}:       "is a face",
		{"regain/provider/openid", "github.com/gin-gonic/gin/..."}:        "is a face",
		{"regain/provider/oauth", "github.com/ory/fosite/..."}:            "is that package",
		{"regain/provider", "github.com/gin-gonic/gin/..."}:               "has the router",
		{"regain/provider/keys", "github.com/ThalesGroup/crypto11/..."}:   "has the keys that a token signs with",
		{"regain/storage/bolt", "go.etcd.io/bbolt/..."}:                   "is that backend",
		{"regain/storage/mongo", "go.mongodb.org/..."}:                    "is that backend",
		{"regain/conformance/mongoserver", "go.mongodb.org/..."}:          "drops the database that a run made for itself",
		{"regain", "regain/conformance/demo"}:                             "the subcommand demo",
		{"regain", "regain/conformance/oidf"}:                             "the subcommand oidf",
		{"regain", "regain/conformance/load"}:                             "the subcommand load",
		{"regain", "regain/conformance/crash"}:                            "the subcommand crash",
		{"regain/conformance/testenv", "regain/internal/node"}:            starts,
		{"regain/conformance/testenv", "regain/internal/config"}:          starts,
		{"regain/conformance/testenv", "regain/provider/keys"}:            "makes the signing key of the node it starts",
		{"regain/conformance/oidf/target", "regain/internal/node"}:        starts,
		{"regain/conformance/oidf/target", "regain/internal/config"}:      starts,
		{"regain/conformance/oidf/target", "regain/provider/keys"}:        "makes the signing keys of the node it starts",
		{"regain/conformance/load", "regain/internal/node"}:               starts,
		{"regain/conformance/load", "regain/internal/config"}:             starts,
		{"regain/conformance/load", "regain/storage"}:                     "counts the node's store writes from outside",
		{"regain/conformance/crash", "regain/internal/keep"}:              "finds the key of the nodes' audit logs as a node does",
		{"regain/conformance/crash", "regain/internal/config"}:            "finds the key of the nodes' audit logs as a node does",
		{"regain/conformance/crash", "regain/adapters/auditlog/segments"}: "verifies the audit logs as an auditor does",
		{"regain/conformance/crash", "regain/recovery/chain"}:             "verifies the audit logs as an auditor does",

		{"regain/adapters/auditlog", "regain/recovery/chain"}:             "keeps the chain in files",
		{"regain/adapters/auditlog", "regain/adapters/auditlog/segments"}: "reads what it wrote as an auditor does",
		{"regain/adapters/auditlog/segments", "regain/recovery/chain"}:    "verifies the chain in files",
	}
}

func TestImportRules(t *testing.T) {
	for pkg, imports := range importsOf(t) {
		for _, problem := range violations(pkg, imports) {
			t.Error(problem)
		}
	}
}

// TestImportRulesBite shows that the test above can fail.
func TestImportRulesBite(t *testing.T) {
	for pkg, imported := range map[string]string{
		"regain/recovery":                   "regain/storage",
		"regain/presentation":               "regain/verifier",
		"regain/verifier/sdjwt":             "regain/recovery",
		"regain/adapters/directory":         "regain/adapters/localpass",
		"regain/storage/memory":             "regain/storage/bolt",
		"regain/storage/mongo":              "regain/storage/bolt",
		"regain/storage/mongo/":             "regain/internal/config",
		"regain/internal/node/":             "go.mongodb.org/mongo-driver/v2/mongo",
		"regain/provider":                   "regain/storage/memory",
		"regain/internal/fetch":             "regain/recovery",
		"regain/conformance/wallet":         "regain/presentation",
		"regain/internal/node":              "regain/conformance/idp",
		"regain/internal/config":            "regain/storage",
		"regain/internal/config/":           "regain/adapters/directory",
		"regain/internal/config//":          "regain/internal/plan",
		"regain/internal/config///":         "regain/internal/node",
		"regain/provider/oauth/":            "regain/internal/config",
		"regain/internal/plan":              "regain/adapters/directory",
		"regain/internal/plan/":             "regain/storage/bolt",
		"regain/internal/plan//":            "regain/internal/node",
		"regain/internal/plan///":           "regain/provider/openid",
		"regain/internal/keep":              "regain/internal/node",
		"regain/internal/keep/":             "regain/provider/openid",
		"regain/internal/backup":            "regain/internal/node",
		"regain/provider/keys":              "github.com/ory/fosite",
		"regain/conformance/demo":           "github.com/gin-gonic/gin",
		"regain/conformance/wallet/":        "regain/recovery",
		"regain/provider/web":               "regain/provider/binding",
		"regain/provider/binding":           "regain/provider/openid",
		"regain/provider/wallet":            "regain/provider/oauth",
		"regain/provider/wallet/":           "regain/provider/journey",
		"regain/provider/journey":           "regain/provider/openid",
		"regain/provider/journey/":          "regain/provider/wallet",
		"regain/provider/journey//":         "regain/verifier",
		"regain/provider/openid":            "regain/provider/journey",
		"regain/provider/openid/":           "regain/presentation",
		"regain/provider/openid//":          "regain/provider",
		"regain/provider/oauth":             "regain/provider/web",
		"regain/provider/requests":          "regain/storage",
		"regain/provider/requests/":         "regain/provider/oauth",
		"regain/provider/requests//":        "github.com/ory/fosite",
		"regain/provider/pushed":            "regain/provider/oauth",
		"regain/provider/possession":        "regain/provider/oauth",
		"regain/provider/evidence":          "regain/provider/wallet",
		"regain/provider/journey///":        "regain/provider/facetest",
		"regain/recovery/":                  "regain/recovery/chain",
		"regain/recovery/chain":             "regain/adapters/auditlog",
		"regain/adapters/localpass":         "regain/recovery/chain",
		"regain/adapters/auditlog/segments": "regain/adapters/auditlog",
	} {
		if len(violations(strings.TrimRight(pkg, "/"), []string{imported})) == 0 {
			t.Errorf("%s may import %s", pkg, imported)
		}
	}
}

func violations(pkg string, imports []string) []string {
	var found []string
	for _, imported := range imports {
		if testHelper(imported) && !testHelper(pkg) {
			found = append(found, pkg+" imports "+imported+": a test helper is no part of the product")
		}
	}
	if testHelper(pkg) {
		return found // free, as test files are
	}
	for _, a := range importRules() {
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

// testHelper reports whether a package is there for test files: its name says so. Those of conformance keep its rule.
func testHelper(pkg string) bool {
	return strings.HasPrefix(pkg, "regain/") && strings.HasSuffix(pkg, "test") && !strings.HasPrefix(pkg, "regain/conformance/")
}

// within lets conformance know itself under the rule that keeps everybody else from it.
func within(a importRule, pkg, imported string) bool {
	return slices.Equal(a.never, []string{"regain/conformance/..."}) && strings.HasPrefix(pkg, "regain/conformance/") && strings.HasPrefix(imported, "regain/conformance/")
}

func TestTopLevelPackages(t *testing.T) {
	known := []string{"adapters", "conformance", "docs", "internal", "presentation", "provider", "recovery", "scripts", "storage", "verifier"}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		made := e.Name() == "bin" || e.Name() == "zdeps" || e.Name() == "testdata" || e.Name() == "deploy" // not packages
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && !made && !slices.Contains(known, e.Name()) {
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
	for _, page := range []string{"README.md", "docs/threats.md", "docs/glossary.md", "docs/decisions/0003-faces.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range code.FindAllStringSubmatch(string(text), -1) {
			path := found[1]
			_, first := os.Stat(strings.SplitN(path, "/", 2)[0])
			if !strings.Contains(path, "/") || first != nil {
				continue // not a path of the module
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
