package mtls_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/provider/mtls"
)

// A header is one certificate and nothing beside it, in either format, and ends at 16 kilobytes.
func TestHeadersThatAreRefused(t *testing.T) {
	b := setUp(t)
	s := b.source(mtls.Config{Header: "Client-Cert", Host: host, Proxies: []string{"127.0.0.1"}})
	encoded := func(block *pem.Block) string { return url.PathEscape(string(pem.EncodeToMemory(block))) }
	structured := ":" + base64.StdEncoding.EncodeToString(b.leaf.Raw) + ":"
	const long = 16 << 10
	for name, row := range map[string]struct {
		values []string
		why    string
	}{
		"PEM of another kind":        {[]string{encoded(&pem.Block{Type: "TRUSTED CERTIFICATE", Bytes: b.leaf.Raw})}, "is not one PEM certificate"},
		"PEM with a header":          {[]string{encoded(&pem.Block{Type: "CERTIFICATE", Headers: map[string]string{"Proc-Type": "x"}, Bytes: b.leaf.Raw})}, "is not one PEM certificate"},
		"text after PEM":             {[]string{escaped(b.leaf) + "x"}, "is not one PEM certificate"},
		"a space":                    {[]string{"%20"}, "is not one PEM certificate"},
		"PEM of no certificate":      {[]string{encoded(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})}, "malformed certificate"},
		"as long as may be":          {[]string{strings.Repeat("x", long)}, "is not one PEM certificate"},
		"longer":                     {[]string{strings.Repeat("x", long+1)}, "is too long"},
		"an empty one before it":     {[]string{"", structured}, "occurs twice"},
		"an empty one after it":      {[]string{structured, ""}, "occurs twice"},
		"two empty ones":             {[]string{"", ""}, "occurs twice"},
		"a byte sequence of nothing": {[]string{"::"}, "malformed certificate"},
		"a colon":                    {[]string{":"}, "is not a byte sequence of RFC 9440"},
	} {
		r := request("127.0.0.1:5")
		r.Header["Client-Cert"] = row.values
		if chain, err := s.Certificate(r); err == nil || !strings.Contains(err.Error(), row.why) || chain != nil {
			t.Errorf("%s: %d certificates, %v, want %q", name, len(chain), err, row.why)
		}
	}
}

// A proxy may speak TLS with us as well, without a certificate of its own; and the certificate of a connection, where there
// is one, is the client's, whatever a header says.
func TestTheConnectionComesFirst(t *testing.T) {
	b := setUp(t)
	s := b.source(mtls.Config{Header: "Client-Cert", Host: host, Proxies: []string{"127.0.0.1"}})
	for name, row := range map[string]struct {
		connection *tls.ConnectionState
		want       *x509.Certificate
	}{
		"no TLS":                     {nil, b.leaf},
		"TLS without a certificate":  {&tls.ConnectionState{}, b.leaf},
		"TLS with the client's, too": {&tls.ConnectionState{PeerCertificates: []*x509.Certificate{b.server}}, b.server},
	} {
		r := request("127.0.0.1:5")
		r.TLS = row.connection
		r.Header.Set("Client-Cert", escaped(b.leaf))
		if chain, err := s.Certificate(r); err != nil || len(chain) != 1 || !chain[0].Equal(row.want) {
			t.Errorf("%s: %d certificates, %v", name, len(chain), err)
		}
	}
	r := request("127.0.0.1:5")
	r.Header = http.Header{"": {escaped(b.leaf)}}
	if chain, err := b.source(mtls.Config{Host: host, Proxies: []string{"127.0.0.1"}}).Certificate(r); err != nil || chain != nil {
		t.Errorf("a header counts where none is configured: %d certificates, %v", len(chain), err)
	}
}

// A certificate may be of a CA below the root, which the client shows with it (RFC 8446 §4.4.2), and of none without.
func TestIntermediateCAs(t *testing.T) {
	b := setUp(t)
	rootKey, middleKey, leafKey := b.key(), b.key(), b.key()
	ca := x509.Certificate{Subject: pkix.Name{CommonName: "root"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	middle := ca
	middle.Subject.CommonName = "middle"
	root := b.certify(&ca, nil, rootKey, rootKey)
	between := b.certify(&middle, root, middleKey, rootKey)
	leaf := b.certify(&x509.Certificate{DNSNames: []string{"c"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, between, leafKey, middleKey)
	roots := x509.NewCertPool()
	roots.AddCert(root)
	s := b.source(mtls.Config{Roots: roots})
	if err := s.Authenticate([]*x509.Certificate{leaf, between}, mtls.Identity{DNS: "c"}, b.now); err != nil {
		t.Errorf("with the CA between: %v", err)
	}
	for name, chain := range map[string][]*x509.Certificate{"without it": {leaf}, "with another": {leaf, b.ca}} {
		if err := s.Authenticate(chain, mtls.Identity{DNS: "c"}, b.now); err == nil || !strings.Contains(err.Error(), "signed by unknown authority") {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.SetRoots(b.roots) // what the operator took away is trusted no more, and what was put in its place is
	if err := s.Authenticate([]*x509.Certificate{leaf, between}, mtls.Identity{DNS: "c"}, b.now); err == nil || !strings.Contains(err.Error(), "signed by unknown authority") {
		t.Errorf("after the roots were replaced: %v", err)
	}
	if err := s.Authenticate([]*x509.Certificate{b.leaf}, mtls.Identity{DNS: "idp.example.org"}, b.now); err != nil {
		t.Errorf("of the new roots: %v", err)
	}
}

// A registered name is found among several, in either notation of an address, and what is no address is nobody's.
func TestNamesAmongOthers(t *testing.T) {
	b := setUp(t)
	key := b.key()
	other, err := url.Parse("https://other.example/x")
	b.must(err)
	mine, err := url.Parse("https://c.example/x")
	b.must(err)
	caKey := b.key()
	ca := b.certify(&x509.Certificate{Subject: pkix.Name{CommonName: "CA2"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, caKey, caKey)
	leaf := b.certify(&x509.Certificate{
		URIs: []*url.URL{other, mine}, IPAddresses: []net.IP{net.ParseIP("192.0.2.1"), net.ParseIP("192.0.2.2"), net.ParseIP("2001:db8::1")}, DNSNames: []string{"a", "b"}, EmailAddresses: []string{"a@c", "b@c"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, ca, key, caKey)
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	s := b.source(mtls.Config{Roots: roots})
	for identity, named := range map[mtls.Identity]bool{
		{URI: "https://c.example/x"}: true, {IP: "192.0.2.2"}: true, {IP: "::ffff:192.0.2.2"}: true, {IP: "2001:db8::1"}: true, {IP: "2001:DB8:0::1"}: true, {DNS: "b"}: true, {Email: "b@c"}: true,
		{URI: "https://c.example/X"}: false, {IP: "192.0.2.3"}: false, {IP: "x"}: false, {DNS: "B"}: false, {DNS: "a@c"}: false, {Email: "a"}: false, {SubjectDN: "CN=a"}: false,
	} {
		if err := s.Authenticate([]*x509.Certificate{leaf}, identity, b.now); (err == nil) != named || err != nil && !strings.Contains(err.Error(), "names another subject") {
			t.Errorf("%+v: %v", identity, err)
		}
	}
	broken := *leaf // as no parser returns it
	broken.IPAddresses = []net.IP{{1, 2, 3}}
	if err := s.Authenticate([]*x509.Certificate{&broken}, mtls.Identity{IP: "x"}, b.now); err == nil || !strings.Contains(err.Error(), "names another subject") {
		t.Errorf("two addresses that are none: %v", err)
	}
}

// A self-signed certificate is good from its first second to its last (RFC 5280 §4.1.2.5).
func TestTheLastSecondOfACertificate(t *testing.T) {
	b := setUp(t)
	chain := []*x509.Certificate{b.leaf}
	for at, good := range map[time.Time]bool{b.leaf.NotBefore: true, b.leaf.NotBefore.Add(-1): false, b.leaf.NotAfter: true, b.leaf.NotAfter.Add(1): false} {
		err := mtls.AuthenticateSelfSigned(chain, bareKeys(b), at)
		if (err == nil) != good || err != nil && !strings.Contains(err.Error(), "is not valid now") {
			t.Errorf("%s after its beginning: %v", at.Sub(b.leaf.NotBefore), err)
		}
	}
}

func bareKeys(b *bench) []jose.JSONWebKey { return []jose.JSONWebKey{{Key: b.leaf.PublicKey}} }
