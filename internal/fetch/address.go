package fetch

import (
	"net/netip"

	"code.dny.dev/ssrf"
)

// class says whether an address may be a destination.
type class int

const (
	never   class = iota // not even by configuration
	private              // only for hosts in Config.AllowPrivateHosts
	public
)

// addressRules classifies addresses. Package ssrf, which is generated from the IANA special-purpose registries (RFC
// 6890), says what is public: IPv4 unless it is listed there; IPv6 only inside 2000::/3 (RFC 4291 §2.4), so that
// later assignments and every IPv4 address embedded in IPv6 are refused until they are known. Defined here is what
// the registries do not say: which of the other addresses an operator may allow, and which nobody may.
type addressRules struct {
	registries        *ssrf.Guardian
	metadata, private []netip.Prefix
}

func newAddressRules() addressRules {
	return addressRules{
		registries: ssrf.New(ssrf.WithAnyPort(), ssrf.WithAnyNetwork()), // URLs may name any port
		// The metadata services of clouds return credentials to any caller. Some have addresses inside ranges that an
		// operator may allow, or outside every special-purpose range: Alibaba's, Azure's, and those of AWS and Google
		// over IPv6.
		metadata: prefixes("100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::254/128", "fd20:ce::254/128"),
		private:  prefixes("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"),
	}
}

func (r addressRules) classify(address netip.Addr) class {
	if !address.IsValid() || address.Zone() != "" {
		return never // only link-local addresses have a zone
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
