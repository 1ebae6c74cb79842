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

// ReadResults reads results.json of a directory; none is no result yet.
func ReadResults(directory string) (Results, error) {
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

// Markdown is the report: a table of the plans, then every module that did not plainly pass, with its reason.
func (r Results) Markdown(plans []Plan) string {
	var b strings.Builder
	b.WriteString("# Results of the OpenID Foundation's conformance suite\n\nWritten by `regain oidf` from what the suite answered; do not edit.\n\n" +
		"| plan | variant | suite | date | passed | for review | warned | failed | skipped |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, p := range plans {
		o, run := r[p.Name]
		if !run {
			fmt.Fprintf(&b, "| `%s` | %s | | not run | | | | | |\n", p.Plan, inline(p.Variant))
			continue
		}
		count := make(map[string]int)
		for _, m := range o.Modules {
			count[m.Result]++
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s (%s) | %s | %d | %d | %d | %d | %d |\n", o.Plan, inline(o.Variant), o.Suite.Version, o.Suite.Revision, o.Date,
			count["PASSED"], count["REVIEW"], count["WARNING"], count["FAILED"], count["SKIPPED"])
	}
	for _, p := range plans {
		if o, run := r[p.Name]; run {
			o.details(&b, p.Name)
		}
	}
	return b.String()
}

func inline(variant map[string]string) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(variant)) {
		parts = append(parts, key+"="+variant[key])
	}
	return strings.Join(parts, ", ")
}

// details lists the modules that did not plainly pass.
func (o Outcome) details(b *strings.Builder, name string) {
	fmt.Fprintf(b, "\n## %s: `%s`\n\n", name, o.Plan)
	plain := true
	for _, m := range o.Modules {
		if m.Result == "PASSED" && m.Problem == "" {
			continue
		}
		plain = false
		fmt.Fprintf(b, "- **%s** `%s`", m.Result, m.Name)
		if m.Why != "" {
			fmt.Fprintf(b, ": %s", m.Why)
		}
		if m.Problem != "" {
			fmt.Fprintf(b, " **Not as expected: it %s.**", m.Problem)
		}
		b.WriteString("\n")
		for _, f := range m.Findings {
			fmt.Fprintf(b, "  - %s `%s`: %s\n", f.Result, f.Source, strings.Join(strings.Fields(f.Message), " "))
		}
	}
	if plain {
		b.WriteString("Every module passed.\n")
	}
}
