package node

import (
	"fmt"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"regain/internal/config"
	"regain/internal/listener"
	"regain/internal/peer"
	"regain/provider/journey"
)

// refusedEvery is how often the log tells that connections are refused, whatever a flood does.
const refusedEvery = time.Minute

// within returns the bounds of a process that may have this many files open, 0 if that is not known. One half is for
// connections, the other for the files, for what we fetch, and for whoever else the process serves. With fewer places
// altogether a network has fewer too, or one would have them all; and live pages leave room for whoever opens one.
func within(c config.ConnectionsConfig, descriptors int) config.ConnectionsConfig {
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

// newGate returns what bounds the connections of all listeners.
func newGate(c config.Config, logger *slog.Logger) (*listener.Gate, error) {
	proxies, err := peer.ParseProxies(c.TrustedProxies)
	if err != nil {
		return nil, fmt.Errorf("trusted_proxies: %w", err)
	}
	if c.BehindUnknownProxy() { // every connection is its own, so a bound for one network would be a bound for all people
		proxies = append(proxies, netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0))
	}
	descriptors := maxDescriptors()
	bounds := within(c.Connections, descriptors)
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
func livePages(c config.Config) journey.Limits {
	bounds := within(c.Connections, maxDescriptors())
	limits := journey.Limits{Total: bounds.LivePages, PerNetwork: bounds.LivePagesPerNetwork}
	if c.BehindUnknownProxy() { // all people are one network, as for connections
		limits.PerNetwork = limits.Total
	}
	return limits
}
