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
	for name, row := range map[string]struct {
		cfg fetch.Config
		why string
	}{
		"negative timeout":   {fetch.Config{Timeout: -1}, "is out of range"},
		"negative size":      {fetch.Config{MaxBytes: -1}, "is out of range"},
		"negative redirects": {fetch.Config{Redirects: -1}, "is out of range"},
		"three redirects":    {fetch.Config{Redirects: 3}, "number of redirects (0 to 2) is out of range"},
		"URL as host":        {fetch.Config{AllowHTTPHosts: []string{"http://a.example"}}, "has no valid port"}, // the part behind the colon
		"path of a host":     {fetch.Config{AllowHTTPHosts: []string{"a.example/x"}}, "neither host nor host:port"},
		"wildcard":           {fetch.Config{AllowPrivateHosts: []string{"*.example"}}, "neither host nor host:port"},
		"empty host":         {fetch.Config{AllowPrivateHosts: []string{""}}, "neither host nor host:port"},
		"port 0":             {fetch.Config{AllowPrivateHosts: []string{"a.example:0"}}, "has no valid port"},
		"port name":          {fetch.Config{AllowHTTPHosts: []string{"a.example:https"}}, "has no valid port"},
	} {
		if _, err := fetch.New(row.cfg); err == nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: got %v, want %q", name, err, row.why)
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
		why     string
	}{
		"http":                     {fetch.Config{AllowPrivateHosts: []string{"127.0.0.1"}}, "http://" + host, "http is not allowed for"},
		"http of another port":     {fetch.Config{AllowHTTPHosts: []string{"127.0.0.1:1"}, AllowPrivateHosts: []string{"127.0.0.1"}}, "http://" + host, "http is not allowed for"},
		"loopback":                 {fetch.Config{AllowHTTPHosts: []string{"127.0.0.1"}}, "http://" + host, "loopback or private address"},
		"loopback on another port": {fetch.Config{AllowHTTPHosts: []string{"127.0.0.1"}, AllowPrivateHosts: []string{"127.0.0.1:1"}}, "http://" + host, "loopback or private address"},
		"localhost":                {fetch.Config{AllowHTTPHosts: []string{"localhost"}}, "http://localhost:" + port, "loopback or private address"},
		"name under localhost":     {fetch.Config{AllowHTTPHosts: []string{"a.localhost"}}, "http://a.localhost:" + port, "loopback or private address"},
		"another allowed name":     {allowed, "http://b.localhost:" + port, "http is not allowed for"},
		"mapped loopback":          {fetch.Config{AllowHTTPHosts: []string{"::ffff:127.0.0.1"}}, "http://[::ffff:127.0.0.1]:" + port, "loopback or private address"},
		"unspecified":              {fetch.Config{AllowHTTPHosts: []string{"0.0.0.0"}, AllowPrivateHosts: []string{"0.0.0.0"}}, "http://0.0.0.0:" + port, "special-purpose address"},
		"metadata service":         {fetch.Config{AllowHTTPHosts: []string{"169.254.169.254"}, AllowPrivateHosts: []string{"169.254.169.254"}}, "http://169.254.169.254/", "special-purpose address"},
		"user name":                {allowed, "http://u@" + host, "user name in URL"},
		"fragment":                 {allowed, "http://" + host + "/#f", "fragment in URL"},
		"file":                     {allowed, "file:///etc/passwd", "no host"},
		"ftp":                      {allowed, "ftp://" + host, "scheme is not https"},
		"upper case in http":       {fetch.Config{}, "HTTP://" + host, "http is not allowed for"},
		"no scheme":                {allowed, host, "not a URL"},
		"opaque":                   {allowed, "https:" + host, "no host"},
		"no host":                  {allowed, "https:///path", "no host"},
		"not a URL":                {allowed, "https://a b/", "not a URL"},
		"too long":                 {allowed, "http://" + host + "/" + strings.Repeat("a", 2048), "longer than 2048 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := newFetcher(t, tt.cfg).Get(t.Context(), tt.address, "a/b"); !errors.Is(err, fetch.ErrForbidden) || !strings.Contains(err.Error(), tt.why) {
				t.Errorf("got %v, want %q", err, tt.why)
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
