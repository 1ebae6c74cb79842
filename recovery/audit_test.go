package recovery_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"regain/recovery"
	"regain/recovery/chain"
)

// constants returns the values of the package's constants of a type.
func constants(t *testing.T, file, typ string) (values []string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if name, named := specType(spec); ok && named && name == typ {
			for _, value := range spec.Values {
				if text, err := strconv.Unquote(value.(*ast.BasicLit).Value); err == nil {
					values = append(values, text)
				}
			}
		}
		return true
	})
	return values
}

func specType(spec *ast.ValueSpec) (string, bool) {
	if spec == nil {
		return "", false
	}
	name, ok := spec.Type.(*ast.Ident)
	if !ok {
		return "", false
	}
	return name.Name, true
}

// docs/audit.md has a row for each kind of event, and for each member of a record. What is recorded and described nowhere
// helps nobody.
func TestEveryEventIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int{}
	durable := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]*?)( ✓)? \\|(.*)\\|$").FindAllStringSubmatch(string(text), -1) {
		for _, name := range strings.Split(row[1], ", ") {
			name = strings.Trim(name, "`")
			rows[name]++
			durable[name] = row[2] != ""
			if cells := strings.Split(row[3], "|"); slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) == "" }) {
				t.Errorf("%s: a cell is empty", name)
			}
		}
	}
	defined := constants(t, "audit.go", "EventType")
	if len(defined) < 20 {
		t.Fatalf("%d kinds of events were found in the source", len(defined))
	}
	for _, name := range defined {
		kind := recovery.EventType(name)
		if !slices.Contains(recovery.EventTypes(), kind) {
			t.Errorf("EventTypes lacks %s", name)
		}
		if rows[name] != 1 || durable[name] != kind.Critical() {
			t.Errorf("%s: %d rows in docs/audit.md; marked as durable: %t, is %t", name, rows[name], durable[name], kind.Critical())
		}
	}
	if len(recovery.EventTypes()) != len(defined) {
		t.Errorf("EventTypes has %d kinds, and there are %d", len(recovery.EventTypes()), len(defined))
	}
	for _, record := range []any{recovery.Event{}, chain.Link{}, chain.Segment{}} {
		for i := range reflect.TypeOf(record).NumField() {
			member, _, _ := strings.Cut(reflect.TypeOf(record).Field(i).Tag.Get("json"), ",")
			if rows[member] == 0 {
				t.Errorf("%T: docs/audit.md has no row for %s", record, member)
			}
		}
	}
}

func TestEventsKnowWhatTheyAre(t *testing.T) {
	for event, want := range map[recovery.EventType][2]bool{ // good news, critical
		recovery.EventPassIssuing: {true, true}, recovery.EventPassIssued: {true, false}, recovery.EventRecoveryDenied: {false, true},
		recovery.EventAccountMatched: {true, true}, recovery.EventRecoveryEvaluated: {true, true}, recovery.EventBrowserMismatch: {false, false},
		recovery.EventRecoveryStarted: {true, false},
	} {
		if event.Succeeds() != want[0] || event.Critical() != want[1] {
			t.Errorf("%s: good news %t, critical %t", event, event.Succeeds(), event.Critical())
		}
	}
}
