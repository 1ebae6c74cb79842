package fetch

import "net/netip"

// class says what an address is to us.
type class int

const (
	never   class = iota // no configuration makes it a destination
	private              // only for hosts in Config.AllowPrivateHosts
	public
)

// addressRules sorts addresses after the IANA special-purpose registries (RFC 6890). IPv4 is public unless listed;
// IPv6 is public only inside 2000::/3 (RFC 4291 §2.4), so that what is assigned later is refused until it is known.
type addressRules struct {
	never, private []netip.Prefix
	global6        netip.Prefix
}

func newAddressRules() addressRules {
	return addressRules{
		never: prefixes(
			"0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
			"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
			"100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::254/128", "fd20:ce::254/128", // metadata services of clouds
			"::/128", "fe80::/10", "fec0::/10", "ff00::/8",
			// Ways to write an IPv4 address in IPv6: what comes out at the other end was not judged.
			"64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::ffff:0:0:0/96",
			"2001::/23", "2001:db8::/32", "3fff::/20", "100::/64", "5f00::/16",
		),
		private: prefixes("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7"),
		global6: netip.MustParsePrefix("2000::/3"),
	}
}

func (r addressRules) classify(address netip.Addr) class {
	if !address.IsValid() || address.Zone() != "" {
		return never // a zone belongs to link-local addresses only
	}
	address = address.Unmap()
	for _, p := range r.never {
		if p.Contains(address) {
			return never
		}
	}
	for _, p := range r.private {
		if p.Contains(address) {
			return private
		}
	}
	if address.Is6() && !r.global6.Contains(address) {
		return never
	}
	return public
}

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, text := range list {
		out[i] = netip.MustParsePrefix(text)
	}
	return out
}
