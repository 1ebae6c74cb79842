package peer_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"regain/internal/peer"
)

func TestProxies(t *testing.T) {
	proxies, err := peer.ParseProxies([]string{"10.0.0.0/8", "127.0.0.1", "::ffff:192.0.2.0/120", "2001:db8::/32", "fe80::/10"})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]bool{
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "127.0.0.1": true, "127.0.0.2": false, "192.0.2.9": true, "192.0.3.9": false,
		"2001:db8:1::1": true, "2001:db9::1": false, "fe80::1%eth0": true, "::10.1.2.3": false,
	} {
		if got := proxies.Contain(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is a proxy: %t", address, got)
		}
	}
	if peer.Proxies(nil).Contain(netip.MustParseAddr("127.0.0.1")) || proxies.Contain(netip.Addr{}) {
		t.Error("nobody is a proxy, or nothing is one")
	}
}

func TestProxiesThatAreRefused(t *testing.T) {
	for text, why := range map[string]string{
		"":                  "neither an address nor a CIDR range",
		"proxy.example":     "neither an address nor a CIDR range",
		"10.0.0.0/33":       "neither an address nor a CIDR range",
		"fe80::1%eth0":      "neither an address nor a CIDR range",
		"10.0.0.1:80":       "neither an address nor a CIDR range",
		"0.0.0.0/0":         "is everybody",
		"::/0":              "is everybody",
		"::ffff:0.0.0.0/96": "is everybody",
	} {
		if _, err := peer.ParseProxies([]string{"127.0.0.1", text}); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestAddress(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:5": "192.0.2.1", "[::ffff:192.0.2.1]:5": "192.0.2.1", "[fe80::1%eth0]:5": "fe80::1", "@": "", "": "", "192.0.2.1": "", "pipe": "",
	} {
		got, ok := peer.Address(&http.Request{RemoteAddr: remote})
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%q is %s, %t", remote, got, ok)
		}
	}
}
