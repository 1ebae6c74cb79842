package fetch_test

import (
	"errors"
	"testing"

	"regain/internal/fetch"
)

func TestClass(t *testing.T) {
	for address, want := range map[string]string{
		"1.1.1.1": "public", "100.63.255.255": "public", "100.128.0.1": "public", "172.32.0.1": "public", "2606:4700::1111": "public",
		"10.0.0.1": "private", "127.0.0.1": "private", "127.255.255.254": "private", "172.16.0.1": "private", "192.168.1.1": "private",
		"100.64.0.1": "private", "::1": "private", "fd12:3456::1": "private",
		"::ffff:127.0.0.1": "private", "::ffff:10.0.0.1": "private", "::ffff:169.254.169.254": "never",
		"0.0.0.0": "never", "0.1.2.3": "never", "169.254.169.254": "never", "169.254.0.1": "never", "224.0.0.1": "never",
		"239.255.255.250": "never", "255.255.255.255": "never", "240.0.0.1": "never", "192.0.2.1": "never", "198.18.0.1": "never",
		"100.100.100.200": "never", "168.63.129.16": "never", "fd00:ec2::254": "never",
		"::": "never", "fe80::1": "never", "fe80::1%lo": "never", "ff02::1": "never", "fec0::1": "never",
		"64:ff9b::7f00:1": "never", "64:ff9b:1::1": "never", "2002:7f00:1::": "never", "2001::1": "never", "::7f00:1": "never",
		"::ffff:0:7f00:1": "never", "2001:db8::1": "never", "4000::1": "never", "100::1": "never",
		"192.0.0.1": "never", "192.88.99.1": "never", "198.51.100.1": "never", "203.0.113.1": "never", "fd20:ce::254": "never", "3fff::1": "never", "5f00::1": "never",
		"192.31.196.1": "never", "192.52.193.1": "never", "192.175.48.1": "never", "2620:4f:8000::1": "never", // AS112 and AMT: anybody answers there
	} {
		if got := fetch.Class(address); got != want {
			t.Errorf("%s is %s, want %s", address, got, want)
		}
	}
}

func TestJudge(t *testing.T) {
	for _, tt := range []struct {
		dialled string
		trusted bool
		ok      bool
	}{
		{"1.1.1.1:443", false, true},
		{"127.0.0.1:443", false, false},
		{"127.0.0.1:443", true, true},
		{"[::1]:443", true, true},
		{"169.254.169.254:80", true, false}, // no configuration reaches the metadata service
		{"[fe80::1%eth0]:443", true, false},
		{"224.0.0.1:443", true, false},
		{"example.com:443", true, false},
		{"", true, false},
	} {
		err := fetch.Judge(tt.dialled, tt.trusted)
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, fetch.ErrForbidden) {
			t.Errorf("%s, trusted %t: got %v", tt.dialled, tt.trusted, err)
		}
	}
}

func FuzzClass(f *testing.F) {
	for _, seed := range []string{"127.0.0.1:1", "[::ffff:10.0.0.1]:2", "1.1.1.1:443", "[fe80::1%x]:1", "a:1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, dialled string) {
		untrusted, trusted := fetch.Judge(dialled, false), fetch.Judge(dialled, true)
		if untrusted == nil && trusted != nil {
			t.Errorf("%q is allowed to strangers only", dialled)
		}
	})
}
