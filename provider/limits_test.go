package provider_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"regain/internal/config"
)

// deniedFrom opens a recovery as a browser behind a proxy that says where it is, and reports whether it was denied at once.
func (f *fixture) deniedFrom(t *testing.T, forwarded string) bool {
	t.Helper()
	return f.deniedWith(t, http.Header{"X-Forwarded-For": {forwarded}})
}

// deniedWith is deniedFrom for any headers.
func (f *fixture) deniedWith(t *testing.T, header http.Header) bool {
	t.Helper()
	attempt, err := f.RP.Start(t.Context(), "ada.lindqvist@example.org", nil)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, attempt.AuthorizeURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	resp, err := f.Client.Transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	page, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.Regain+resp.Header.Get("Location"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range resp.Cookies() {
		page.AddCookie(c)
	}
	shown, err := f.Client.Transport.RoundTrip(page)
	if err != nil {
		t.Fatal(err)
	}
	defer shown.Body.Close()
	var body strings.Builder
	if _, err := io.Copy(&body, shown.Body); err != nil {
		t.Fatal(err)
	}
	return strings.Contains(body.String(), `id="denied"`)
}

func limited(trusted ...string) func(*config.Config) {
	return func(c *config.Config) {
		c.TrustedProxies = trusted
		c.Limits = []config.LimitConfig{{Name: "account-network", Per: "account+network", Max: 2, Window: time.Hour}}
	}
}

// Promise 8: attempts are limited, and a victim is not locked out from where they are by somebody elsewhere.
func TestLimitsBehindATrustedProxy(t *testing.T) {
	f := setUpWith(t, limited("127.0.0.0/8"))
	for i, want := range []bool{false, false, true} {
		if got := f.deniedFrom(t, "192.0.2.1"); got != want {
			t.Errorf("attempt %d: denied %t", i+1, got)
		}
	}
	if f.deniedFrom(t, "198.51.100.9") {
		t.Error("the victim elsewhere is locked out")
	}
}

// Without a trusted proxy nobody can say that they are elsewhere.
func TestAForgedForwardedForGainsNoAttempts(t *testing.T) {
	f := setUpWith(t, limited())
	for i, want := range []bool{false, false, true} {
		if got := f.deniedFrom(t, "192.0.2."+string(rune('1'+i))); got != want {
			t.Errorf("attempt %d: denied %t", i+1, got)
		}
	}
}

// Proxies that write a port behind the address are read too: each person has a network of their own, and a new connection is
// no new network.
func TestLimitsBehindAProxyThatWritesPorts(t *testing.T) {
	f := setUpWith(t, limited("127.0.0.0/8"))
	for i, want := range []bool{false, false, true} {
		if got := f.deniedFrom(t, "192.0.2.1:5000"+string(rune('1'+i))); got != want {
			t.Errorf("attempt %d: denied %t", i+1, got)
		}
	}
	for _, elsewhere := range []string{"198.51.100.9:50000", "[2001:db8::1]:50000"} {
		if f.deniedFrom(t, elsewhere) {
			t.Errorf("the victim at %s is locked out", elsewhere)
		}
	}
}

// No other header is believed, and those whom the proxy does not name share one bucket: a forged header gains no attempts.
func TestNoHeaderGainsAttempts(t *testing.T) {
	for _, name := range []string{"X-Real-IP", "Forwarded", "True-Client-IP", "X-Client-IP"} {
		f := setUpWith(t, limited("127.0.0.0/8"))
		for i, want := range []bool{false, false, true} {
			value := "192.0.2." + string(rune('1'+i))
			if name == "Forwarded" {
				value = "for=" + value
			}
			if got := f.deniedWith(t, http.Header{http.CanonicalHeaderKey(name): {value}}); got != want {
				t.Errorf("%s, attempt %d: denied %t", name, i+1, got)
			}
		}
	}
	f := setUpWith(t, limited("127.0.0.0/8"))
	for i, forwarded := range []string{"unknown", "192.0.2.1:x", "192.0.2.7, -"} {
		if got := f.deniedFrom(t, forwarded); got != (i == 2) {
			t.Errorf("%q: denied %t", forwarded, got)
		}
	}
}
