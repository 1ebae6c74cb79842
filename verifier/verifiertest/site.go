package verifiertest

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"regain/internal/fetch"
)

// Site is a web site with a did:web. It serves Pages by their path.
type Site struct {
	Host     string // host:port
	DID      string
	Origin   string
	Pages    map[string]http.HandlerFunc
	Requests atomic.Int64

	t     testing.TB
	roots *x509.CertPool
}

// NewSite starts a site on loopback, which stops when the test ends. Set its pages before they are requested.
func NewSite(t testing.TB) *Site {
	t.Helper()
	const name = "issuer.localhost" // a did:web must not have an IP address
	s := &Site{t: t, Pages: make(map[string]http.HandlerFunc), roots: x509.NewCertPool()}
	authority := NewAuthority(t, "Authority of the web", time.Now()) // crypto/tls uses the real clock
	s.roots.AddCert(authority.Certificate)
	party := authority.Leaf(t, func(c *x509.Certificate) { c.DNSNames = []string{name} })
	server := httptest.NewUnstartedServer(s)
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: party.Chain, PrivateKey: party.Key}}}
	server.StartTLS()
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s.Host, s.DID = net.JoinHostPort(name, port), "did:web:"+name+"%3A"+port
	s.Origin = "https://" + s.Host
	return s
}

// Identity gives the site a DID document with one key, key-1, for authentication and assertionMethod.
func (s *Site) Identity(algorithm string) *Identity {
	s.t.Helper()
	signer := NewSigner(s.t, algorithm)
	s.Serve("/.well-known/did.json", s.Document(signer))
	return &Identity{Signer: signer, DID: s.DID, KeyID: s.DID + "#key-1"}
}

// Document makes a DID document with relative ids, like those of Entra Verified ID.
func (s *Site) Document(signer *Signer) map[string]any {
	return map[string]any{
		"id":       s.DID,
		"@context": []any{"https://www.w3.org/ns/did/v1", map[string]any{"@base": s.DID}},
		"service": []any{map[string]any{
			"id": "#linkeddomains", "type": "LinkedDomains", "serviceEndpoint": map[string]any{"origins": []any{s.Origin + "/"}},
		}},
		"verificationMethod": []any{map[string]any{
			"id": "#key-1", "controller": s.DID, "type": "JsonWebKey2020", "publicKeyJwk": signer.JWK(s.t),
		}},
		"authentication": []any{"#key-1"}, "assertionMethod": []any{"#key-1"},
	}
}

// Serve sets a page that answers with value as JSON.
func (s *Site) Serve(path string, value any) {
	raw := JSON(s.t, value)
	s.Pages[path] = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(raw)
	}
}

func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.Requests.Add(1)
	page, ok := s.Pages[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	page(w, r)
}

// Fetcher returns a hardened fetcher that may reach this site.
func (s *Site) Fetcher() *fetch.Fetcher {
	s.t.Helper()
	f, err := fetch.New(fetch.Config{AllowPrivateHosts: []string{s.Host}, RootCAs: s.roots, Timeout: 10 * time.Second})
	if err != nil {
		s.t.Fatal(err)
	}
	return f
}
