package fetch_test

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"regain/internal/fetch"
)

func TestNewRefuses(t *testing.T) {
	for name, cfg := range map[string]fetch.Config{
		"negative timeout":   {Timeout: -1},
		"negative size":      {MaxBytes: -1},
		"negative redirects": {Redirects: -1},
		"three redirects":    {Redirects: 3},
		"URL as host":        {AllowHTTPHosts: []string{"http://a.example"}},
		"wildcard":           {AllowPrivateHosts: []string{"*.example"}},
		"empty host":         {AllowPrivateHosts: []string{""}},
		"port 0":             {AllowPrivateHosts: []string{"a.example:0"}},
		"port name":          {AllowHTTPHosts: []string{"a.example:https"}},
	} {
		if _, err := fetch.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestGetRefusesAddresses(t *testing.T) {
	touched := false
	host := serve(t, func(http.ResponseWriter, *http.Request) { touched = true })
	_, port, err := net.SplitHostPort(host)
	if err != nil {
		t.Fatal(err)
	}
	allowed := fetch.Config{AllowHTTPHosts: []string{"127.0.0.1"}, AllowPrivateHosts: []string{"127.0.0.1"}}
	for name, tt := range map[string]struct {
		cfg     fetch.Config
		address string
	}{
		"http":                     {fetch.Config{AllowPrivateHosts: []string{"127.0.0.1"}}, "http://" + host},
		"http of another port":     {fetch.Config{AllowHTTPHosts: []string{"127.0.0.1:1"}, AllowPrivateHosts: []string{"127.0.0.1"}}, "http://" + host},
		"loopback":                 {fetch.Config{AllowHTTPHosts: []string{"127.0.0.1"}}, "http://" + host},
		"loopback on another port": {fetch.Config{AllowHTTPHosts: []string{"127.0.0.1"}, AllowPrivateHosts: []string{"127.0.0.1:1"}}, "http://" + host},
		"localhost":                {fetch.Config{AllowHTTPHosts: []string{"localhost"}}, "http://localhost:" + port},
		"name under localhost":     {fetch.Config{AllowHTTPHosts: []string{"a.localhost"}}, "http://a.localhost:" + port},
		"another allowed name":     {allowed, "http://b.localhost:" + port},
		"mapped loopback":          {fetch.Config{AllowHTTPHosts: []string{"::ffff:127.0.0.1"}}, "http://[::ffff:127.0.0.1]:" + port},
		"unspecified":              {fetch.Config{AllowHTTPHosts: []string{"0.0.0.0"}, AllowPrivateHosts: []string{"0.0.0.0"}}, "http://0.0.0.0:" + port},
		"metadata service":         {fetch.Config{AllowHTTPHosts: []string{"169.254.169.254"}, AllowPrivateHosts: []string{"169.254.169.254"}}, "http://169.254.169.254/"},
		"user name":                {allowed, "http://u@" + host},
		"fragment":                 {allowed, "http://" + host + "/#f"},
		"file":                     {allowed, "file:///etc/passwd"},
		"no scheme":                {allowed, host},
		"opaque":                   {allowed, "https:" + host},
		"no host":                  {allowed, "https:///path"},
		"not a URL":                {allowed, "https://a b/"},
		"too long":                 {allowed, "http://" + host + "/" + strings.Repeat("a", 2048)},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := newFetcher(t, tt.cfg).Get(t.Context(), tt.address, "a/b"); !errors.Is(err, fetch.ErrForbidden) {
				t.Errorf("got %v", err)
			}
		})
	}
	if touched {
		t.Error("the server was reached")
	}
}

func TestGetIgnoresProxies(t *testing.T) {
	proxied := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the proxy was used") })
	host := serve(t, func(http.ResponseWriter, *http.Request) {})
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(name, "http://"+proxied)
	}
	// Go never proxies loopback addresses, but does proxy names.
	address := "proxied.localhost" + host[strings.LastIndex(host, ":"):]
	f := newFetcher(t, fetch.Config{AllowHTTPHosts: []string{address}, AllowPrivateHosts: []string{address}})
	if _, err := f.Get(t.Context(), "http://"+address, "a/b"); err != nil {
		t.Error(err)
	}
}

func TestGetVerifiesTLS(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	for _, tt := range []struct {
		roots *x509.CertPool
		want  error
	}{{nil, fetch.ErrNetwork}, {roots, nil}} {
		f := newFetcher(t, fetch.Config{AllowPrivateHosts: []string{"127.0.0.1"}, RootCAs: tt.roots})
		if _, err := f.Get(t.Context(), server.URL, "a/b"); !errors.Is(err, tt.want) {
			t.Errorf("got %v, want %v", err, tt.want)
		}
	}
}

func TestGetLeavesTheCallersCancellation(t *testing.T) {
	host := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	f := newFetcher(t, fetch.Config{AllowHTTPHosts: []string{host}, AllowPrivateHosts: []string{host}, Timeout: 50 * time.Millisecond})
	if _, err := f.Get(t.Context(), "http://"+host, "a/b"); !errors.Is(err, fetch.ErrTimeout) {
		t.Errorf("too slow: got %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Get(cancelled, "http://"+host, "a/b"); !errors.Is(err, context.Canceled) || errors.Is(err, fetch.ErrNetwork) {
		t.Errorf("cancelled: got %v", err)
	}
}

func TestGetCannotReachAClosedPort(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	host := server.Listener.Addr().String()
	server.Close()
	f := newFetcher(t, fetch.Config{AllowHTTPHosts: []string{host}, AllowPrivateHosts: []string{host}})
	if _, err := f.Get(t.Context(), "http://"+host, "a/b"); !errors.Is(err, fetch.ErrNetwork) {
		t.Errorf("got %v", err)
	}
}
