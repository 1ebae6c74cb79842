package listener_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"

	"regain/internal/listener"
)

// arrivals is a listener whose connections come from the given addresses.
type arrivals struct {
	from   []string
	closed int
}

func (a *arrivals) Close() error   { return nil }
func (a *arrivals) Addr() net.Addr { return address("192.0.2.1:443") }

func (a *arrivals) Accept() (net.Conn, error) {
	if len(a.from) == 0 {
		return nil, net.ErrClosed
	}
	from := a.from[0]
	a.from = a.from[1:]
	return &conn{from: from, all: a}, nil
}

type address string

func (a address) Network() string { return "tcp" }
func (a address) String() string  { return string(a) }

type conn struct {
	net.Conn
	from string
	all  *arrivals
}

func (c *conn) RemoteAddr() net.Addr { return address(c.from) }

func (c *conn) Close() error {
	c.all.closed++
	return nil
}

// accepted returns what a gate lets in of connections from these addresses.
func accepted(t *testing.T, limits listener.Limits, from ...string) (open []net.Conn, l net.Listener, a *arrivals) {
	t.Helper()
	gate, err := listener.New(limits)
	if err != nil {
		t.Fatal(err)
	}
	a = &arrivals{from: from}
	l = gate.Listen(a)
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return open, l, a
		}
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, c)
	}
}

// addresses makes n addresses from a format with one number.
func addresses(format string, n int) (made []string) {
	for i := range n {
		made = append(made, fmt.Sprintf(format, i))
	}
	return made
}

func TestSharesOfNetworks(t *testing.T) {
	proxy := netip.MustParsePrefix("10.0.0.0/8")
	for name, row := range map[string]struct {
		from []string
		want int
	}{
		"one IPv4 address":                    {addresses("192.0.2.7:%d", 20), 3},
		"the same, written as IPv6":           {append(addresses("192.0.2.7:%d", 3), "[::ffff:192.0.2.7]:9"), 3},
		"many IPv4 addresses":                 {addresses("192.0.2.%d:1", 20), 20},
		"one subscriber's IPv6 addresses":     {addresses("[2001:db8:1:2::%x]:1", 20), 3},
		"one site's subscribers":              {addresses("[2001:db8:1:%x::1]:1", 20), 12},
		"many sites":                          {addresses("[2001:db8:%x::1]:1", 20), 20},
		"one link-local address, many zones":  {addresses("[fe80::1%%eth%d]:1", 20), 3},
		"a proxy that all people come by":     {addresses("10.0.0.1:%d", 20), 20},
		"a proxy's neighbour":                 {addresses("11.0.0.1:%d", 20), 3},
		"addresses that nobody can read":      {addresses("@%d", 20), 3},
		"more than all have places, a proxy":  {addresses("10.0.0.1:%d", 100), 50},
		"more than all have places, networks": {addresses("192.0.2.%d:1", 100), 50},
	} {
		totals, crowded := 0, 0
		open, _, a := accepted(t, listener.Limits{Total: 50, PerNetwork: 3, Exempt: []netip.Prefix{proxy}, Refused: func(total bool) {
			if total {
				totals++
			} else {
				crowded++
			}
		}}, row.from...)
		if len(open) != row.want || a.closed != len(row.from)-row.want || totals+crowded != a.closed || (totals > 0) != (row.want == 50) {
			t.Errorf("%s: %d of %d are open, want %d; %d closed, %d for the total, %d for the network", name, len(open), len(row.from), row.want, a.closed, totals, crowded)
		}
	}
}

// A place that is given back is somebody's again, once however often its connection is closed.
func TestPlacesComeBack(t *testing.T) {
	open, l, a := accepted(t, listener.Limits{Total: 4, PerNetwork: 2}, addresses("192.0.2.7:%d", 3)...)
	for range 3 {
		if err := open[0].Close(); err != nil {
			t.Fatal(err)
		}
	}
	a.from = addresses("192.0.2.7:%d", 2)
	if _, err := l.Accept(); err != nil {
		t.Errorf("the place that came back: %v", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("one place came back as two: %v", err)
	}
}

func TestNewRefusesNoLimit(t *testing.T) {
	for _, limits := range []listener.Limits{{PerNetwork: 1}, {Total: 1}, {Total: -1, PerNetwork: 1}} {
		if _, err := listener.New(limits); err == nil {
			t.Errorf("made with %+v", limits)
		}
	}
}

// Who is refused takes no place, and who leaves gives back the places that they took: all of them, and none of others.
func TestPlacesAreThoseOfOpenConnections(t *testing.T) {
	limits := listener.Limits{Total: 4, PerNetwork: 1, Exempt: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	open, l, a := accepted(t, limits, append(addresses("192.0.2.7:%d", 50), addresses("198.51.100.%d:1", 2)...)...)
	accepts := func(what, from string, want bool) {
		t.Helper()
		a.from = []string{from}
		c, err := l.Accept()
		if (err == nil) != want {
			t.Errorf("%s: %v", what, err)
		}
		if err == nil {
			open = append(open, c)
		}
	}
	if len(open) != 3 {
		t.Fatalf("%d are open", len(open))
	}
	accepts("the last place", "10.0.0.1:1", true)
	accepts("of places that are taken, a proxy", "10.0.0.1:2", false)
	accepts("of places that are taken, somebody new", "203.0.113.1:1", false)
	if err := open[3].Close(); err != nil { // the proxy's
		t.Fatal(err)
	}
	accepts("whose share is taken, when a proxy left", "192.0.2.7:1", false)
	accepts("somebody new, when a proxy left", "203.0.113.1:1", true)
	accepts("of places that are taken again", "203.0.113.2:1", false)
	if err := open[0].Close(); err != nil {
		t.Fatal(err)
	}
	accepts("whose share is free again", "192.0.2.7:1", true)
}
