package agent

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// LongestAddress is the length of the longest URL that the wallet reads, in bytes.
const LongestAddress = 16 << 10

// ErrAddress reports an address that the wallet does not speak to.
var ErrAddress = errors.New("address not allowed")

// CheckAddress returns the parsed URL if it is absolute, without a user name, and https or local.
func CheckAddress(raw string) (*url.URL, error) {
	if raw == "" || len(raw) > LongestAddress {
		return nil, fmt.Errorf("%w: it is empty or too long", ErrAddress)
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return nil, fmt.Errorf("%w: it is not an absolute URL", ErrAddress)
	}
	if u.User != nil {
		return nil, fmt.Errorf("%w: it carries a user name", ErrAddress)
	}
	ip := net.ParseIP(u.Hostname())
	local := IsLocalhost(u.Hostname()) || (ip != nil && ip.IsLoopback())
	if u.Scheme != "https" && (u.Scheme != "http" || !local) {
		return nil, fmt.Errorf("%w: it is not https", ErrAddress)
	}
	return u, nil
}

// CheckEndpoint is CheckAddress for what the wallet calls itself: a fragment would be lost.
func CheckEndpoint(raw string) error {
	_, err := CheckAddress(raw)
	if err == nil && strings.Contains(raw, "#") {
		return fmt.Errorf("%w: it has a fragment", ErrAddress)
	}
	return err
}

// IsLocalhost reports whether the name is localhost or below it (RFC 6761 §6.3).
func IsLocalhost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
