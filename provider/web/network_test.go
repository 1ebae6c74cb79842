package web

import "testing"

// A subscriber with many IPv6 addresses, or another spelling of one, is one network.
func TestNetwork(t *testing.T) {
	for ip, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:0DB8:1:2::9": "2001:db8:1:2::/64",
		"fe80::1%eth0": "fe80::/64", "": "", "unknown": "", "192.0.2.7:80": "",
	} {
		if got := networkOf(ip); got != want {
			t.Errorf("network of %q is %q, want %q", ip, got, want)
		}
	}
}
