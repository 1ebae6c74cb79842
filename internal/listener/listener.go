// Package listener bounds how many connections a server holds: altogether, and of one network.
//
// A connection costs a file descriptor and memory before its first byte, and a stranger opens thousands of them for
// nothing. Without a bound the descriptors run out, and then nobody is answered. With one bound for all, a single
// network holds every place. So each network has a share (peer.Shares).
//
// A connection above a bound is accepted and closed at once: one that waited in the kernel's queue would make honest
// ones wait behind it.
package listener

import (
	"errors"
	"net"
	"net/netip"
	"sync"

	"regain/internal/peer"
)

// Limits bound connections. Total and PerNetwork are required.
type Limits struct {
	Total, PerNetwork int
	// Exempt are the proxies in front of the server, to which Total applies only: all people come through them.
	Exempt peer.Proxies
	// Refused is called for each connection that is closed, with whether Total is why; nil for none. It must not block.
	Refused func(total bool)
}

// Gate counts the connections of any number of listeners together.
type Gate struct {
	limits Limits

	mu       sync.Mutex
	total    int
	networks *peer.Shares
}

// New returns a gate without connections, or an error if a limit is not positive.
func New(limits Limits) (*Gate, error) {
	if limits.Total <= 0 || limits.PerNetwork <= 0 {
		return nil, errors.New("listener: Total and PerNetwork must be positive")
	}
	return &Gate{limits: limits, networks: peer.NewShares(limits.Total, limits.PerNetwork)}, nil
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
		network, exempt := l.gate.networkOf(conn.RemoteAddr())
		if l.gate.enter(network, exempt) {
			return &counted{Conn: conn, leave: sync.OnceFunc(func() { l.gate.leave(network, exempt) })}, nil
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

// networkOf returns the network that an address counts for, and whether it is a proxy's, which counts for none. An address
// that cannot be read counts with all others of its kind.
func (g *Gate) networkOf(address net.Addr) (network string, exempt bool) {
	at, err := netip.ParseAddrPort(address.String())
	if err != nil {
		return "", false
	}
	return peer.Network(at.Addr()), g.limits.Exempt.Contain(at.Addr())
}

func (g *Gate) enter(network string, exempt bool) bool {
	full, crowded := g.take(network, exempt)
	if (full || crowded) && g.limits.Refused != nil {
		g.limits.Refused(full)
	}
	return !full && !crowded
}

// take takes a place, and says why there is none.
func (g *Gate) take(network string, exempt bool) (full, crowded bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	full = g.total >= g.limits.Total
	if !exempt {
		g.networks.Add(network)
		crowded = g.networks.Exceeded(network)
		if full || crowded {
			g.networks.Remove(network)
		}
	}
	if !full && !crowded {
		g.total++
	}
	return full, crowded
}

func (g *Gate) leave(network string, exempt bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.total--
	if !exempt {
		g.networks.Remove(network)
	}
}
