package crash

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"regain/conformance/browser"
)

// pageOf shows an answer in a browser.
func pageOf(t *testing.T, status int, contentType, body string) *browser.Page {
	t.Helper()
	b := browser.New(browser.Config{HTTPClient: &http.Client{Transport: answers(func() *http.Response {
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(strings.NewReader(body))}
	})}})
	page, err := b.Open(context.Background(), "http://regain.localhost/recover/an-id/ask")
	if err != nil {
		t.Fatal(err)
	}
	return page
}

type answers func() *http.Response

func (a answers) RoundTrip(*http.Request) (*http.Response, error) { return a(), nil }

// A page that leaves its reader alone is found.
func TestPagesAreJudged(t *testing.T) {
	const html = "text/html; charset=utf-8"
	const good = `<!doctype html><title>Something went wrong</title><body><h1>Something went wrong on our side</h1><p>Try again in a moment.</p><a id="try-again" href="/">Try again</a>`
	for name, row := range map[string]struct {
		status     int
		kind, body string
		problem    string // "" for none
	}{
		"good":                      {500, html, good, ""},
		"the balancer's":            {502, "text/plain; charset=utf-8", "502 Bad Gateway", ""},
		"blank":                     {200, html, "", "a blank page, at /recover/…/ask"},
		"without a title":           {200, html, strings.Replace(good, "<title>Something went wrong</title>", "", 1), "a blank page"},
		"a stack trace":             {500, html, strings.Replace(good, "in a moment", "goroutine 17 [running]", 1), "tells what is inside: goroutine 1"},
		"the database's words":      {500, html, strings.Replace(good, "in a moment", "server selection: connection refused", 1), "tells what is inside: connection refused"},
		"an error without a way on": {500, html, strings.Replace(good, "try-again", "nothing", 1), "an error page without the offer to try again"},
		"a page without a way on":   {200, html, strings.Replace(good, "try-again", "nothing", 1), "a page that does not say what to do"},
		"no page":                   {500, "application/json", `{"error":"server_error"}`, "an answer that is no page"},
	} {
		t.Run(name, func(t *testing.T) {
			tally := newTally()
			tally.see(pageOf(t, row.status, row.kind, row.body))
			found := strings.Join(byCount(tally.problems), "\n")
			if (row.problem == "") != (found == "") || !strings.Contains(found, row.problem) {
				t.Errorf("found %q, want %q", found, row.problem)
			}
		})
	}
}
