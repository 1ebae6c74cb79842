package presentation

import (
	"errors"
	"net"
	"net/url"
	"strings"
	"unicode"
)

const maxURI = 2048 // bytes; a QR code holds 2953

// checkURI returns an error unless raw is an absolute https URL without fragment and user information (OpenID4VP 1.0
// §5.10, §8.2). http is for development, so it is accepted for loopback hosts only.
func checkURI(raw string) error {
	if len(raw) > maxURI {
		return errors.New("it is too long")
	}
	u, err := url.Parse(raw)
	if err != nil {
		return errors.New("it is not a URL") // without the cause, which quotes it: it may contain an identifier
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return errors.New("it has to begin with https://")
	}
	if u.Hostname() == "" || u.User != nil || strings.Contains(raw, "#") {
		return errors.New("it has no host, or a user, or a fragment")
	}
	return nil
}

// checkOrigin returns an error unless raw is an origin as browsers serialize it (RFC 6454 §6.2). Wallets compare it
// character by character (OpenID4VP 1.0 Appendix A.2), so it must have no trailing slash, no upper case and no default
// port.
func checkOrigin(raw string) error {
	if err := checkURI(raw); err != nil {
		return err
	}
	u, err := url.Parse(raw)
	if err != nil || raw != u.Scheme+"://"+u.Host || raw != strings.ToLower(raw) {
		return errors.New("it has to be scheme, host and port only, in lower case")
	}
	if strings.ContainsFunc(raw, func(c rune) bool { return c > unicode.MaxASCII }) {
		return errors.New("its host has to be in ASCII, as xn--…")
	}
	usual := map[string]string{"https": "443", "http": "80"}
	if port := u.Port(); port == usual[u.Scheme] || port != strings.TrimLeft(port, "0") || strings.HasSuffix(raw, ":") {
		return errors.New("it must not contain the default port of its scheme, or a malformed port")
	}
	return nil
}

// loopback reports whether the host is a loopback name (RFC 6761 §6.3) or address.
func loopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
