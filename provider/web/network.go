package web

import (
	"errors"
	"iter"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"regain/internal/peer"
	"regain/recovery"
)

// forwardedFor is the one header in which a proxy says whom it speaks for. A second one (Forwarded, X-Real-IP) would be one
// that some proxy passes on as the client sent it.
const forwardedFor = "X-Forwarded-For"

const (
	maxHops  = 16 // proxies on one way, each of them the operator's
	maxHop   = 64 // octets of one address with brackets and port
	tellOnce = time.Minute
)

// Reasons why an address is not known. They quote nothing of what was sent.
var (
	errNoAddress    = errors.New("the connection has no IP address")
	errHopMalformed = errors.New("a trusted proxy sent an " + forwardedFor + " with something that is no IP address")
	errTooManyHops  = errors.New("a trusted proxy sent an " + forwardedFor + " with too many trusted proxies")
	errNobodyNamed  = errors.New("a trusted proxy sent no " + forwardedFor + ", or one that names trusted proxies only")
)

// Network returns what attempts are counted by and devices are compared by: the client's IPv4 address, or the /64 that one
// IPv6 subscriber has. It is recovery.UnknownNetwork, and told in the log, where it cannot be read: an operator's proxy that
// we do not understand must not make all people one, or an attacker anybody.
func (w *Web) Network(c *gin.Context) string {
	address, err := clientAddress(c.Request, w.proxies)
	if err != nil {
		w.tellUnknown(c, err)
		return recovery.UnknownNetwork
	}
	return peer.Network(address)
}

// clientAddress returns the peer of the connection or, where that is one of the proxies, the last address in
// X-Forwarded-For that is none of theirs. Everything to the left of it is what a stranger sent, and is not read.
func clientAddress(r *http.Request, proxies peer.Proxies) (netip.Addr, error) {
	address, ok := peer.Address(r)
	if !ok {
		return address, errNoAddress
	}
	if !proxies.Contain(address) {
		return address, nil
	}
	hops := 0
	for text := range fromTheRight(r.Header.Values(forwardedFor)) {
		if hops++; hops > maxHops {
			return netip.Addr{}, errTooManyHops
		}
		hop, err := parseHop(text)
		if err != nil || !proxies.Contain(hop) {
			return hop, err
		}
	}
	return netip.Addr{}, errNobodyNamed
}

// fromTheRight yields the elements of a list header that may have several lines (RFC 9110 §5.3), the last one first. An
// empty element is one too: a proxy that appends nothing must not have its client's own words read instead.
func fromTheRight(lines []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, line := range slices.Backward(lines) {
			for more := true; more; {
				element := line
				at := strings.LastIndexByte(line, ',')
				if more = at >= 0; more {
					line, element = line[:at], line[at+1:]
				}
				if !yield(element) {
					return
				}
			}
		}
	}
}

// parseHop reads an address as proxies write it: with or without a port, IPv6 with or without brackets. An address with a
// zone means something on another machine only.
func parseHop(text string) (netip.Addr, error) {
	text = strings.Trim(text, " \t")
	if len(text) > maxHop {
		return netip.Addr{}, errHopMalformed
	}
	address, err := netip.ParseAddr(text)
	if inner, ok := strings.CutPrefix(text, "["); ok && strings.HasSuffix(inner, "]") {
		address, err = netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		ok = address.Is6()
		if err == nil && !ok {
			err = errHopMalformed
		}
	} else if err != nil {
		var end netip.AddrPort
		end, err = netip.ParseAddrPort(text)
		address = end.Addr()
	}
	if err != nil || address.Zone() != "" || address.Unmap().IsUnspecified() {
		return netip.Addr{}, errHopMalformed
	}
	return address.Unmap(), nil
}

// telling tells of unknown networks once in a while: a stranger who makes them must not fill the log.
type telling struct {
	mu    sync.Mutex
	last  time.Time
	since int // occurrences that were not told
}

// due reports whether to tell now, and how many occurrences there were since the last time.
func (t *telling) due(now time.Time) (occurrences int, due bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.since++
	if !t.last.IsZero() && now.Before(t.last.Add(tellOnce)) {
		return 0, false
	}
	occurrences, t.last, t.since = t.since, now, 0
	return occurrences, true
}

func (w *Web) tellUnknown(c *gin.Context, cause error) {
	Note(c, slog.String("network", recovery.UnknownNetwork))
	if occurrences, due := w.unknown.due(w.cfg.Clock()); due {
		w.cfg.Logger.LogAttrs(c.Request.Context(), slog.LevelWarn, "network unknown",
			slog.String("correlation_id", CorrelationID(c)), slog.String("cause", cause.Error()), slog.Int("occurrences", occurrences),
			slog.String("cure", "have the proxies of trusted_proxies append to "+forwardedFor+" the address that they were called from, and name no others there"))
	}
}
