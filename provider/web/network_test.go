package web

import (
	"bytes"
	"crypto/rand"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"regain/internal/peer"
	"regain/recovery"
)

const (
	proxy    = "127.0.0.1:1234"
	stranger = "203.0.113.9:1234"
)

// from is a request of a peer with lines of X-Forwarded-For.
func from(remote string, lines ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr, r.Header["X-Forwarded-For"] = remote, lines
	return r
}

// networks is a Web behind proxies at 127.0.0.1 and in 10.0.0.0/8, its clock and its log.
func networks(t testing.TB) (*Web, *time.Time, *bytes.Buffer) {
	t.Helper()
	now, log := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), new(bytes.Buffer)
	w, err := New(Config{
		Issuer: "https://regain.example", Proxies: []string{"127.0.0.1", "10.0.0.0/8", "2001:db8:ffff::/48"},
		Logger: slog.New(slog.NewJSONHandler(log, nil)), Clock: func() time.Time { return now }, Random: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	return w, &now, log
}

func (w *Web) networkOfRequest(r *http.Request) string {
	return w.Network(&gin.Context{Request: r})
}

// A subscriber with many IPv6 addresses, or another spelling of one, is one network, with or without a port.
func TestNetwork(t *testing.T) {
	w, _, _ := networks(t)
	for ip, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:0DB8:1:2::9": "2001:db8:1:2::/64",
		"192.0.2.7:80": "192.0.2.7", "192.0.2.7:50000": "192.0.2.7", "[2001:db8:1:2::9]:50000": "2001:db8:1:2::/64", "[2001:db8:1:2::9]": "2001:db8:1:2::/64",
		"[::ffff:192.0.2.7]:80": "192.0.2.7", "\t192.0.2.7 ": "192.0.2.7",
	} {
		if got := w.networkOfRequest(from(proxy, ip)); got != want {
			t.Errorf("network of %q is %q, want %q", ip, got, want)
		}
	}
}

// What a proxy sends that is no address is nobody's: not the proxy's, and not what stands to the left of it.
func TestUnreadableHopsAreUnknown(t *testing.T) {
	w, _, _ := networks(t)
	for _, hop := range []string{
		"", " ", "unknown", "_hidden", "fe80::1%eth0", "[fe80::1%eth0]:80", "192.0.2.7:", "192.0.2.7:http", "192.0.2.7:99999", "192.0.2", "192.0.2.07",
		"[192.0.2.7]", "[192.0.2.7]:80", "[2001:db8::1", "2001:db8::1]", "[2001:db8::1]80", "[[2001:db8::1]]", "0.0.0.0", "::", "[::]:80", "::ffff:0.0.0.0", `"192.0.2.7"`, "for=192.0.2.7",
		"192.0.2.7;192.0.2.8", "192.0.2.7 192.0.2.8", "unix:", strings.Repeat("1", 5000), "192.0.2.7\x00", "１92.0.2.7",
	} {
		for _, lines := range [][]string{{hop}, {"198.51.100.1, " + hop}, {"198.51.100.1", hop}, {hop + ",10.0.0.1"}} {
			if got := w.networkOfRequest(from(proxy, lines...)); got != recovery.UnknownNetwork {
				t.Errorf("%q is %q", lines, got)
			}
		}
	}
}

// The last address that is no proxy's counts: who stands to the left of it said so themselves.
func TestClientAddress(t *testing.T) {
	w, _, _ := networks(t)
	for name, row := range map[string]struct {
		r    *http.Request
		want string
	}{
		"a stranger":                       {from(stranger), "203.0.113.9"},
		"a stranger who says otherwise":    {from(stranger, "192.0.2.7"), "203.0.113.9"},
		"one proxy":                        {from(proxy, "192.0.2.7"), "192.0.2.7"},
		"the proxy as IPv4 in IPv6":        {from("[::ffff:10.1.1.1]:5", "192.0.2.7"), "192.0.2.7"},
		"two proxies":                      {from(proxy, "192.0.2.7, 10.0.0.1"), "192.0.2.7"},
		"two proxies with ports":           {from(proxy, "192.0.2.7:50000, 10.0.0.1:443, [2001:db8:ffff::1]:443"), "192.0.2.7"},
		"a forged one to the left":         {from(proxy, "198.51.100.1, 192.0.2.7"), "192.0.2.7"},
		"a forged one in a line before":    {from(proxy, "198.51.100.1", "192.0.2.7"), "192.0.2.7"},
		"a forged proxy to the left":       {from(proxy, "10.0.0.1, 192.0.2.7"), "192.0.2.7"},
		"rubbish to the left":              {from(proxy, strings.Repeat("x,", 9000)+"192.0.2.7"), "192.0.2.7"},
		"a line for each proxy":            {from(proxy, "192.0.2.7", "10.0.0.1"), "192.0.2.7"},
		"nothing said":                     {from(proxy), recovery.UnknownNetwork},
		"proxies only":                     {from(proxy, "10.0.0.2, 10.0.0.1"), recovery.UnknownNetwork},
		"more proxies than there can be":   {from(proxy, "192.0.2.7"+strings.Repeat(", 10.0.0.1", 17)), recovery.UnknownNetwork},
		"as many as there can be":          {from(proxy, "192.0.2.7"+strings.Repeat(", 10.0.0.1", 15)), "192.0.2.7"},
		"rubbish to the right of a person": {from(proxy, "192.0.2.7, -"), recovery.UnknownNetwork},
		"a Unix socket":                    {from("@", "192.0.2.7"), recovery.UnknownNetwork},
	} {
		if got := w.networkOfRequest(row.r); got != row.want {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
}

// One header is read. Any other is one that some proxy passes on as the client sent it.
func TestNoOtherHeaderSaysWhoSomebodyIs(t *testing.T) {
	w, _, _ := networks(t)
	for _, name := range []string{
		"X-Real-IP", "Forwarded", "X-Forwarded", "X-Client-IP", "Client-IP", "True-Client-IP", "CF-Connecting-IP", "Fastly-Client-IP", "X-Cluster-Client-IP",
		"X-Appengine-Remote-Addr", "X-Original-Forwarded-For", "X_Forwarded_For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix",
	} {
		for remote, want := range map[string]string{proxy: "192.0.2.7", stranger: "203.0.113.9"} {
			r := from(remote, "192.0.2.7")
			r.Header.Set(name, "198.51.100.1")
			if got := w.networkOfRequest(r); got != want {
				t.Errorf("%s from %s: %q", name, remote, got)
			}
			if r.Header.Del("X-Forwarded-For"); remote == proxy && w.networkOfRequest(r) != recovery.UnknownNetwork {
				t.Errorf("%s alone: %q", name, w.networkOfRequest(r))
			}
		}
	}
}

// The log says once a minute that networks are unknown, how often, and nothing of what a stranger sent.
func TestUnknownNetworksAreTold(t *testing.T) {
	w, now, log := networks(t)
	for range 1000 {
		w.networkOfRequest(from(proxy, "secret-text"))
	}
	if n := strings.Count(log.String(), "network unknown"); n != 1 || strings.Contains(log.String(), "secret") || !strings.Contains(log.String(), "no IP address") {
		t.Errorf("told %d times: %s", n, log)
	}
	*now = now.Add(time.Minute)
	w.networkOfRequest(from(proxy))
	if !strings.Contains(log.String(), `"occurrences":1000`) || !strings.Contains(log.String(), "trusted_proxies") {
		t.Errorf("not told again: %s", log)
	}
}

func TestProxiesThatAreNone(t *testing.T) {
	for _, list := range [][]string{{"proxy.example"}, {"0.0.0.0/0"}} {
		_, err := New(Config{Issuer: "https://regain.example", Proxies: list, Logger: slog.Default(), Clock: time.Now, Random: rand.Reader})
		if err == nil || !strings.Contains(err.Error(), "trusted_proxies: proxy ") {
			t.Errorf("%q: %v", list, err)
		}
	}
}

// reference is clientAddress again, slowly: every hop is parsed first, by other means.
func reference(lines []string, proxies peer.Proxies) string {
	forms := []*regexp.Regexp{
		regexp.MustCompile(`^([0-9.]+)(?::0*([0-9]{1,5}))?$`), regexp.MustCompile(`^\[([0-9A-Fa-f:.]+)\](?::0*([0-9]{1,5}))?$`), regexp.MustCompile(`^([0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)()$`),
	}
	var hops []string
	for _, text := range strings.Split(strings.Join(lines, ","), ",") {
		hop := ""
		for i, form := range forms {
			trimmed := strings.Trim(text, " \t")
			parts := form.FindStringSubmatch(trimmed)
			if len(parts) == 0 || len(trimmed) > maxHop {
				continue
			}
			ip := net.ParseIP(parts[1])
			if port, err := net.LookupPort("tcp", "0"+parts[2]); err == nil && port <= 65535 && ip != nil && !ip.IsUnspecified() && (i > 0) == strings.Contains(parts[1], ":") {
				hop = ip.String()
			}
		}
		hops = append(hops, hop)
	}
	for i := len(hops) - 1; i >= 0 && len(hops)-i <= maxHops; i-- {
		if hops[i] == "" {
			return ""
		}
		if !proxies.Contain(netip.MustParseAddr(hops[i])) {
			return hops[i]
		}
	}
	return ""
}

// Whatever the header says, the result is what a slow reading finds; and once our own proxy has appended whom it was
// called by, nothing that stands to the left of that changes anything.
func FuzzForwarded(f *testing.F) {
	for _, seed := range []string{
		"192.0.2.7", "192.0.2.7:50000", "192.0.2.7:050000", "[2001:db8::1]:443", "2001:db8::1", "::ffff:192.0.2.7", "10.0.0.1", "198.51.100.1, 192.0.2.7:80,10.0.0.1", "198.51.100.1\n192.0.2.7, 10.0.0.2",
		"fe80::1%eth0", "unknown", ",", "", "\t192.0.2.7 ", "[::ffff:10.0.0.1]:1, [2001:db8:ffff::1]",
	} {
		f.Add(seed)
	}
	proxies, err := peer.ParseProxies([]string{"127.0.0.1", "10.0.0.0/8", "2001:db8:ffff::/48"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		got, err := clientAddress(from(proxy, lines...), proxies)
		found := ""
		if err == nil {
			found = got.String()
		}
		if want := reference(lines, proxies); found != want {
			t.Errorf("%q: %q, and slowly %q", lines, found, want)
		}
		if err == nil && (proxies.Contain(got) || got.Zone() != "" || got.Is4In6()) {
			t.Errorf("%q: %s is a proxy's, or no plain address", lines, got)
		}
		for _, honest := range []string{"203.0.113.9", "203.0.113.9:50000, 10.0.0.1", "[2001:db8:1::9]:50000"} {
			want, err := clientAddress(from(proxy, honest), proxies)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := clientAddress(from(proxy, append(lines, honest)...), proxies); err != nil || got != want {
				t.Errorf("%q before %q: %s, %v", lines, honest, got, err)
			}
		}
		if got, err := clientAddress(from(stranger, lines...), proxies); err != nil || got.String() != "203.0.113.9" {
			t.Errorf("a stranger's %q: %s, %v", lines, got, err)
		}
	})
}
