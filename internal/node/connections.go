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

// validate checks that every bound is one.
func (c ConnectionsConfig) validate() error {
	for _, bound := range []struct {
		key string
		n   int
	}{{"max", c.Max}, {"per_network", c.PerNetwork}, {"live_pages", c.LivePages}, {"live_pages_per_network", c.LivePagesPerNetwork}} {
		if bound.n <= 0 {
			return fmt.Errorf("connections.%s %d: use a number above 0, or leave it out", bound.key, bound.n)
		}
	}
	return nil
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
	most := c.Connections.Max
	// The other half is for the files, for what we fetch, and for whoever else the process serves.
	if descriptors := maxDescriptors(); descriptors > 0 && most > descriptors/2 {
		most = descriptors / 2
		logger.Warn("fewer connections than configured: the process may have too few open files", "connections.max", c.Connections.Max, "most", most, "descriptors", descriptors)
	}
	var count atomic.Int64
	var told atomic.Int64 // when the log was last told, in nanoseconds since 1970
	return listener.New(listener.Limits{Total: most, PerNetwork: c.Connections.PerNetwork, Exempt: proxies, Refused: func(total bool) {
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
	limits := journey.Limits{Total: c.Connections.LivePages, PerNetwork: c.Connections.LivePagesPerNetwork}
	if c.behindUnknownProxy() { // all people are one network, as for connections
		limits.PerNetwork = limits.Total
	}
	return limits
}
