// Package peer says who is at the other end of a connection, and which of them are proxies of the operator's. What a
// proxy says of others is for the package that reads its header.
package peer

import (
	"fmt"
	"net/http"
	"net/netip"
)

// Proxies are the networks of the operator's proxies. The zero value contains nobody.
type Proxies []netip.Prefix

// ParseProxies reads addresses and CIDR ranges. It refuses a range that is everybody: then anybody could speak for anybody.
func ParseProxies(list []string) (Proxies, error) {
	var proxies Proxies
	for _, text := range list {
		prefix, err := parsePrefix(text)
		if err != nil {
			return nil, err
		}
		proxies = append(proxies, prefix)
	}
	return proxies, nil
}

func parsePrefix(text string) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		address, err := netip.ParseAddr(text)
		if err != nil || address.Zone() != "" {
			return prefix, fmt.Errorf("proxy %q is neither an address nor a CIDR range", text)
		}
		prefix = netip.PrefixFrom(address, address.BitLen())
	}
	const mapped = 96 // bits before the IPv4 address in an IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2)
	if prefix.Addr().Is4In6() && prefix.Bits() >= mapped {
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-mapped)
	}
	if prefix.Bits() == 0 {
		return prefix, fmt.Errorf("proxy %q is everybody: name the addresses of your proxies", text)
	}
	return prefix.Masked(), nil
}

// Contain reports whether an address is a proxy's.
func (p Proxies) Contain(address netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(address.Unmap().WithZone("")) {
			return true
		}
	}
	return false
}

// Address is the other end of the request's connection; false where that is no IP address, such as a Unix socket.
func Address(r *http.Request) (netip.Addr, bool) {
	end, err := netip.ParseAddrPort(r.RemoteAddr)
	return end.Addr().Unmap().WithZone(""), err == nil
}
