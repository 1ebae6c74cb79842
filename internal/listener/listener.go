// Package listener bounds how many connections a server holds: altogether, and of one network.
//
// A connection costs a file descriptor and memory before its first byte, and a stranger opens thousands of them for
// nothing. Without a bound the descriptors run out, and then nobody is answered. With one bound for all, a single
// network holds every place. So each network has a share: an IPv4 address, an IPv6 /64, which is what one subscriber
// has, and, four times as much, an IPv6 /48, which is what one site has (RFC 6177 §2).
//
// A connection above a bound is accepted and closed at once: one that waited in the kernel's queue would make honest
// ones wait behind it.
package listener

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
)

const (
	subscriber   = 64 // bits of a prefix
	site         = 48
	sitesPlaces  = 4 // times the places of a subscriber
	addressBits4 = 32
)

// Limits bound connections. Total and PerNetwork are required.
type Limits struct {
	Total, PerNetwork int
	// Exempt are the proxies in front of the server, to which Total applies only: all people come through them.
	Exempt []netip.Prefix
	// Refused is called for each connection that is closed, with whether Total is why; nil for none. It must not block.
	Refused func(total bool)
}

// Gate counts the connections of any number of listeners together.
type Gate struct {
	limits Limits

	mu    sync.Mutex
	total int
	open  map[netip.Prefix]int
}

// New returns a gate without connections, or an error if a limit is not positive.
func New(limits Limits) (*Gate, error) {
	if limits.Total <= 0 || limits.PerNetwork <= 0 {
		return nil, errors.New("listener: Total and PerNetwork must be positive")
	}
	return &Gate{limits: limits, open: make(map[netip.Prefix]int)}, nil
}

// Listen applies the limits to a listener. It belongs below TLS: a handshake is the costliest part of a connection.
func (g *Gate) Listen(l net.Listener) net.Listener { return &limited{l, g} }

type limited struct {
	net.Listener
	gate *Gate
}

// Accept returns the next connection within the limits.
func (l *limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		networks := l.gate.networks(conn.RemoteAddr())
		if l.gate.enter(networks) {
			return &counted{Conn: conn, leave: sync.OnceFunc(func() { l.gate.leave(networks) })}, nil
		}
		_ = conn.Close() // nobody is to be told
	}
}

// counted gives its places back when it is closed.
type counted struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (c *counted) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

// networks returns the networks that an address counts for, none for a proxy. An address that cannot be read counts for
// the zero prefix, with all others of its kind.
func (g *Gate) networks(address net.Addr) []netip.Prefix {
	at, err := netip.ParseAddrPort(address.String())
	if err != nil {
		return []netip.Prefix{{}}
	}
	ip := at.Addr().Unmap().WithZone("")
	if slices.ContainsFunc(g.limits.Exempt, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return nil
	}
	if ip.Is4() {
		return []netip.Prefix{netip.PrefixFrom(ip, addressBits4)}
	}
	return []netip.Prefix{netip.PrefixFrom(ip, subscriber).Masked(), netip.PrefixFrom(ip, site).Masked()}
}

// most returns the number of places of a network.
func (g *Gate) most(network netip.Prefix) int {
	if network.Bits() == site {
		return sitesPlaces * g.limits.PerNetwork
	}
	return g.limits.PerNetwork
}

func (g *Gate) enter(networks []netip.Prefix) bool {
	g.mu.Lock()
	full := g.total >= g.limits.Total
	crowded := slices.ContainsFunc(networks, func(n netip.Prefix) bool { return g.open[n] >= g.most(n) })
	if !full && !crowded {
		g.total++
		for _, network := range networks {
			g.open[network]++
		}
	}
	g.mu.Unlock()
	if (full || crowded) && g.limits.Refused != nil {
		g.limits.Refused(full)
	}
	return !full && !crowded
}

func (g *Gate) leave(networks []netip.Prefix) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.total--
	for _, network := range networks {
		if g.open[network]--; g.open[network] == 0 {
			delete(g.open, network) // or every network that ever came would stay
		}
	}
}
