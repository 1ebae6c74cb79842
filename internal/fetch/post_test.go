package fetch_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"regain/internal/fetch"
)

func open(t *testing.T, hosts ...string) *fetch.Fetcher {
	t.Helper()
	return newFetcher(t, fetch.Config{AllowHTTPHosts: hosts, AllowPrivateHosts: hosts, Timeout: 5 * time.Second})
}

// TestPostForm holds that a form arrives as one, that any 2xx acknowledges it, and that nothing else does.
func TestPostForm(t *testing.T) {
	for status, want := range map[int]error{
		200: nil, 204: nil, 299: nil, 302: fetch.ErrStatus, 400: fetch.ErrStatus, 404: fetch.ErrStatus, 500: fetch.ErrStatus,
	} {
		var got url.Values
		host := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.Header.Get("User-Agent") != "regain" || r.Header.Get("Accept-Encoding") != "identity" {
				t.Errorf("%s %v", r.Method, r.Header)
			}
			if r.URL.Path != "/logout" { // a redirect that was followed would send the token on
				t.Errorf("at %s", r.URL.Path)
			}
			if err := r.ParseForm(); err != nil {
				t.Error(err)
			}
			got = r.PostForm
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		})
		err := open(t, host).PostForm(t.Context(), "http://"+host+"/logout", url.Values{"logout_token": {"a b&c"}})
		if !errors.Is(err, want) || errors.Is(err, fetch.ErrNetwork) || got.Get("logout_token") != "a b&c" {
			t.Errorf("%d: %v, got %v", status, err, got)
		}
	}
}

// TestPostFormRefuses holds that a notification goes through the same rules as everything that is fetched.
func TestPostFormRefuses(t *testing.T) {
	host := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the server was reached") })
	for name, row := range map[string]struct {
		from    *fetch.Fetcher
		address string
		why     string
	}{
		"http":      {newFetcher(t, fetch.Config{AllowPrivateHosts: []string{host}}), "http://" + host, "http is not allowed for " + host},
		"loopback":  {newFetcher(t, fetch.Config{AllowHTTPHosts: []string{host}}), "http://" + host, "loopback or private address"},
		"user name": {open(t, host), "http://u@" + host, "user name in URL"},
	} {
		if err := row.from.PostForm(t.Context(), row.address, url.Values{}); !errors.Is(err, fetch.ErrForbidden) || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPostFormEnds(t *testing.T) {
	host := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	slow := newFetcher(t, fetch.Config{AllowHTTPHosts: []string{host}, AllowPrivateHosts: []string{host}, Timeout: 50 * time.Millisecond})
	if err := slow.PostForm(t.Context(), "http://"+host, nil); !errors.Is(err, fetch.ErrTimeout) {
		t.Errorf("too slow: %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := slow.PostForm(cancelled, "http://"+host, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestGetSaysWhoItIs holds what servers are told: not more than the name of this software, and that a compressed answer
// is not wanted.
func TestGetSaysWhoItIs(t *testing.T) {
	host := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("User-Agent") != "regain" || r.Header.Get("Accept-Encoding") != "identity" {
			t.Errorf("got %v", r.Header)
		}
	})
	if _, err := open(t, host).Get(t.Context(), "http://"+host, "a/b"); err != nil {
		t.Error(err)
	}
}

// TestGetKeepsTLS holds that nobody who answers over TLS can send us on to a connection that anybody reads.
func TestGetKeepsTLS(t *testing.T) {
	plain := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the plain server was reached") })
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := map[string]string{"/down": "http://" + plain, "/stay": "/end", "/up": "/end"}[r.URL.Path]
		if to != "" {
			http.Redirect(w, r, to, http.StatusFound)
		}
	}))
	t.Cleanup(server.Close)
	up := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, server.URL+"/end", http.StatusFound) })
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	f := newFetcher(t, fetch.Config{AllowHTTPHosts: []string{plain, up}, AllowPrivateHosts: []string{"127.0.0.1"}, RootCAs: roots, Redirects: 2})
	if _, err := f.Get(t.Context(), server.URL+"/down", "a/b"); !errors.Is(err, fetch.ErrForbidden) || !strings.Contains(err.Error(), "redirect from https to http") {
		t.Errorf("down: %v", err)
	}
	for _, address := range []string{server.URL + "/stay", "http://" + up} {
		if _, err := f.Get(t.Context(), address, "a/b"); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestDefaults holds the limits of the zero value: they guard every deployment that configures none.
func TestDefaults(t *testing.T) {
	for n, want := range map[int]error{2 << 20: nil, 2<<20 + 1: fetch.ErrTooLarge} {
		host := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, n)) })
		f := newFetcher(t, fetch.Config{AllowHTTPHosts: []string{host}, AllowPrivateHosts: []string{host}})
		if _, err := f.Get(t.Context(), "http://"+host, "a/b"); !errors.Is(err, want) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	for n, want := range map[int]error{30 << 10: nil, 48 << 10: fetch.ErrNetwork} {
		host := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("a", n)) })
		if _, err := open(t, host).Get(t.Context(), "http://"+host, "a/b"); !errors.Is(err, want) {
			t.Errorf("a header of %d bytes: %v", n, err)
		}
	}
}

// TestGetOfAnswersAsTheyAre holds what is made of the headers of an answer.
func TestGetOfAnswersAsTheyAre(t *testing.T) {
	for name, row := range map[string]struct {
		header map[string]string
		kind   string
		age    time.Duration
	}{
		"identity":       {map[string]string{"Content-Encoding": "Identity", "Content-Type": "a/b"}, "a/b", 0},
		"a broken type":  {map[string]string{"Content-Type": "a/b; c"}, "", 0},
		"as old as it":   {map[string]string{"Content-Type": "a/b", "Cache-Control": "max-age=60", "Age": "60"}, "a/b", 0},
		"a second left":  {map[string]string{"Content-Type": "a/b", "Cache-Control": "max-age=60", "Age": "59"}, "a/b", time.Second},
		"older":          {map[string]string{"Content-Type": "a/b", "Cache-Control": "max-age=60", "Age": "61"}, "a/b", 0},
		"of no age":      {map[string]string{"Content-Type": "a/b", "Cache-Control": "max-age=60", "Age": "x"}, "a/b", 0},
		"the most":       {map[string]string{"Content-Type": "a/b", "Cache-Control": "max-age=2147483647"}, "a/b", 2147483647 * time.Second},
		"more than that": {map[string]string{"Content-Type": "a/b", "Cache-Control": "max-age=2147483648"}, "a/b", 0},
	} {
		host := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			for key, value := range row.header {
				w.Header().Set(key, value)
			}
		})
		got, err := open(t, host).Get(t.Context(), "http://"+host, "a/b")
		if err != nil || got.MediaType != row.kind || got.MaxAge != row.age {
			t.Errorf("%s: %q, %v, %v", name, got.MediaType, got.MaxAge, err)
		}
	}
}

// TestHostsAsTheyAreWritten holds that an allowed host is found in each of its spellings, at the ports it was given.
func TestHostsAsTheyAreWritten(t *testing.T) {
	host := serve(t, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := strings.Cut(host, ":")
	for name, row := range map[string]struct {
		allowed, address string
		ok               bool
	}{
		"upper case":           {"A.LOCALHOST:" + port, "http://a.localhost:" + port, true},
		"a final dot":          {"a.localhost.:" + port, "http://a.localhost:" + port, true},
		"a dot in the address": {"a.localhost:" + port, "http://a.localhost.:" + port, true},
		"any port":             {"a.localhost", "http://a.localhost:" + port, true},
		"an address longer":    {host, "http://" + host + "/" + strings.Repeat("a", 2048-len("http://"+host+"/")), true},
		"too long by one":      {host, "http://" + host + "/" + strings.Repeat("a", 2049-len("http://"+host+"/")), false},
		"the highest port":     {"a.localhost:65535", "http://a.localhost:" + port, false},
	} {
		_, err := open(t, row.allowed).Get(t.Context(), row.address, "a/b")
		if (err == nil) != row.ok || err != nil && !errors.Is(err, fetch.ErrForbidden) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []string{"a.example:65536", "[::1]:0"} {
		if _, err := fetch.New(fetch.Config{AllowHTTPHosts: []string{bad}}); err == nil || !strings.Contains(err.Error(), "has no valid port") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
