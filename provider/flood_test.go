package provider_test

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"regain/internal/config"
)

// auditLines returns how many lines the audit log has, and its text.
func (f *fixture) auditLines(t *testing.T) (int, string) {
	t.Helper()
	text, err := os.ReadFile(f.AuditLog())
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), "\n"), string(text)
}

// A name that somebody sends reaches the audit log as it is, so one that would fill it or forge its lines is refused
// where it comes in, with an OAuth error, and leaves nothing.
func TestNamesThatCannotBeRecorded(t *testing.T) {
	f := setUp(t)
	before, _ := f.auditLines(t)
	for what, name := range map[string]string{
		"8 KB": strings.Repeat("a", 8000), "321 octets": strings.Repeat("a", 309) + "@example.org", "a line": "ada\n{\"seq\":1}@example.org", "a NUL": "ada\x00@example.org",
		"an escape": "ada\x1b[2K@example.org", "turned around": "ada\u202egro.elpmaxe", "not UTF-8": "ada\xff@example.org", "invisible": "ada\u200b@example.org",
	} {
		_, err := f.RP.Start(t.Context(), name, nil)
		if err == nil || !strings.Contains(err.Error(), "invalid_request") || !strings.Contains(err.Error(), "320 octets of printable UTF-8") && !strings.Contains(err.Error(), "not UTF-8") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if after, text := f.auditLines(t); after != before {
		t.Errorf("%d lines were written:\n%s", after-before, text)
	}
	if _, err := f.RP.Start(t.Context(), strings.Repeat("a", 308)+"@example.org", nil); err != nil {
		t.Errorf("320 octets: %v", err)
	}
}

// visit opens a URL in a browser of its own, and returns the status and where it leads.
func (f *fixture) visit(t *testing.T, address string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := f.Client.Transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode, answer.Header.Get("Location")
}

// One request URI opens a few recoveries, for a person who reloads, and no more.
func TestOneRequestURIOpensFewRecoveries(t *testing.T) {
	f := setUpWith(t, func(c *config.Config) {
		c.Limits = []config.LimitConfig{{Name: "client", Per: "client", Max: 1000, Window: time.Hour}}
	})
	attempt, err := f.RP.Start(t.Context(), "ada.lindqvist@example.org", nil)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := f.auditLines(t)
	opened := 0
	for range 50 {
		if _, location := f.visit(t, attempt.AuthorizeURL); strings.Contains(location, "/recover/") {
			opened++
		}
	}
	if after, _ := f.auditLines(t); opened != 8 || after-before != opened {
		t.Errorf("%d recoveries and %d records from one request URI", opened, after-before)
	}
	if other, err := f.RP.Start(t.Context(), "ada.lindqvist@example.org", nil); err != nil {
		t.Error(err)
	} else if _, location := f.visit(t, other.AuthorizeURL); !strings.Contains(location, "/recover/") {
		t.Errorf("another request: sent to %s", location)
	}
}

// Beyond a limit the first openings show a page and are recorded; of the rest the client hears, and nothing is kept.
func TestAFloodBeyondALimit(t *testing.T) {
	f := setUpWith(t, func(c *config.Config) {
		c.Limits = []config.LimitConfig{{Name: "account-network", Per: "account+network", Max: 3, Window: time.Hour}}
	})
	before, _ := f.auditLines(t)
	pages, refused := 0, 0
	for range 40 {
		attempt, err := f.RP.Start(t.Context(), "ada.lindqvist@example.org", nil)
		if err != nil {
			t.Fatal(err)
		}
		switch _, location := f.visit(t, attempt.AuthorizeURL); {
		case strings.Contains(location, "/recover/"):
			pages++
		case strings.Contains(location, "error=access_denied") && strings.Contains(location, "Too+many"):
			refused++
		default:
			t.Errorf("sent to %s", location)
		}
	}
	if after, _ := f.auditLines(t); pages != 3+4 || refused != 40-pages || after-before != pages {
		t.Errorf("%d pages, %d refused, %d records", pages, refused, after-before)
	}
}
