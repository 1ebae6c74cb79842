package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLinksOfTheDocumentation follows each relative link of every page to its file, and to its heading where it names one.
func TestLinksOfTheDocumentation(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	followed := 0
	for _, page := range pages(t) {
		text := read(t, page)
		for _, match := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(match[1], ":") { // another site
				continue
			}
			followed++
			path, heading, _ := strings.Cut(match[1], "#")
			target := page
			if path != "" {
				target = filepath.Join(filepath.Dir(page), path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", page, match[1])
			} else if heading != "" && !headings(read(t, target))[heading] {
				t.Errorf("%s links to %s, and there is no such heading", page, match[1])
			}
		}
	}
	if followed < 50 {
		t.Errorf("followed %d links, so they are not found any more", followed)
	}
}

// TestDecisionsHaveNumbersOfTheirOwn: two branches may each write the next one.
func TestDecisionsHaveNumbersOfTheirOwn(t *testing.T) {
	t.Parallel()
	of := make(map[string]string)
	decisions, err := filepath.Glob("docs/decisions/*.md")
	if err != nil || len(decisions) == 0 {
		t.Fatalf("found %d decisions: %v", len(decisions), err)
	}
	for _, path := range decisions {
		number, _, _ := strings.Cut(filepath.Base(path), "-")
		if other := of[number]; other != "" {
			t.Errorf("%s and %s have the same number", other, path)
		}
		of[number] = path
	}
}

// pages returns the documentation, and the texts at the root.
func pages(t *testing.T) (all []string) {
	t.Helper()
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path) //nolint:gosec // a page of the repository
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// headings returns the names by which a page's headings are linked to, as the usual renderers make them: in lower case,
// without punctuation, and with a hyphen for each space.
func headings(text string) map[string]bool {
	found, code := make(map[string]bool), false
	punctuation := regexp.MustCompile(`[^\p{L}\p{N}_\- ]`)
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "```") {
			code = !code
		}
		if title := strings.TrimLeft(line, "#"); title != line && !code {
			name := punctuation.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
			found[strings.ReplaceAll(name, " ", "-")] = true
		}
	}
	return found
}
