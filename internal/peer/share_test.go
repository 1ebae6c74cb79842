package peer_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"regain/internal/peer"
)

func TestNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "::1": "::/64",
	} {
		if got := peer.Network(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is of %s, want %s", address, got, want)
		}
	}
	if got := peer.Network(netip.Addr{}); got != "" {
		t.Errorf("no address is of %s", got)
	}
}

// Whatever networks somebody has, they hold no more than their share, and what they give back is free.
func TestShares(t *testing.T) {
	for name, row := range map[string]struct {
		total, perNetwork int
		network           func(i int) string
		want              int // of a thousand who come
	}{
		"one IPv4 address":                {100, 10, func(int) string { return "192.0.2.7" }, 10},
		"IPv4 addresses":                  {100, 10, func(i int) string { return fmt.Sprintf("192.0.%d.%d", i>>8, i&0xff) }, 1000}, // the total is the caller's own
		"one subscriber":                  {100, 10, func(int) string { return "2001:db8:1:2::/64" }, 10},
		"one site":                        {100, 10, func(i int) string { return fmt.Sprintf("2001:db8:1:%x::/64", i) }, 40},
		"one site, of few places":         {100, 25, func(i int) string { return fmt.Sprintf("2001:db8:1:%x::/64", i) }, 50},
		"one site, of a large share":      {100, 80, func(i int) string { return fmt.Sprintf("2001:db8:1:%x::/64", i) }, 80},
		"one site, of networks at random": {100, 10, func(int) string { return fmt.Sprintf("2001:db8:1:%x::/64", rand.IntN(1<<16)) }, 40},
		"sites":                           {100, 10, func(i int) string { return fmt.Sprintf("2001:db8:%x::/64", i) }, 1000},
		"who is not known":                {100, 10, func(int) string { return "unknown" }, 10},
		"who is said to be nobody":        {100, 10, func(int) string { return "" }, 10},
	} {
		s := peer.NewShares(row.total, row.perNetwork)
		for _, round := range []string{"", ", again"} {
			var held []string
			for i := range 1000 {
				network := row.network(i)
				if s.Add(network); s.Exceeded(network) {
					s.Remove(network)
					continue
				}
				held = append(held, network)
			}
			if len(held) != row.want {
				t.Errorf("%s%s: %d places, want %d", name, round, len(held), row.want)
			}
			if s.Kept() == 0 {
				t.Errorf("%s%s: nothing is remembered", name, round)
			}
			for _, network := range held {
				s.Remove(network)
			}
			if n := s.Kept(); n != 0 {
				t.Errorf("%s%s: %d networks are remembered that hold nothing", name, round, n)
			}
		}
	}
}
