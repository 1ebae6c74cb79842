package peer

import "net/netip"

// What one IPv6 customer has (RFC 6177 §2): a provider gives a subscriber a /64 at least and up to a /48, whose 65,536
// networks are then all one person's, while a mobile carrier's /48 serves many people.
const (
	subscriber  = 64 // bits of a prefix
	site        = 48
	sitesPlaces = 4 // times the places of a subscriber
	sitesShare  = 2 // and at most one half of all
)

// Network returns the network that an address counts for: an IPv4 address, or the /64 of an IPv6 one; "" for the zero
// address, which stands for everyone whose address cannot be read. They count as one.
func Network(address netip.Addr) string {
	address = address.Unmap().WithZone("")
	switch {
	case !address.IsValid():
		return ""
	case address.Is4():
		return address.String()
	}
	return netip.PrefixFrom(address, subscriber).Masked().String()
}

// around returns the IPv6 site that a network is of, false where it is of none.
func around(network string) (netip.Prefix, bool) {
	prefix, err := netip.ParsePrefix(network)
	if err != nil || prefix.Bits() <= site { // so is every network of IPv4
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(prefix.Addr(), site).Masked(), true
}

// Shares counts what networks hold of something that is bounded, so that no one holds all of it: connections, live pages,
// places to wait. An IPv6 site has a share too, four times a network's, and at most one half of all. Package recovery counts
// attempts by the same rule. The methods are not safe for concurrent use: whoever counts has a lock for more than this.
type Shares struct {
	total, perNetwork int
	networks          map[string]int
	sites             map[netip.Prefix]int
}

// NewShares returns shares of total places, of which one network may hold perNetwork.
func NewShares(total, perNetwork int) *Shares {
	return &Shares{total: total, perNetwork: perNetwork, networks: make(map[string]int), sites: make(map[netip.Prefix]int)}
}

// Add counts one place more for a network, as Network writes it.
func (s *Shares) Add(network string) {
	s.networks[network]++
	if site, ok := around(network); ok {
		s.sites[site]++
	}
}

// Remove counts one place less.
func (s *Shares) Remove(network string) {
	if s.networks[network]--; s.networks[network] == 0 {
		delete(s.networks, network) // or every network that ever came would stay
	}
	if site, ok := around(network); ok {
		if s.sites[site]--; s.sites[site] == 0 {
			delete(s.sites, site)
		}
	}
}

// Exceeded reports whether a network, or the site around it, holds more than its share.
func (s *Shares) Exceeded(network string) bool {
	if s.networks[network] > s.perNetwork {
		return true
	}
	site, ok := around(network)
	return ok && s.sites[site] > max(s.perNetwork, min(sitesPlaces*s.perNetwork, s.total/sitesShare))
}
