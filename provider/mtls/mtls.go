// Package mtls returns the certificate that a client used in its TLS handshake, and compares it with the client's
// registration (RFC 8705). A node that terminates TLS takes it from the connection. Behind a proxy it is in a header, which
// is accepted only from the proxies that the operator configured: anyone can send a header.
package mtls

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"

	"regain/internal/publickey"
)

const maxHeader = 16 << 10

// Config configures a Source.
type Config struct {
	// Header is the header in which a proxy sends the client's certificate: `Client-Cert` with the format of RFC 9440
	// (`:base64:`), or another name with percent-encoded PEM, like nginx's $ssl_client_escaped_cert. "" disables it.
	Header  string
	Proxies []string       // addresses or CIDR ranges of the proxies whose header is accepted
	Roots   *x509.CertPool // for tls_client_auth; nil trusts no CA
}

// Source returns client certificates.
type Source struct {
	header  string
	proxies []netip.Prefix
	roots   atomic.Pointer[x509.CertPool]
}

// SetRoots replaces the CAs for tls_client_auth, when their file has changed.
func (s *Source) SetRoots(roots *x509.CertPool) { s.roots.Store(roots) }

// New returns an error for a proxy that is not an address.
func New(cfg Config) (*Source, error) {
	s := &Source{header: cfg.Header}
	s.SetRoots(cfg.Roots)
	for _, text := range cfg.Proxies {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			address, err := netip.ParseAddr(text)
			if err != nil {
				return nil, fmt.Errorf("proxy %q is neither an address nor a CIDR range", text)
			}
			prefix = netip.PrefixFrom(address, address.BitLen())
		}
		s.proxies = append(s.proxies, prefix.Masked())
	}
	return s, nil
}

// Certificate returns the client's certificate chain as sent, leaf first, or nil if the client sent none.
func (s *Source) Certificate(r *http.Request) ([]*x509.Certificate, error) {
	if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		if err := publickey.CheckCertificates(r.TLS.PeerCertificates); err != nil {
			return nil, fmt.Errorf("TLS: %w", err)
		}
		return r.TLS.PeerCertificates, nil
	}
	if s.header == "" || !s.trusted(r.RemoteAddr) {
		return nil, nil
	}
	values := r.Header.Values(s.header)
	if len(values) == 0 || len(values) == 1 && values[0] == "" { // nginx sends an empty header if there is no certificate
		return nil, nil
	}
	if len(values) > 1 {
		return nil, fmt.Errorf("header %s occurs twice: the proxy must replace what clients send", s.header)
	}
	certificate, err := parse(values[0])
	if err != nil {
		return nil, fmt.Errorf("header %s: %w", s.header, err)
	}
	return []*x509.Certificate{certificate}, nil
}

func (s *Source) trusted(remote string) bool {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return false
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	for _, p := range s.proxies {
		if p.Contains(address.Unmap()) {
			return true
		}
	}
	return false
}

// parse parses a certificate in the format of RFC 9440 §2.1 or of nginx.
func parse(value string) (*x509.Certificate, error) {
	if len(value) > maxHeader {
		return nil, errors.New("is too long")
	}
	if inner, ok := strings.CutPrefix(value, ":"); ok {
		der, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(inner, ":"))
		if err != nil || !strings.HasSuffix(inner, ":") {
			return nil, errors.New("is not a byte sequence of RFC 9440")
		}
		return publickey.ParseCertificate(der)
	}
	text, err := url.PathUnescape(value)
	if err != nil {
		return nil, errors.New("is not percent-encoded")
	}
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" || len(strings.TrimSpace(string(rest))) > 0 {
		return nil, errors.New("is not one PEM certificate")
	}
	return publickey.ParseCertificate(block.Bytes)
}

// Thumbprint returns the `x5t#S256` of a certificate (RFC 8705 §3.1).
func Thumbprint(certificate *x509.Certificate) string {
	sum := sha256.Sum256(certificate.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
