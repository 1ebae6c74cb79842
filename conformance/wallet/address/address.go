// Package address says which URLs the wallet speaks to: https, and plain http to the machine
// itself, where nothing travels.
package address

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// Longest is the length of the longest URL that the wallet reads, in bytes.
const Longest = 16 << 10

// ErrNotAllowed reports an address that the wallet does not speak to.
var ErrNotAllowed = errors.New("address not allowed")

// Check returns the parsed URL if it is absolute, without a user name, and https or local.
func Check(raw string) (*url.URL, error) {
	if raw == "" || len(raw) > Longest {
		return nil, fmt.Errorf("%w: it is empty or too long", ErrNotAllowed)
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return nil, fmt.Errorf("%w: it is not an absolute URL", ErrNotAllowed)
	}
	if u.User != nil {
		return nil, fmt.Errorf("%w: it carries a user name", ErrNotAllowed)
	}
	ip := net.ParseIP(u.Hostname())
	local := IsLocalhost(u.Hostname()) || (ip != nil && ip.IsLoopback())
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return nil, fmt.Errorf("%w: it is not https", ErrNotAllowed)
	}
	return u, nil
}

// CheckEndpoint is Check for what the wallet calls itself: a fragment would be lost.
func CheckEndpoint(raw string) error {
	u, err := Check(raw)
	if err == nil && (u.Fragment != "" || strings.Contains(raw, "#")) {
		return fmt.Errorf("%w: it has a fragment", ErrNotAllowed)
	}
	return err
}

// IsLocalhost reports whether the name is localhost or below it (RFC 6761 §6.3).
func IsLocalhost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
