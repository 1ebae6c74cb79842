package fetch

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

const maxAddress = 2048

// hosts is a set of "host" and "host:port", in canonical form.
type hosts map[string]struct{}

func newHosts(list []string) (hosts, error) {
	h := make(hosts, len(list))
	for _, entry := range list {
		host, port := entry, ""
		if name, number, err := net.SplitHostPort(entry); err == nil {
			host, port = name, number
			if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
				return nil, fmt.Errorf("%w: host %q has no valid port", errConfig, entry)
			}
		}
		host = canonical(host)
		if host == "" || strings.ContainsAny(host, "/*@?# ") {
			return nil, fmt.Errorf("%w: %q is neither host nor host:port", errConfig, entry)
		}
		if port != "" {
			host = net.JoinHostPort(host, port)
		}
		h[host] = struct{}{}
	}
	return h, nil
}

func (h hosts) has(host, port string) bool {
	host = canonical(host)
	if _, ok := h[host]; ok {
		return true
	}
	_, ok := h[net.JoinHostPort(host, port)]
	return ok
}

// canonical returns a host in lower case, without brackets and the final dot.
func canonical(host string) string {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// parse parses and checks an address. Errors never quote it: the URL may contain secrets.
func (f *Fetcher) parse(address string) (*url.URL, error) {
	if len(address) > maxAddress {
		return nil, fmt.Errorf("fetch: %w: longer than %d characters", ErrForbidden, maxAddress)
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("fetch: %w: not a URL", ErrForbidden)
	}
	if err := f.check(u); err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	return u, nil
}

func (f *Fetcher) check(u *url.URL) error {
	switch {
	case u.Hostname() == "" || u.Opaque != "":
		return fmt.Errorf("%w: no host", ErrForbidden)
	case u.User != nil:
		return fmt.Errorf("%w: user name in URL", ErrForbidden)
	case u.Fragment != "":
		return fmt.Errorf("%w: fragment in URL", ErrForbidden)
	case u.Scheme == "https", u.Scheme == "http" && f.http.has(u.Hostname(), port(u)):
		return nil
	case u.Scheme == "http":
		return fmt.Errorf("%w: http is not allowed for %s", ErrForbidden, u.Host)
	}
	return fmt.Errorf("%w: scheme is not https", ErrForbidden)
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "http":
		return "80"
	}
	return "443"
}
