package fetch_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/internal/fetch"
)

// serve starts a server on loopback and returns its host:port.
func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

func newFetcher(t *testing.T, cfg fetch.Config) *fetch.Fetcher {
	t.Helper()
	f, err := fetch.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestGet(t *testing.T) {
	host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Accept"); got != "text/special" {
			t.Errorf("Accept is %q", got)
		}
		w.Header().Set("Content-Type", "Text/Special; charset=utf-8")
		w.Header().Set("Cache-Control", "public, max-age=90")
		w.Header().Set("Age", "30")
		_, _ = w.Write([]byte("hello"))
	})
	_, port, _ := strings.Cut(host, ":")
	for _, name := range []string{host, "list.issuer.localhost:" + port, "LOCALHOST.:" + port} {
		f := newFetcher(t, fetch.Config{AllowHTTPHosts: []string{name}, AllowPrivateHosts: []string{name}})
		got, err := f.Get(t.Context(), "http://"+name+"/x", "text/special")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if string(got.Body) != "hello" || got.MediaType != "text/special" || got.MaxAge != time.Minute {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}
