// Package mtls returns the certificate that a client used in its TLS handshake, and compares it with the client's
// registration (RFC 8705). A node that terminates TLS takes it from the connection. Behind a proxy it is in a header, which
// is accepted only from the proxies that the operator configured for it, and at the host that they terminate mutual TLS for:
// anyone can send a header.
package mtls

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"regain/internal/peer"
	"regain/internal/publickey"
)

const maxHeader = 16 << 10

// Config configures a Source.
type Config struct {
	// Header is the header in which a proxy sends the client's certificate: `Client-Cert` with the format of RFC 9440
	// (`:base64:`), or another name with percent-encoded PEM, like nginx's $ssl_client_escaped_cert. "" disables it.
	Header string
	// Host is the host of the URL under which clients show certificates, with its port unless that is the scheme's own. The
	// header counts there and nowhere else: at any other host the same proxies pass on what a client sent.
	Host    string
	Proxies []string       // addresses or CIDR ranges of the proxies whose header is accepted
	Roots   *x509.CertPool // for tls_client_auth; nil trusts no CA
}

// Source returns client certificates.
type Source struct {
	header  string
	host    string
	proxies peer.Proxies
	roots   atomic.Pointer[x509.CertPool]
}

// SetRoots replaces the CAs for tls_client_auth, when their file has changed.
func (s *Source) SetRoots(roots *x509.CertPool) { s.roots.Store(roots) }

// New returns an error for a proxy that is not an address, and for a header without the host where it counts.
func New(cfg Config) (*Source, error) {
	if cfg.Header != "" && cfg.Host == "" {
		return nil, errors.New("a header for client certificates needs the host where it counts")
	}
	proxies, err := peer.ParseProxies(cfg.Proxies)
	if err != nil {
		return nil, err
	}
	s := &Source{header: cfg.Header, host: cfg.Host, proxies: proxies}
	s.SetRoots(cfg.Roots)
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
	if s.header == "" || !strings.EqualFold(r.Host, s.host) || !s.trusted(r) {
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

func (s *Source) trusted(r *http.Request) bool {
	address, _ := peer.Address(r) // where there is none, no proxy has it
	return s.proxies.Contain(address)
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
	if block == nil || block.Type != "CERTIFICATE" || len(block.Headers) > 0 || len(strings.TrimSpace(string(rest))) > 0 {
		return nil, errors.New("is not one PEM certificate")
	}
	return publickey.ParseCertificate(block.Bytes)
}

// Thumbprint returns the `x5t#S256` of a certificate (RFC 8705 §3.1).
func Thumbprint(certificate *x509.Certificate) string {
	sum := sha256.Sum256(certificate.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
