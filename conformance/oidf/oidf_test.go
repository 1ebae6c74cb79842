package oidf_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"regain/conformance/oidf"
)

var update = flag.Bool("update", false, "rewrite the golden files") //nolint:gochecknoglobals // a flag

// fakeSuite answers as the suite's REST API does, with results told beforehand.
type fakeSuite struct {
	mu      sync.Mutex
	url     string
	modules []string
	results map[string]string // by module
	config  map[string]any    // of the plan that was created
	started []string
	stopped []string
	asked   bool     // somebody did what the module "driven" waits for
	picture string   // that was uploaded
	wanted  []string // placeholders of pictures, once the module was driven
	running any      // what the module wants of a person
	posted  []string // to the suite's pages
	waits   int      // for an offer, so far
	offers  []string // that were brought
}

func (f *fakeSuite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	answer := func(status int, body any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
	id := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	switch {
	case r.URL.Path == "/api/server":
		answer(200, map[string]string{"version": "5.2.4", "revision": "12f2a4d", "tag": "release"})
	case r.URL.Path == "/api/plan":
		if r.URL.Query().Get("planName") != "a-plan" {
			answer(400, map[string]string{"error": "no such plan"})
			return
		}
		_ = json.NewDecoder(r.Body).Decode(&f.config)
		var modules []map[string]any
		for _, name := range f.modules {
			modules = append(modules, map[string]any{"testModule": name, "variant": map[string]string{"response_type": "code"}})
		}
		answer(201, map[string]any{"id": "plan-1", "modules": modules})
	case r.URL.Path == "/api/runner" && r.Method == http.MethodPost:
		name := r.URL.Query().Get("test")
		f.started = append(f.started, name)
		answer(201, map[string]string{"id": name})
	case r.URL.Path == "/api/runner/driven" && r.Method == http.MethodGet:
		answer(200, f.running)
	case strings.HasPrefix(r.URL.Path, "/test/"):
		f.page(w, r)
	case strings.HasPrefix(r.URL.Path, "/api/runner/") && r.Method == http.MethodDelete:
		f.stopped = append(f.stopped, id)
		answer(200, nil)
	case strings.HasPrefix(r.URL.Path, "/api/info/"):
		status := "FINISHED"
		if strings.HasSuffix(f.results[id], "INTERRUPTED") {
			status = "INTERRUPTED"
		}
		if f.results[id] == "HANGS" || id == "driven" && (!f.asked || len(f.wanted) > 0) {
			status = "WAITING"
		}
		result, _, _ := strings.Cut(f.results[id], " ")
		answer(200, map[string]string{"status": status, "result": result})
	case r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/api/log/driven/images/"):
		text, _ := io.ReadAll(r.Body)
		f.picture, f.wanted = string(text), slices.DeleteFunc(f.wanted, func(p string) bool { return p == id })
		answer(200, nil)
	case strings.HasPrefix(r.URL.Path, "/api/log/"):
		entries := []map[string]any{{"src": "SomeCheck", "msg": "went well", "result": "SUCCESS"}}
		switch f.results[id] {
		case "WARNING", "REVIEW", "SKIPPED":
			entries = append(entries, map[string]any{"src": "SomeCheck", "msg": "look\n at this", "result": f.results[id], "requirements": []string{"OIDCC-1"}})
		case "PASSED WITH WARNING", "REVIEW WITH WARNING":
			entries = append(entries, map[string]any{"src": "SomeCheck", "msg": "odd", "result": "WARNING"})
		case "FAILED OTHERWISE":
			entries = append(entries, map[string]any{"src": "OtherCheck", "msg": "is wrong", "result": "FAILURE"})
		case "FAILED WITH OTHER WORDS":
			entries = append(entries, map[string]any{"src": "SomeCheck", "msg": "is missing", "result": "FAILURE"})
		case "FAILED WITH WARNING":
			entries = append(entries, map[string]any{"src": "SomeCheck", "msg": "is wrong", "result": "FAILURE"}, map[string]any{"src": "OtherCheck", "msg": "odd", "result": "WARNING"})
		case "FAILED TWICE":
			entries = append(entries, map[string]any{"src": "SomeCheck", "msg": "is wrong", "result": "FAILURE"}, map[string]any{"src": "OtherCheck", "msg": "is wrong too", "result": "FAILURE"})
		case "WARNING OTHERWISE", "SKIPPED WITH WARNING":
			entries = append(entries, map[string]any{"src": "OtherCheck", "msg": "odd", "result": "WARNING"})
		case "FAILED", "FAILED AND INTERRUPTED":
			entries = append(entries, map[string]any{"src": "SomeCheck", "msg": "is wrong", "result": "FAILURE", "http": 1})
		}
		for range f.waits {
			entries = append(entries, map[string]any{"src": "VCIWaitForCredentialOffer", "msg": "bring me an offer"})
		}
		for _, placeholder := range f.wanted {
			entries = append(entries, map[string]any{"src": "SomeCheck", "msg": "show me", "upload": placeholder})
		}
		answer(200, entries)
	default:
		answer(404, nil)
	}
}

// page are the pages of a module that a person's browser meets.
func (f *fakeSuite) page(w http.ResponseWriter, r *http.Request) {
	text, _ := io.ReadAll(r.Body)
	switch r.URL.Path {
	case "/test/callback":
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, `<title>Please wait</title><script>xhr.open('POST', "http:\/\/%s\/test\/submit", true);</script>`, r.Host)
	case "/test/submit":
		f.posted, f.asked = append(f.posted, string(text)), true
	case "/test/offer":
		f.offers = append(f.offers, r.URL.RawQuery)
		if f.asked = len(f.offers) == 2; !f.asked {
			f.waits++
		} else {
			w.WriteHeader(http.StatusBadRequest) // a module that fails says so here
		}
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func setUp(t *testing.T) (*fakeSuite, *oidf.Suite) {
	t.Helper()
	fake := &fakeSuite{modules: []string{"passes", "reviewed", "skipped", "warned", "failed"}, results: map[string]string{"passes": "PASSED", "reviewed": "REVIEW", "skipped": "SKIPPED", "warned": "WARNING", "failed": "FAILED"}}
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	fake.url = server.URL
	suite, err := oidf.NewSuite(server.URL, server.Client(), "")
	if err != nil {
		t.Fatal(err)
	}
	return fake, suite
}

const planText = `
plan: a-plan
variant: {client_auth_type: mtls}
config: {alias: "${alias}", server: {url: "${issuer}/x"}, client: "${client}", list: ["${alias}", 7]}
expect:
  - {module: reviewed, result: REVIEW, why: A picture.}
  - {module: skipped, result: SKIPPED, why: Not supported.}
  - {module: warned, result: WARNING, conditions: [SomeCheck], why: Known.}
  - {module: failed, result: FAILED, conditions: ["SomeCheck: is wrong"], why: A defect of the module.}
`

func plan(t *testing.T) oidf.Plan {
	t.Helper()
	plans, err := oidf.ParsePlans("ours", []byte(planText))
	if err != nil || len(plans) != 1 {
		t.Fatalf("%d plans, %v", len(plans), err)
	}
	p, err := plans[0].Fill(map[string]any{"alias": "regain", "issuer": "https://regain.localhost", "client": map[string]any{"client_id": "x"}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestResultsAreHeldAgainstExpectations(t *testing.T) {
	fake, suite := setUp(t)
	var out bytes.Buffer
	o, err := suite.Run(t.Context(), plan(t), nil, &out)
	if err != nil || o.Problems() != 0 || len(o.Modules) != 5 {
		t.Fatalf("%d problems, %v\n%s", o.Problems(), err, &out)
	}
	if text := fmt.Sprint(fake.config); text != "map[alias:regain client:map[client_id:x] list:[regain 7] server:map[url:https://regain.localhost/x]]" {
		t.Errorf("the suite was configured with %s", text)
	}
	// What differs from the expectation is a failure, for better or worse.
	for module, result := range map[string]string{"passes": "WARNING", "reviewed": "PASSED", "skipped": "PASSED", "warned": "FAILED", "failed": "PASSED"} {
		before := fake.results[module]
		fake.results[module] = result
		o, err := suite.Run(t.Context(), plan(t), nil, &out)
		if err != nil || o.Problems() != 1 {
			t.Errorf("%s is %s: %d problems, %v", module, result, o.Problems(), err)
		}
		fake.results[module] = before
	}
	for module, result := range map[string]string{"passes": "PASSED WITH WARNING", "reviewed": "REVIEW WITH WARNING"} {
		before := fake.results[module]
		fake.results[module] = result
		o, err := suite.Run(t.Context(), plan(t), []string{module}, &out)
		if err != nil || o.Problems() != 1 || o.Modules[0].Result != "WARNING" {
			t.Errorf("%s is %s: %+v, %v", module, result, o, err)
		}
		fake.results[module] = before
	}
	o, err = suite.Run(t.Context(), plan(t), []string{"passes"}, &out)
	if err != nil || len(o.Modules) != 1 {
		t.Errorf("one module: %d, %v", len(o.Modules), err)
	}
	fake.started = nil
	p := plan(t)
	p.Expect[3].Result, p.Expect[3].Conditions = "OMITTED", nil
	o, err = suite.Run(t.Context(), p, nil, &out)
	if err != nil || o.Problems() != 0 || o.Modules[4].Result != "OMITTED" || slices.Contains(fake.started, "failed") {
		t.Errorf("without one: %+v, %v, started %v", o, err, fake.started)
	}
	if strings.Contains(out.String(), "went well") {
		t.Error("successes are reported")
	}
}

// An expected failure hides no other one: what fails must be what was expected to, all of it, and in its words.
func TestAnExpectedFailureHidesNoOther(t *testing.T) {
	fake, suite := setUp(t)
	for _, tc := range []struct{ module, result, says string }{
		{"failed", "FAILED OTHERWISE", "has the FAILURE of OtherCheck"},
		{"failed", "FAILED WITH OTHER WORDS", "has the FAILURE of SomeCheck"},
		{"failed", "FAILED TWICE", "has the FAILURE of OtherCheck"},
		{"failed", "FAILED WITH WARNING", "has the WARNING of OtherCheck"},
		{"failed", "PASSED", "take the expectation away"},
		{"failed", "HANGS", "has the FAILURE of runner"},
		{"failed", "INTERRUPTED", "has the FAILURE of runner"},
		{"failed", "FAILED INTERRUPTED", "has the FAILURE of runner"},
		{"warned", "WARNING OTHERWISE", "has the WARNING of OtherCheck"},
		{"warned", "INTERRUPTED", "is FAILED, and must be WARNING"},
		{"skipped", "SKIPPED WITH WARNING", "is WARNING, and must be SKIPPED"},
		{"reviewed", "HANGS", "is FAILED, and must be REVIEW"},
		{"reviewed", "REVIEW INTERRUPTED", "is FAILED, and must be REVIEW"},
		{"passes", "PASSED INTERRUPTED", "is FAILED, and must be PASSED"},
		{"failed", "FAILED AND INTERRUPTED", ""}, // the suite stops at some failures
	} {
		before := fake.results[tc.module]
		fake.results[tc.module] = tc.result
		p := plan(t)
		p.Minutes = 0
		if tc.result != "HANGS" {
			p.Minutes = 1
		}
		var out bytes.Buffer
		o, err := suite.Run(t.Context(), p, []string{tc.module}, &out)
		if err != nil || len(o.Modules) != 1 || (o.Problems() == 0) != (tc.says == "") || !strings.Contains(o.Modules[0].Problem, tc.says) {
			t.Errorf("%s is %s: %+v, %v, want a problem that says %q", tc.module, tc.result, o.Modules, err, tc.says)
		}
		fake.results[tc.module] = before
	}
}

func TestNothingPassesByAbsence(t *testing.T) {
	fake, suite := setUp(t)
	if _, err := suite.Run(t.Context(), plan(t), []string{"no-such-module"}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "no module was run") {
		t.Errorf("a module that is not there: %v", err)
	}
	fake.modules = nil
	if _, err := suite.Run(t.Context(), plan(t), nil, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "no module was run") {
		t.Errorf("a plan without modules: %v", err)
	}
	if text := (oidf.Results{"ours": oidf.Outcome{Plan: "a-plan", Date: "2026-11-24"}}).Markdown([]oidf.Plan{plan(t)}); strings.Contains(text, "Every module passed") {
		t.Error("the report of no modules says that all passed")
	}
}

// What is wrong is told before a run of hours, and before anything is started.
func TestMistakesAreToldBeforeTheFirstPlan(t *testing.T) {
	fake, _ := setUp(t)
	base := oidf.Options{Suite: fake.url, Results: t.TempDir(), Alias: "regain", Code: oidf.Code{Commit: "0685452"}}
	for name, tc := range map[string]struct {
		change func(*oidf.Options)
		says   string
	}{
		"a results directory that is not there": {func(o *oidf.Options) { o.Results += "/none" }, "name a directory that is there"},
		"a file in its place": {func(o *oidf.Options) {
			o.Results += "/file"
			_ = os.WriteFile(o.Results, nil, 0o600)
		}, "name a directory that is there"},
		"results that cannot be read": {func(o *oidf.Options) {
			o.Results = filepath.Join(t.TempDir())
			_ = os.WriteFile(filepath.Join(o.Results, "results.json"), []byte("{"), 0o600)
		}, "read results"},
		"code that nobody can name": {func(o *oidf.Options) { o.Code = oidf.Code{} }, "which commit is under test is not known"},
		"no such plan":              {func(o *oidf.Options) { o.Plans = []string{"nothing"} }, "no plan is called nothing"},
		"no suite":                  {func(o *oidf.Options) { o.Suite = "" }, "give its URL"},
	} {
		options := base
		tc.change(&options)
		if err := oidf.Run(t.Context(), options, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v, want %q", name, err, tc.says)
		}
	}
	if len(fake.started) > 0 {
		t.Errorf("%v were started", fake.started)
	}
}

func TestAModuleThatHangsIsStopped(t *testing.T) {
	fake, suite := setUp(t)
	fake.results["passes"] = "HANGS"
	p := plan(t)
	p.Minutes = 0
	o, err := suite.Run(t.Context(), p, []string{"passes"}, &bytes.Buffer{})
	if err != nil || o.Problems() != 1 || o.Modules[0].Result != "FAILED" || len(fake.stopped) != 1 {
		t.Errorf("%+v, stopped %v, %v", o, fake.stopped, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := suite.Run(ctx, plan(t), nil, &bytes.Buffer{}); err == nil {
		t.Error("goes on after the end")
	}
}

func TestTheSuitesWordsAreTold(t *testing.T) {
	_, suite := setUp(t)
	p := plan(t)
	p.Plan = "another"
	if _, err := suite.Run(t.Context(), p, nil, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "no such plan") {
		t.Error(err)
	}
	if _, err := oidf.NewSuite("suite", http.DefaultClient, ""); err == nil {
		t.Error("a suite without an address")
	}
}

func TestPlanFiles(t *testing.T) {
	plans, err := oidf.Plans()
	if err != nil || len(plans) < 10 {
		t.Fatalf("%d plans, %v", len(plans), err)
	}
	for text, says := range map[string]string{
		"plan: x\nwhat: 1": "field what not found", "variant: {}": "name the suite's plan", "": "parse plan",
		"plan: x\nvariant: {a: []}": "a has no value", "plan: x\nvariant: {a: {b: c}}": "parse plan", "plan: x\nvariant: {a: [b, c, b]}": "b stands twice",
		"plan: x\nexpect: [{module: m, result: SKIPPED}]":                                              "say why",
		"plan: x\nexpect: [{module: m, result: PASSED, why: w}]":                                       "none of",
		"plan: x\nexpect: [{module: m, result: FAILED, why: w}]":                                       "name the conditions",
		"plan: x\nexpect: [{module: m, result: WARNING, why: w}]":                                      "name the conditions",
		"plan: x\nexpect: [{module: m, result: REVIEW, conditions: [c], why: w}]":                      "with these only",
		"plan: x\nexpect: [{module: m, result: FAILED, conditions: [m], why: w}]":                      "add a part of the message",
		"plan: x\nexpect: [{module: m, result: SKIPPED, why: w}, {module: m, result: REVIEW, why: w}]": "twice",
	} {
		if _, err := oidf.ParsePlans("x", []byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", text, err)
		}
	}
	plans, err = oidf.ParsePlans("x", []byte("plan: x\nconfig: {a: \"${nothing}\"}"))
	if err != nil {
		t.Fatal(err)
	}
	p := plans[0]
	if _, err := p.Fill(map[string]any{}); err == nil || !strings.Contains(err.Error(), "${nothing}") {
		t.Errorf("a value that is not there: %v", err)
	}
	p.Config["a"] = "x${list}"
	if _, err := p.Fill(map[string]any{"list": []string{}}); err == nil {
		t.Error("a list inside a text")
	}
	p.Config, p.Drive.Recover = nil, "${nobody}@example.org"
	if _, err := p.Fill(map[string]any{}); err == nil || !strings.Contains(err.Error(), "drive.recover") {
		t.Errorf("an account that is not there: %v", err)
	}
}

func TestAListInTheVariantMakesManyPlans(t *testing.T) {
	plans, err := oidf.ParsePlans("file", []byte(`
plan: x
variant: {mode: [a, b.jwt], kind: one, format: [c, d]}
drive: {recover: "${variant.format}-${variant.mode}@example.org"}
config: {mode: "${variant.mode}"}
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range plans {
		p, err := p.Fill(map[string]any{})
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(p.Name, p.Variant, p.Drive.Recover, p.Config))
	}
	want := []string{
		"file/c/amap[format:c kind:one mode:a]c-a@example.orgmap[mode:a]", "file/c/b.jwtmap[format:c kind:one mode:b.jwt]c-b.jwt@example.orgmap[mode:b.jwt]",
		"file/d/amap[format:d kind:one mode:a]d-a@example.orgmap[mode:a]", "file/d/b.jwtmap[format:d kind:one mode:b.jwt]d-b.jwt@example.orgmap[mode:b.jwt]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestReport(t *testing.T) {
	_, suite := setUp(t)
	ours := plan(t)
	o, err := suite.Run(t.Context(), ours, nil, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	o.Date, o.Code = "2026-11-24", oidf.Code{Commit: "0685452f00000000000000000000000000000000", Modified: true}
	o.Modules[0].Result, o.Modules[0].Problem = "FAILED", "is FAILED, and must be PASSED"
	never := oidf.Plan{Name: "never", Plan: "another-plan", Variant: map[string]string{"b": "2", "a": "1"}}
	passes := oidf.Outcome{Plan: "many", Date: "2026-11-23", Suite: o.Suite, Modules: []oidf.ModuleOutcome{{Name: "m", Result: "PASSED"}}}
	passes.Code.Commit = "a344722f00000000000000000000000000000000"
	reviewed := passes
	reviewed.Code.Modified = true
	reviewed.Modules = []oidf.ModuleOutcome{{Name: "m", Result: "REVIEW", Why: "A picture."}}
	list, results := []oidf.Plan{ours, never}, oidf.Results{"ours": o, "many/a/x": passes, "many/a/y": reviewed, "many/b/x": passes}
	for _, name := range []string{"many/a/x", "many/a/y", "many/b/x", "many/b/y"} {
		list = append(list, oidf.Plan{Name: name, Plan: "many", Variant: map[string]string{"k": name[5:6], "l": name[7:8], "m": "z"}})
	}
	directory := t.TempDir()
	if err := results.Write(directory, list); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(directory, "RESULTS.md"))
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "RESULTS.md")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v\n%s", err, got)
	}
	again, err := oidf.ReadResults(directory)
	if err != nil || len(again["ours"].Modules) != 5 || again["ours"].Modules[0].Problem == "" {
		t.Errorf("read again: %+v, %v", again, err)
	}
	if none, err := oidf.ReadResults(t.TempDir()); err != nil || len(none) != 0 {
		t.Errorf("no results: %v, %v", none, err)
	}
}

// The committed report is the rendering of the committed results, held against the plans as they are.
func TestTheReportIsNotEdited(t *testing.T) {
	results, err := oidf.ReadResults(".")
	if err != nil {
		t.Fatal(err)
	}
	plans, err := oidf.Plans()
	if err != nil {
		t.Fatal(err)
	}
	results.Judge(plans)
	text, err := os.ReadFile("RESULTS.md")
	if err != nil || string(text) != results.Markdown(plans) {
		t.Errorf("RESULTS.md is not what results.json says: %v", err)
	}
}
