package presentation

import (
	"errors"
	"net"
	"net/url"
	"strings"
	"unicode"
)

const maxURI = 2048 // bytes; a QR code holds 2953

// checkURI wants an absolute https URL without fragment and user information (§5.10, §8.2). http is
// for development: only where the host is this very machine.
func checkURI(raw string) error {
	if len(raw) > maxURI {
		return errors.New("it is too long")
	}
	u, err := url.Parse(raw)
	if err != nil {
		return errors.New("it is not a URL") // url.Parse quotes it, and it may hold an identifier
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return errors.New("it has to begin with https://")
	}
	if u.Hostname() == "" || u.User != nil || strings.Contains(raw, "#") {
		return errors.New("it has no host, or a user, or a fragment")
	}
	return nil
}

// checkOrigin wants an origin as browsers write it (RFC 6454 §6.2): wallets compare it character by character
// (OpenID4VP 1.0 Appendix A.2), so no slash at the end, no capital letters, and no port that is the scheme's own.
func checkOrigin(raw string) error {
	if err := checkURI(raw); err != nil {
		return err
	}
	u, err := url.Parse(raw)
	if err != nil || raw != u.Scheme+"://"+u.Host || raw != strings.ToLower(raw) {
		return errors.New("it has to be scheme, host and port only, in small letters")
	}
	if strings.ContainsFunc(raw, func(c rune) bool { return c > unicode.MaxASCII }) {
		return errors.New("its host has to be in ASCII, as xn--…")
	}
	usual := map[string]string{"https": "443", "http": "80"}
	if port := u.Port(); port == usual[u.Scheme] || port != strings.TrimLeft(port, "0") || strings.HasSuffix(raw, ":") {
		return errors.New("a port that goes without saying is not in it")
	}
	return nil
}

// loopback reports whether the host is this machine by its name (RFC 6761 §6.3) or address.
func loopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
