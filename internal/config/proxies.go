package config

import (
	"net/url"
	"strings"
	"time"
)

// longestDelay is what supervisors wait for a process that they told to stop, as the longest that is usual.
const longestDelay = 5 * time.Minute

// validateProxies reports the mistakes of what is believed of the proxies in front.
func (c Config) validateProxies(mistake func(format string, args ...any)) {
	if c.HSTS < 0 {
		mistake("hsts_max_age %s: use 0s for none", c.HSTS)
	}
	if c.ShutdownDelay < 0 || c.ShutdownDelay > longestDelay {
		mistake("shutdown_delay %s: use 0s to %s: a little longer than your balancer takes to see that the node is not ready", c.ShutdownDelay, longestDelay)
	}
	m := c.MutualTLS
	if m.Header == "" {
		if len(m.Proxies) > 0 {
			mistake("mutual_tls.proxies: nothing of theirs is read: set mutual_tls.header to the header in which they send the certificate")
		}
		return
	}
	if len(m.Proxies) == 0 {
		mistake("mutual_tls.header: name the proxies that set it in mutual_tls.proxies; the header of any other peer is ignored")
	}
	own, shared := hostOf(m.BaseURL), hostOf(c.Issuer)
	switch own {
	case "":
		mistake("mutual_tls.header: set mutual_tls.base_url to the URL whose proxy asks for certificates; the header counts at its host only")
	case shared:
		mistake("mutual_tls.base_url %q: use another host or port than the issuer's: there, clients could send mutual_tls.header themselves", m.BaseURL)
	}
}

// Host is the host of base_url, as clients name it in a request; "" without one.
func (m MutualTLSConfig) Host() string { return hostOf(m.BaseURL) }

// hostOf is the host of a URL as clients name it in a request: without the scheme's own port.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	host := strings.ToLower(u.Host)
	if u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	}
	return host
}
