package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"regain/conformance/browser"
)

// web is an internet in memory: origins and who answers there. It notes every request.
type web struct {
	origins map[string]http.HandlerFunc
	seen    []*http.Request
}

func (w *web) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, found := w.origins[r.URL.Scheme+"://"+r.URL.Host]
	if !found {
		return nil, fmt.Errorf("nobody is at %s", r.URL.Host)
	}
	body := r.Clone(r.Context())
	if err := body.ParseForm(); err != nil {
		return nil, err
	}
	w.seen = append(w.seen, body)
	recorder := httptest.NewRecorder()
	answer(recorder, body)
	return recorder.Result(), nil
}

func (w *web) last() *http.Request { return w.seen[len(w.seen)-1] }

// page answers with HTML and headers, given as name, value, name, value.
func page(body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Add(headers[i], headers[i+1])
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(body))
	}
}

// at answers each path by its own handler.
func at(paths map[string]http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if h, found := paths[r.URL.Path]; found {
			h(w, r)
			return
		}
		http.NotFound(w, r)
	}
}

func redirect(status int, to string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(status)
	}
}

func open(t *testing.T, b *browser.Browser, address string) *browser.Page {
	t.Helper()
	p, err := b.Open(t.Context(), address)
	if err != nil {
		t.Fatalf("open %s: %v", address, err)
	}
	return p
}

func submit(t *testing.T, b *browser.Browser, p *browser.Page, id string, change url.Values) (*browser.Page, error) {
	t.Helper()
	form, ok := p.Form(id)
	if !ok {
		t.Fatalf("no form %q on %s", id, p.Body)
	}
	return b.Submit(t.Context(), form, change)
}

func on(w *web) *browser.Browser {
	return browser.New(browser.Config{HTTPClient: &http.Client{Transport: w}})
}

// parsed is a page with the given body.
func parsed(t *testing.T, body string) *browser.Page {
	t.Helper()
	return open(t, on(&web{origins: map[string]http.HandlerFunc{"https://a.example": page(body)}}), "https://a.example/dir/page?q=1")
}

// watch is a clock that tests move.
type watch struct{ time.Time }

func (w *watch) now() time.Time { return w.Time }
