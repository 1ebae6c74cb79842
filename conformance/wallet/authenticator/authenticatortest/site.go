package authenticatortest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// Site serves any number of names below .example over TLS, which is where did:web documents live.
type Site struct {
	t      testing.TB
	server *httptest.Server
	hosts  map[string]http.Handler
}

// NewSite starts a site without names.
func NewSite(t testing.TB) *Site {
	t.Helper()
	s := &Site{t: t, hosts: map[string]http.Handler{}}
	s.server = httptest.NewUnstartedServer(s)
	s.server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate(t)}, MinVersion: tls.VersionTLS12}
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
	pool := x509.NewCertPool()
	pool.AddCert(s.server.Certificate())
	address := s.server.Listener.Addr().String()
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}}
}

func certificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "site"}, DNSNames: []string{"*.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
