package fetch

import (
	"net/netip"

	"code.dny.dev/ssrf"
)

// class says what an address is to us.
type class int

const (
	never   class = iota // no configuration makes it a destination
	private              // only for hosts in Config.AllowPrivateHosts
	public
)

// addressRules sorts addresses. What is public, package ssrf says, which is generated from the IANA special-purpose
// registries (RFC 6890): IPv4 unless it is listed there; IPv6 only inside 2000::/3 (RFC 4291 §2.4), so that what is
// assigned later, and every way to write an IPv4 address in IPv6, is refused until it is known. Here is what the
// registries do not have: which of the others an operator may allow, and what not even an operator may.
type addressRules struct {
	registries        *ssrf.Guardian
	metadata, private []netip.Prefix
}

func newAddressRules() addressRules {
	return addressRules{
		registries: ssrf.New(ssrf.WithAnyPort(), ssrf.WithAnyNetwork()), // ports are for the URL to say
		// The metadata services of clouds hand credentials to who asks, and some are inside of ranges that an operator may
		// allow, or outside of every special range: Alibaba's, Azure's, and the two of AWS and Google over IPv6.
		metadata: prefixes("100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::254/128", "fd20:ce::254/128"),
		private:  prefixes("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"),
	}
}

func (r addressRules) classify(address netip.Addr) class {
	if !address.IsValid() || address.Zone() != "" {
		return never // a zone belongs to link-local addresses only
	}
	address = address.Unmap() // ::ffff:127.0.0.1 is dialled as 127.0.0.1
	switch {
	case within(r.metadata, address):
		return never
	case within(r.private, address):
		return private
	case r.registries.SafeAddr(address) != nil:
		return never
	}
	return public
}

func within(list []netip.Prefix, address netip.Addr) bool {
	for _, p := range list {
		if p.Contains(address) {
			return true
		}
	}
	return false
}

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, text := range list {
		out[i] = netip.MustParsePrefix(text)
	}
	return out
}
