package fetch

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// dialer connects to addresses that the rules allow. The check runs in the socket's control function: after name
// resolution, for every address tried, immediately before the connection, so that DNS rebinding is not possible.
type dialer struct {
	private hosts
	rules   addressRules
}

func newDialer(private hosts) dialer { return dialer{private: private, rules: newAddressRules()} }

func (d dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%w: no port", ErrForbidden)
	}
	trusted := d.private.has(host, port)
	if isLocalhost(host) {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	// Go races address families (RFC 8305); the control function checks each address.
	socket := net.Dialer{Timeout: 10 * time.Second, ControlContext: func(_ context.Context, _, dialled string, _ syscall.RawConn) error {
		return d.judge(dialled, trusted)
	}}
	return socket.DialContext(ctx, network, address)
}

func (d dialer) judge(dialled string, trusted bool) error {
	at, err := netip.ParseAddrPort(dialled)
	if err != nil {
		return fmt.Errorf("%w: not an IP address", ErrForbidden)
	}
	switch d.rules.classify(at.Addr()) {
	case public:
		return nil
	case private:
		if trusted {
			return nil
		}
		return fmt.Errorf("%w: loopback or private address", ErrForbidden)
	}
	return fmt.Errorf("%w: special-purpose address", ErrForbidden)
}

// isLocalhost reports whether host is a loopback name by RFC 6761 §6.3.
func isLocalhost(host string) bool {
	host = canonical(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
