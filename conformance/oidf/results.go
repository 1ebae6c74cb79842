package oidf

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Results are the last outcome of each plan, by the name of our plan file.
type Results map[string]Outcome

// ReadResults reads results.json of a directory; none is no result yet. A directory that is not there is an error: a run
// of hours would end in it.
func ReadResults(directory string) (Results, error) {
	if found, err := os.Stat(directory); err != nil || !found.IsDir() {
		return nil, fmt.Errorf("--results %s: name a directory that is there: %w", directory, errors.Join(err, fs.ErrNotExist))
	}
	text, err := os.ReadFile(filepath.Join(directory, "results.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return Results{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	var r Results
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	return r, nil
}

// canWrite reports whether results may be written into a directory, without touching those that are there.
func canWrite(directory string) error {
	probe, err := os.CreateTemp(directory, ".results-*")
	if err != nil {
		return fmt.Errorf("--results %s: %w", directory, err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// Write writes results.json and, made of it, RESULTS.md. A plan that was never run is listed as that.
func (r Results) Write(directory string, plans []Plan) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	const public = 0o644
	return errors.Join(
		os.WriteFile(filepath.Join(directory, "results.json"), append(text, '\n'), public),
		os.WriteFile(filepath.Join(directory, "RESULTS.md"), []byte(r.Markdown(plans)), public),
	)
}

// Markdown is the report: a table of the plan files, then every module that did not plainly pass, with its reason.
func (r Results) Markdown(plans []Plan) string {
	var b strings.Builder
	b.WriteString("# Results of the OpenID Foundation's conformance suite\n\nWritten by `regain oidf` from what the suite answered; do not edit.\n\n" +
		"| | plan | variants | code | suite | date | runs | passed | for review | warned | failed | skipped | omitted | not as expected |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, file := range files(plans) {
		r.row(&b, file)
	}
	for _, file := range files(plans) {
		r.details(&b, file)
	}
	return b.String()
}

// row sums up the runs of one plan file.
func (r Results) row(b *strings.Builder, plans []Plan) {
	var last Outcome
	count, runs, problems := make(map[string]int), 0, 0
	var code []string
	for _, p := range plans {
		o, run := r[p.Name]
		if !run {
			continue
		}
		runs++
		problems += o.Problems()
		for _, m := range o.Modules {
			count[m.Result]++
		}
		if text := o.Code.String(); !slices.Contains(code, text) {
			code = append(code, text)
		}
		if last.Date == "" || o.Date < last.Date { // the oldest: the report is no newer than that
			last = o
		}
	}
	fmt.Fprintf(b, "| %s | `%s` | %s ", plans[0].file(), plans[0].Plan, inline(plans))
	if runs == 0 {
		b.WriteString("| | | not run | | | | | | | | |\n")
		return
	}
	fmt.Fprintf(b, "| %s | %s (%s) | %s | %d of %d | %d | %d | %d | %d | %d | %d | %d |\n", strings.Join(code, ", "), last.Suite.Version, last.Suite.Revision, last.Date, runs, len(plans),
		count["PASSED"], count["REVIEW"], count["WARNING"], count["FAILED"], count["SKIPPED"], count[omitted], problems)
}

// files are the plans of each plan file.
func files(plans []Plan) [][]Plan {
	var all [][]Plan
	for _, p := range plans {
		if last := len(all) - 1; last >= 0 && all[last][0].file() == p.file() {
			all[last] = append(all[last], p)
			continue
		}
		all = append(all, []Plan{p})
	}
	return all
}

// file is the name of the plan's file, and rest what tells this variant from the others of it.
func (p Plan) file() string { file, _, _ := strings.Cut(p.Name, "/"); return file }
func (p Plan) rest() string { _, rest, _ := strings.Cut(p.Name, "/"); return rest }

// details tells of one file, and once what is the same in several variants.
func (r Results) details(b *strings.Builder, plans []Plan) {
	var texts []string
	variants := make(map[string][]string) // by text
	count := 0
	for _, p := range plans {
		o, run := r[p.Name]
		if !run {
			continue
		}
		count++
		text := o.details()
		if len(variants[text]) == 0 {
			texts = append(texts, text)
		}
		variants[text] = append(variants[text], "`"+p.rest()+"`")
	}
	if count == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s: `%s`\n", plans[0].file(), plans[0].Plan)
	for _, text := range texts {
		if names := variants[text]; len(names) < count {
			fmt.Fprintf(b, "\n%s:\n", strings.Join(names, ", "))
		}
		b.WriteString("\n" + text)
	}
}

// inline is the variants in one line, with all values that a parameter has.
func inline(plans []Plan) string {
	values := make(map[string][]string)
	for _, p := range plans {
		for key, value := range p.Variant {
			if !slices.Contains(values[key], value) {
				values[key] = append(values[key], value)
			}
		}
	}
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(values)) {
		parts = append(parts, key+"="+strings.Join(values[key], " or "))
	}
	return strings.Join(parts, ", ")
}

// details lists the modules that did not plainly pass.
func (o Outcome) details() string {
	var b strings.Builder
	for _, m := range o.Modules {
		if m.Result == "PASSED" && m.Problem == "" {
			continue
		}
		fmt.Fprintf(&b, "- **%s** `%s`", m.Result, m.Name)
		if m.Why != "" {
			fmt.Fprintf(&b, ": %s", m.Why)
		}
		if m.Problem != "" {
			fmt.Fprintf(&b, " **Not as expected: it %s.**", m.Problem)
		}
		b.WriteString("\n")
		for _, f := range m.Findings {
			fmt.Fprintf(&b, "  - %s `%s`: %s\n", f.Result, f.Source, strings.Join(strings.Fields(f.Message), " "))
		}
	}
	if len(o.Modules) == 0 {
		return "No module was run.\n"
	}
	if b.Len() == 0 {
		return "Every module passed.\n"
	}
	return b.String()
}
