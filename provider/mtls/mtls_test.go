package mtls_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regain/internal/publickey/publickeytest"
	"regain/provider/mtls"
)

type bench struct {
	t        *testing.T
	now      time.Time
	ca, leaf *x509.Certificate
	server   *x509.Certificate // names what leaf names, and is for servers only
	roots    *x509.CertPool
}

func setUp(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, now: time.Now(), roots: x509.NewCertPool()}
	caKey, leafKey := b.key(), b.key()
	b.ca = b.certify(&x509.Certificate{Subject: pkix.Name{CommonName: "CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, caKey, caKey)
	uri, err := url.Parse("https://idp.example.org/client")
	b.must(err)
	leaf := x509.Certificate{
		Subject: pkix.Name{CommonName: "main-idp", Organization: []string{"Example"}, Country: []string{"SE"}}, DNSNames: []string{"idp.example.org"},
		EmailAddresses: []string{"idp@example.org"}, IPAddresses: []net.IP{net.ParseIP("192.0.2.7")}, URIs: []*url.URL{uri},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	server := leaf
	server.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	b.leaf, b.server = b.certify(&leaf, b.ca, leafKey, caKey), b.certify(&server, b.ca, leafKey, caKey)
	b.roots.AddCert(b.ca)
	return b
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) key() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	b.must(err)
	return key
}

func (b *bench) certify(t, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) *x509.Certificate {
	t.SerialNumber, t.NotBefore, t.NotAfter = big.NewInt(b.now.UnixNano()), b.now.Add(-time.Hour), b.now.Add(time.Hour)
	if parent == nil {
		parent = t
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent, key.Public(), signer)
	b.must(err)
	c, err := x509.ParseCertificate(der)
	b.must(err)
	return c
}

func (b *bench) source(cfg mtls.Config) *mtls.Source {
	s, err := mtls.New(cfg)
	b.must(err)
	return s
}

// host is where clients show certificates.
const host = "mtls.regain.example:8443"

func request(remote string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/token", nil)
	r.Host, r.RemoteAddr = host, remote
	return r
}

func escaped(c *x509.Certificate) string {
	return url.PathEscape(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})))
}

func TestWhereTheCertificateComesFrom(t *testing.T) {
	b := setUp(t)
	s := b.source(mtls.Config{Header: "Client-Cert", Host: host, Proxies: []string{"10.0.0.0/8", "127.0.0.1"}})
	structured := ":" + base64.StdEncoding.EncodeToString(b.leaf.Raw) + ":"
	for name, c := range map[string]struct {
		remote  string
		headers []string
		found   bool
		why     string // it fails; "" where it does not
	}{
		"RFC 9440":             {"10.1.2.3:5", []string{structured}, true, ""},
		"nginx":                {"127.0.0.1:5", []string{escaped(b.leaf)}, true, ""},
		"IPv4 in IPv6":         {"[::ffff:10.1.2.3]:5", []string{structured}, true, ""},
		"none":                 {"10.1.2.3:5", nil, false, ""},
		"empty":                {"10.1.2.3:5", []string{""}, false, ""},
		"from a stranger":      {"192.0.2.1:5", []string{structured}, false, ""},
		"from no address":      {"pipe", []string{structured}, false, ""},
		"twice":                {"10.1.2.3:5", []string{structured, structured}, false, "occurs twice: the proxy must replace what clients send"},
		"no end":               {"10.1.2.3:5", []string{structured[:len(structured)-1]}, false, "is not a byte sequence of RFC 9440"},
		"not base64":           {"10.1.2.3:5", []string{":***:"}, false, "is not a byte sequence of RFC 9440"},
		"not a certificate":    {"10.1.2.3:5", []string{":AAAA:"}, false, "malformed certificate"},
		"not PEM":              {"10.1.2.3:5", []string{"hello"}, false, "is not one PEM certificate"},
		"not percent-encoding": {"10.1.2.3:5", []string{"%zz"}, false, "is not percent-encoded"},
		"two certificates":     {"10.1.2.3:5", []string{escaped(b.leaf) + escaped(b.ca)}, false, "is not one PEM certificate"},
	} {
		r := request(c.remote)
		r.Header["Client-Cert"] = c.headers
		chain, err := s.Certificate(r)
		if (len(chain) == 1 && chain[0].Equal(b.leaf)) != c.found || (err != nil) != (c.why != "") || err != nil && !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %d certificates, %v", name, len(chain), err)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/token", nil)
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{b.leaf, b.ca}}
	if chain, err := b.source(mtls.Config{}).Certificate(r); err != nil || len(chain) != 2 {
		t.Errorf("of the connection: %d, %v", len(chain), err)
	}
	if _, err := mtls.New(mtls.Config{Proxies: []string{"trusted_proxies: is empty and a proxy terminates TLS: all requests seem to come from the proxy's network, so limits by network are shared by all"}}); err == nil {
		t.Error("a proxy that is no address")
	}
}

// The same proxies pass on what clients send to any other host, the issuer's own among them.
func TestTheHeaderCountsAtItsHostOnly(t *testing.T) {
	b := setUp(t)
	s := b.source(mtls.Config{Header: "Client-Cert", Host: host, Proxies: []string{"127.0.0.1"}})
	for name, row := range map[string]struct {
		host  string
		found bool
	}{
		"its own": {host, true}, "in capitals": {"MTLS.Regain.Example:8443", true}, "the issuer's": {"regain.example", false}, "another port": {"mtls.regain.example", false},
		"a part of it": {"regain.example:8443", false}, "a longer one": {host + ".evil.example", false}, "none": {"", false},
	} {
		r := request("127.0.0.1:5")
		r.Host = row.host
		r.Header.Set("Client-Cert", escaped(b.leaf))
		r.Header.Set("X-Forwarded-Host", host)
		r.Header.Set("Forwarded", "host="+host)
		if chain, err := s.Certificate(r); err != nil || (len(chain) == 1) != row.found {
			t.Errorf("%s: %d certificates, %v", name, len(chain), err)
		}
	}
	if _, err := mtls.New(mtls.Config{Header: "Client-Cert", Proxies: []string{"127.0.0.1"}}); err == nil || !strings.Contains(err.Error(), "needs the host where it counts") {
		t.Errorf("without a host: %v", err)
	}
}

// A certificate that would cost too much to calculate with is refused when it is read, wherever it comes from.
func TestGiantCertificates(t *testing.T) {
	b := setUp(t)
	s := b.source(mtls.Config{Header: "Client-Cert", Host: host, Proxies: []string{"127.0.0.1"}, Roots: b.roots})
	giant, err := x509.ParseCertificate(publickeytest.Certificate(t, publickeytest.RSA(60_000, 65537)))
	b.must(err)
	const says = "an RSA modulus of 60000 bits"
	for name, value := range map[string]string{"RFC 9440": ":" + base64.StdEncoding.EncodeToString(giant.Raw) + ":", "nginx": escaped(giant)} {
		r := request("127.0.0.1:5")
		r.Header.Set("Client-Cert", value)
		if chain, err := s.Certificate(r); err == nil || !strings.Contains(err.Error(), says) || chain != nil {
			t.Errorf("%s: %d certificates, %v", name, len(chain), err)
		}
	}
	for name, row := range map[string]struct {
		chain []*x509.Certificate
		says  string
	}{
		"leaf": {[]*x509.Certificate{giant}, "certificate 0: "},
		"name constraints forbid a name in the chain": {[]*x509.Certificate{b.leaf, giant}, "certificate 1: "},
		"five": {[]*x509.Certificate{b.leaf, b.ca, b.ca, b.ca, b.ca}, "a chain of 5 certificates"},
	} {
		r := httptest.NewRequest(http.MethodPost, "/token", nil)
		r.TLS = &tls.ConnectionState{PeerCertificates: row.chain}
		if chain, err := s.Certificate(r); err == nil || !strings.Contains(err.Error(), row.says) || chain != nil {
			t.Errorf("of the connection, %s: %d certificates, %v", name, len(chain), err)
		}
	}
}

func TestAuthenticate(t *testing.T) {
	b := setUp(t)
	s := b.source(mtls.Config{Roots: b.roots})
	chain := []*x509.Certificate{b.leaf, b.ca}
	good := []mtls.Identity{
		{SubjectDN: "CN=main-idp,O=Example,C=SE"}, {DNS: "idp.example.org"}, {URI: "https://idp.example.org/client"}, {IP: "192.0.2.7"}, {Email: "idp@example.org"},
	}
	for _, i := range good {
		if err := s.Authenticate(chain, i, b.now); err != nil || i.Validate() != nil {
			t.Errorf("%+v: %v", i, err)
		}
	}
	for _, i := range []mtls.Identity{
		{}, {SubjectDN: "CN=main-idp,O=Example"}, {SubjectDN: "C=SE,O=Example,CN=main-idp"}, {DNS: "example.org"}, {URI: "https://idp.example.org"}, {IP: "192.0.2.8"}, {Email: "x@example.org"},
	} {
		if err := s.Authenticate(chain, i, b.now); err == nil || !strings.Contains(err.Error(), "the client certificate names another subject") {
			t.Errorf("%+v: %v", i, err)
		}
	}
	if (mtls.Identity{DNS: "a", IP: "::1"}).Validate() == nil || (mtls.Identity{}).Validate() == nil || (mtls.Identity{IP: "x"}).Validate() == nil {
		t.Error("two names, none, or a bad address")
	}
	stranger := setUp(t)
	for name, c := range map[string]struct {
		source *mtls.Source
		chain  []*x509.Certificate
		now    time.Time
		why    string
	}{
		"none shown":      {s, nil, b.now, "no client certificate was shown"},
		"no roots":        {b.source(mtls.Config{}), chain, b.now, "no roots are configured"},
		"another CA":      {s, []*x509.Certificate{stranger.leaf, stranger.ca}, b.now, "certificate signed by unknown authority"},
		"expired":         {s, chain, b.now.Add(2 * time.Hour), "certificate has expired"},
		"not for clients": {s, []*x509.Certificate{b.server, b.ca}, b.now, "incompatible key usage"},
	} {
		if err := c.source.Authenticate(c.chain, good[1], c.now); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAuthenticateSelfSigned(t *testing.T) {
	b := setUp(t)
	chain := []*x509.Certificate{b.leaf}
	withX5C := []jose.JSONWebKey{{Key: b.ca.PublicKey}, {Key: b.leaf.PublicKey, Certificates: chain}}
	bare := []jose.JSONWebKey{{Key: b.leaf.PublicKey}}
	for name, keys := range map[string][]jose.JSONWebKey{"x5c": withX5C, "bare key": bare} {
		if err := mtls.AuthenticateSelfSigned(chain, keys, b.now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	renewed := []jose.JSONWebKey{{Key: b.leaf.PublicKey, Certificates: []*x509.Certificate{b.ca}}}
	for name, row := range map[string]struct {
		err error
		why string
	}{
		"none shown":  {mtls.AuthenticateSelfSigned(nil, bare, b.now), "no client certificate was shown"},
		"no keys":     {mtls.AuthenticateSelfSigned(chain, nil, b.now), "in no key of the client's jwks"},
		"expired":     {mtls.AuthenticateSelfSigned(chain, bare, b.now.Add(2*time.Hour)), "is not valid now"},
		"another key": {mtls.AuthenticateSelfSigned(chain, []jose.JSONWebKey{{Key: b.key().Public()}, {Key: b.ca.PublicKey}}, b.now), "in no key of the client's jwks"},
		"not yet":     {mtls.AuthenticateSelfSigned(chain, bare, b.now.Add(-48*time.Hour)), "is not valid now"},
		"another x5c": {mtls.AuthenticateSelfSigned(chain, renewed, b.now), "in no key of the client's jwks"},
	} {
		if row.err == nil || !strings.Contains(row.err.Error(), row.why) {
			t.Errorf("%s: %v", name, row.err)
		}
	}
	if len(mtls.Thumbprint(b.leaf)) != 43 || mtls.Thumbprint(b.leaf) == mtls.Thumbprint(b.ca) {
		t.Error("thumbprints")
	}
}

// What is accepted is one certificate that says what was sent: in either format its bytes are those of the header, so that
// two headers for one thumbprint differ in nothing that is signed. At another host and from a stranger nothing is accepted.
func FuzzHeader(f *testing.F) {
	s, err := mtls.New(mtls.Config{Header: "Client-Cert", Host: host, Proxies: []string{"192.0.2.1"}})
	if err != nil {
		f.Fatal(err)
	}
	for _, key := range []any{publickeytest.RSA(2048, 65537), publickeytest.RSA(60_000, 65537)} {
		der := publickeytest.Certificate(f, key)
		f.Add(":" + base64.StdEncoding.EncodeToString(der) + ":")
		f.Add(escaped(&x509.Certificate{Raw: der}))
		f.Add(":" + base64.StdEncoding.EncodeToString(der[:len(der)-1]) + ":")
	}
	f.Add(":AAAA:")
	f.Add("-----BEGIN%20CERTIFICATE-----")
	f.Fuzz(func(t *testing.T, value string) {
		r := request("192.0.2.1:5")
		r.Header["Client-Cert"] = []string{value}
		chain, err := s.Certificate(r)
		switch {
		case err != nil || value == "":
			if len(chain) != 0 {
				t.Errorf("%q is refused, and %d certificates", value, len(chain))
			}
		case len(chain) != 1:
			t.Errorf("%q is %d certificates", value, len(chain))
		default:
			again := request("192.0.2.1:5")
			again.Header["Client-Cert"] = []string{":" + base64.StdEncoding.EncodeToString(chain[0].Raw) + ":"}
			if same, err := s.Certificate(again); err != nil || len(same) != 1 || mtls.Thumbprint(same[0]) != mtls.Thumbprint(chain[0]) || !bytes.Equal(sent(value), chain[0].Raw) {
				t.Errorf("%q is another certificate than what was sent: %v", value, err)
			}
		}
		elsewhere, unknown := request("192.0.2.1:5"), request("192.0.2.2:5")
		elsewhere.Host = "regain.example"
		for _, r := range []*http.Request{elsewhere, unknown} {
			r.Header["Client-Cert"] = []string{value}
			if chain, err := s.Certificate(r); err != nil || chain != nil {
				t.Errorf("%q counts at %s from %s: %v", value, r.Host, r.RemoteAddr, err)
			}
		}
	})
}

// sent is the DER in a header, read by other means.
func sent(value string) []byte {
	text, err := url.PathUnescape(value)
	if strings.HasPrefix(value, ":") || err != nil {
		text = value
	}
	_, text, _ = strings.Cut(text, "-----BEGIN CERTIFICATE-----")
	text, _, _ = strings.Cut(text, "-----END CERTIFICATE-----")
	if strings.HasPrefix(value, ":") {
		text = strings.Trim(value, ":")
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil
	}
	return der
}
