package node

import (
	"fmt"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"regain/internal/listener"
	"regain/internal/peer"
	"regain/provider/journey"
)

// refusedEvery is how often the log tells that connections are refused, whatever a flood does.
const refusedEvery = time.Minute

// validate checks that every bound is one, and that no network's share is all there is. Where all people do come from one
// network, as through a proxy, it is the proxy that has to be named: it is exempt then, and its users are told apart.
func (c ConnectionsConfig) validate() error {
	for _, bound := range []struct {
		key string
		n   int
	}{{"max", c.Max}, {"per_network", c.PerNetwork}, {"live_pages", c.LivePages}, {"live_pages_per_network", c.LivePagesPerNetwork}} {
		if bound.n <= 0 {
			return fmt.Errorf("connections.%s %d: use a number above 0, or leave it out", bound.key, bound.n)
		}
	}
	for _, share := range []struct {
		key, of string
		n, all  int
	}{{"per_network", "max", c.PerNetwork, c.Max}, {"live_pages_per_network", "live_pages", c.LivePagesPerNetwork, c.LivePages}} {
		if share.n >= share.all {
			return fmt.Errorf("connections.%s %d: use fewer than connections.%s %d, such as a sixteenth: one network would hold every place; if all people come by one proxy, name it in trusted_proxies",
				share.key, share.n, share.of, share.all)
		}
	}
	return nil
}

// within returns the bounds of a process that may have this many files open, 0 if that is not known. One half is for
// connections, the other for the files, for what we fetch, and for whoever else the process serves. With fewer places
// altogether a network has fewer too, or one would have them all; and live pages leave room for whoever opens one.
func (c ConnectionsConfig) within(descriptors int) ConnectionsConfig {
	most := descriptors / 2
	if descriptors <= 0 || c.Max <= most {
		return c
	}
	const networks = 8 // that it takes to hold every place; two sites of IPv6, each of which has four times as many
	c.Max = max(1, most)
	c.PerNetwork, c.LivePages = min(c.PerNetwork, max(1, most/networks)), min(c.LivePages, max(1, most/2))
	c.LivePagesPerNetwork = min(c.LivePagesPerNetwork, max(1, c.LivePages/networks))
	return c
}

// gate returns what bounds the connections of all listeners.
func (c Config) gate(logger *slog.Logger) (*listener.Gate, error) {
	proxies, err := peer.ParseProxies(c.TrustedProxies)
	if err != nil {
		return nil, fmt.Errorf("trusted_proxies: %w", err)
	}
	if c.behindUnknownProxy() { // every connection is its own, so a bound for one network would be a bound for all people
		proxies = append(proxies, netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0))
	}
	descriptors := maxDescriptors()
	bounds := c.Connections.within(descriptors)
	if bounds.Max < c.Connections.Max {
		logger.Warn("fewer connections than configured: the process may have too few open files", "connections.max", c.Connections.Max,
			"most", bounds.Max, "of_one_network", bounds.PerNetwork, "descriptors", descriptors)
	}
	var count atomic.Int64
	var told atomic.Int64 // when the log was last told, in nanoseconds since 1970
	return listener.New(listener.Limits{Total: bounds.Max, PerNetwork: bounds.PerNetwork, Exempt: proxies, Refused: func(total bool) {
		count.Add(1)
		now, last := time.Now().UnixNano(), told.Load()
		if now-last < int64(refusedEvery) || !told.CompareAndSwap(last, now) {
			return
		}
		key := "connections.per_network"
		if total {
			key = "connections.max"
		}
		logger.Warn("connections are refused", "limit", key, "since_last_told", count.Swap(0))
	}})
}

// livePages returns what bounds the live pages.
func (c Config) livePages() journey.Limits {
	bounds := c.Connections.within(maxDescriptors())
	limits := journey.Limits{Total: bounds.LivePages, PerNetwork: bounds.LivePagesPerNetwork}
	if c.behindUnknownProxy() { // all people are one network, as for connections
		limits.PerNetwork = limits.Total
	}
	return limits
}
