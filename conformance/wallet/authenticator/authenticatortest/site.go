package authenticatortest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"regain/conformance/wallet/wallettest"
)

// Site serves any number of names below .example over TLS, which is where did:web documents live.
type Site struct {
	t      testing.TB
	server *httptest.Server
	hosts  map[string]http.Handler
	roots  *x509.CertPool
}

// NewSite starts a site without names.
func NewSite(t testing.TB) *Site {
	t.Helper()
	s := &Site{t: t, hosts: map[string]http.Handler{}}
	s.server = httptest.NewUnstartedServer(s)
	authority := wallettest.NewAuthority(t, "Web PKI")
	party := authority.PartyFor(t, "site", "*.example")
	s.roots = authority.Pool()
	s.server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: party.DER, PrivateKey: party.Key}}, MinVersion: tls.VersionTLS12}
	s.server.StartTLS()
	t.Cleanup(s.server.Close)
	return s
}

// Serve gives a name, such as verifier.example, to a party.
func (s *Site) Serve(host string, party http.Handler) { s.hosts[host] = party }

func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if party := s.hosts[r.Host]; party != nil {
		party.ServeHTTP(w, r)
		return
	}
	http.NotFound(w, r)
}

// Client returns a client that trusts the site and finds every name at it.
func (s *Site) Client() *http.Client {
	address := s.server.Listener.Addr().String()
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: s.roots, Time: wallettest.Noon, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}}
}
