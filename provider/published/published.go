// Package published knows the URLs under which the endpoints are published: below the issuer, and below the alias at which
// clients show certificates (RFC 8705 §5). What a client signs is made out to such a URL. It comes from the
// configuration; the Host header, which anybody writes, only says which of the two was called.
package published

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// Bases are the URLs below which every endpoint is published, without a trailing slash.
type Bases struct{ issuer, alias base }

type base struct{ url, host string }

// New returns an error if a URL is not absolute. alias is "" if there is no mutual TLS.
func New(issuer, alias string) (Bases, error) {
	var b Bases
	var err error
	if b.issuer, err = read(issuer); err != nil {
		return b, err
	}
	if alias != "" {
		b.alias, err = read(alias)
	}
	return b, err
}

func read(address string) (base, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || strings.HasSuffix(address, "/") {
		return base{}, errors.New("published: an absolute URL without a trailing slash is required")
	}
	return base{url: address, host: hostOf(u.Host)}, nil
}

// hostOf returns a host without its default port: browsers and programs leave it out.
func hostOf(host string) string {
	return strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(host), ":443"), ":80")
}

// All returns the URLs of the endpoint with this path.
func (b Bases) All(path string) []string {
	if b.alias.url == "" {
		return []string{b.issuer.url + path}
	}
	return []string{b.issuer.url + path, b.alias.url + path}
}

// Called returns the published URL of the endpoint that a request called. Behind a proxy that rewrites Host nobody can
// tell the issuer's and the alias apart: then it is both.
func (b Bases) Called(r *http.Request) []string {
	host, path := hostOf(r.Host), r.URL.Path
	switch {
	case b.alias.host == b.issuer.host:
	case b.alias.url != "" && host == b.alias.host:
		return []string{b.alias.url + path}
	case host == b.issuer.host:
		return []string{b.issuer.url + path}
	}
	return b.All(path)
}
