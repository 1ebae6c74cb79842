package fetch_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"regain/internal/fetch"
)

func TestGetRefusesResponses(t *testing.T) {
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   error
	}{
		"as long as allowed": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 100)) }, nil},
		"one byte too long":  {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 101)) }, fetch.ErrTooLarge},
		"too long in chunks": {func(w http.ResponseWriter, _ *http.Request) {
			for range 3 {
				_, _ = w.Write(make([]byte, 50))
				w.(http.Flusher).Flush()
			}
		}, fetch.ErrTooLarge},
		"compressed":     {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Encoding", "gzip") }, fetch.ErrEncoded},
		"not found":      {func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, fetch.ErrStatus},
		"no content":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, fetch.ErrStatus},
		"cut off":        {cutOff, fetch.ErrNetwork},
		"endless header": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("a", 64<<10)) }, fetch.ErrNetwork},
	} {
		t.Run(name, func(t *testing.T) {
			host := serve(t, tt.answer)
			f := newFetcher(t, fetch.Config{AllowHTTPHosts: []string{host}, AllowPrivateHosts: []string{host}, MaxBytes: 100})
			if _, err := f.Get(t.Context(), "http://"+host, "a/b"); !errors.Is(err, tt.want) || tt.want != fetch.ErrNetwork && errors.Is(err, fetch.ErrNetwork) { //nolint:errorlint // of the table
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// cutOff announces more than it sends.
func cutOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "50")
	_, _ = w.Write([]byte("short"))
	panic(http.ErrAbortHandler)
}

func TestGetChecksEachRedirect(t *testing.T) {
	end := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Referer") != "" {
			t.Error("the redirect carries a Referer")
		}
		_, _ = w.Write([]byte("end"))
	})
	start := serve(t, func(w http.ResponseWriter, r *http.Request) {
		to := map[string]string{
			"/end": "http://" + end, "/twice": "/end", "/thrice": "/twice", "/metadata": "http://169.254.169.254/", "/file": "file:///etc/passwd",
		}[r.URL.Path]
		http.Redirect(w, r, to, http.StatusFound)
	})
	both := []string{start, end}
	for _, tt := range []struct {
		path  string
		limit int
		hosts []string
		want  error
	}{
		{"/end", 0, both, fetch.ErrForbidden},
		{"/end", 1, both, nil},
		{"/twice", 1, both, fetch.ErrForbidden},
		{"/twice", 2, both, nil},
		{"/thrice", 2, both, fetch.ErrForbidden},
		{"/end", 2, []string{start}, fetch.ErrForbidden},
		{"/metadata", 2, both, fetch.ErrForbidden},
		{"/file", 2, both, fetch.ErrForbidden},
	} {
		f := newFetcher(t, fetch.Config{AllowHTTPHosts: tt.hosts, AllowPrivateHosts: tt.hosts, Redirects: tt.limit})
		if _, err := f.Get(t.Context(), "http://"+start+tt.path, "a/b"); !errors.Is(err, tt.want) {
			t.Errorf("%s with %d redirects: got %v, want %v", tt.path, tt.limit, err, tt.want)
		}
	}
}

func TestGetReadsMaxAge(t *testing.T) {
	for control, want := range map[string]time.Duration{
		"": 0, "max-age=60": time.Minute, `Max-Age="60"`: time.Minute, "max-age=60, no-store": 0, "max-age=60,no-cache": 0, "private, max-age=60": 0,
		"max-age=-1": 0, "max-age=x": 0, "max-age=99999999999": 0, "s-maxage=60": 0, "max-age": 0,
	} {
		host := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Cache-Control", control) })
		f := newFetcher(t, fetch.Config{AllowHTTPHosts: []string{host}, AllowPrivateHosts: []string{host}})
		got, err := f.Get(t.Context(), "http://"+host, "a/b")
		if err != nil || got.MaxAge != want {
			t.Errorf("%q: got %v, %v; want %v", control, got.MaxAge, err, want)
		}
	}
}
