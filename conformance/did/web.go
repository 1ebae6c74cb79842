package did

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"

	"regain/conformance/wallet/address"
)

const webPrefix = "did:web:"

func (r Resolver) resolveWeb(ctx context.Context, did string) (Document, error) {
	location, err := r.webAddress(did)
	if err != nil {
		return Document{}, err
	}
	body, err := r.Get(ctx, location)
	if err != nil {
		return Document{}, fmt.Errorf("fetching its document: %w", err)
	}
	return parseDocument(body, did)
}

// webAddress turns the identifier into the address of its document (did:web, Read): colons part a
// path, and one inside of the first part, percent-encoded, a port.
func (r Resolver) webAddress(did string) (string, error) {
	parts := strings.Split(strings.TrimPrefix(did, webPrefix), ":")
	host, port, _ := strings.Cut(strings.Replace(parts[0], "%3a", "%3A", 1), "%3A")
	if !isName(host) || strings.Trim(port, "0123456789") != "" || strings.HasSuffix(parts[0], "%3A") {
		return "", fmt.Errorf("%w: a did:web without the name of a host", ErrMethod)
	}
	if port != "" {
		host = net.JoinHostPort(host, port)
	}
	path := []string{"", ".well-known", "did.json"}
	if len(parts) > 1 {
		path = append(append([]string{""}, parts[1:]...), "did.json")
	}
	for _, segment := range path[1:] {
		if plain, err := url.PathUnescape(segment); err != nil || plain == "" || plain == "." || plain == ".." || strings.ContainsAny(plain, `/\?#`) {
			return "", fmt.Errorf("%w: a did:web with a path that is none", ErrMethod)
		}
	}
	scheme := "https"
	if name, _, _ := strings.Cut(host, ":"); r.PlainLocalhost && address.IsLocalhost(name) {
		scheme = "http"
	}
	return scheme + "://" + host + strings.Join(path, "/"), nil
}

// isName reports whether it is a host's name: "it MUST NOT include IP addresses".
func isName(host string) bool {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-."
	return host != "" && len(host) <= 253 && strings.Trim(host, allowed) == "" && net.ParseIP(host) == nil
}
