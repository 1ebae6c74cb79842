package testenv

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"strings"
	"time"

	"regain/internal/node"
)

// PKI is the test environment's certification authority: for the certificate that signs Regain's presentation requests, and with
// TLS for the servers' certificates.
type PKI struct {
	Anchor     *x509.Certificate
	Request    *x509.Certificate // signs presentation requests
	RequestKey *ecdsa.PrivateKey
	server     tls.Certificate
	key        *ecdsa.PrivateKey
}

func newPKI(now time.Time) (*PKI, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the test environment's CA: %w", err)
	}
	p := &PKI{key: key}
	anchor := template("Regain Demo CA", now)
	anchor.IsCA, anchor.BasicConstraintsValid, anchor.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	if p.Anchor, err = sign(anchor, anchor, &key.PublicKey, key); err != nil {
		return nil, err
	}
	if p.RequestKey, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, fmt.Errorf("make the request key: %w", err)
	}
	request := template("Example Organisation account recovery", now)
	request.KeyUsage, request.DNSNames = x509.KeyUsageDigitalSignature, []string{"regain.localhost"}
	if p.Request, err = sign(request, p.Anchor, &p.RequestKey.PublicKey, key); err != nil {
		return nil, err
	}
	return p, p.makeServerCertificate(now)
}

// RenewRequest makes another certificate and key for presentation requests, both PEM.
func (p *PKI) RenewRequest() (certificate, key []byte, err error) {
	next, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make the request key: %w", err)
	}
	t := template("Example Organisation account recovery", time.Now())
	t.KeyUsage, t.DNSNames = x509.KeyUsageDigitalSignature, p.Request.DNSNames
	made, err := sign(t, p.Anchor, &next.PublicKey, p.key)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(next)
	if err != nil {
		return nil, nil, fmt.Errorf("encode the request key: %w", err)
	}
	return encodePEM("CERTIFICATE", made.Raw), encodePEM("PRIVATE KEY", der), nil
}

// makeServerCertificate names each host: browsers refuse a wildcard directly under a top-level domain.
func (p *PKI) makeServerCertificate(now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make the server key: %w", err)
	}
	t := template("regain demo", now)
	t.KeyUsage, t.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, name := range []string{"regain", "idp", "proofing", "wallet", "rogue"} {
		t.DNSNames = append(t.DNSNames, name+".localhost")
	}
	cert, err := sign(t, p.Anchor, &key.PublicKey, p.key)
	if err != nil {
		return err
	}
	p.server = tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
	return nil
}

func template(name string, now time.Time) *x509.Certificate {
	return &x509.Certificate{
		Subject:   pkix.Name{CommonName: name, Organization: []string{"Example Organisation"}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(30 * 24 * time.Hour),
	}
}

func sign(t, parent *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	t.SerialNumber = serial
	der, err := x509.CreateCertificate(rand.Reader, t, parent, public, key)
	if err != nil {
		return nil, fmt.Errorf("sign certificate %s: %w", t.Subject.CommonName, err)
	}
	return x509.ParseCertificate(der)
}

// MutualTLS see ServerTLS.
func (p *PKI) MutualTLS() *tls.Config { return node.MutualTLS(p.server) }

func (p *PKI) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(p.Anchor)
	return pool
}

// ServerTLS is the TLS configuration of the test environment's servers; MutualTLS asks for a client certificate too.
func (p *PKI) ServerTLS() *tls.Config {
	return node.TLS(p.server)
}

// CertificatePEM returns the CA's certificate, to be trusted by a browser in a test environment with TLS.
func (p *PKI) CertificatePEM() []byte { return encodePEM("CERTIFICATE", p.Anchor.Raw) }

func encodePEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// client returns an HTTP client that trusts the test environment's CA and dials names under .localhost at 127.0.0.1, whatever the
// system's resolver says (RFC 6761 §6.3), from an address of this machine, or any where that is "".
func (p *PKI) client(timeout time.Duration, from string) *http.Client {
	dialer := &net.Dialer{Timeout: timeout}
	if from != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	return &http.Client{Timeout: timeout, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: p.pool(), MinVersion: tls.VersionTLS12}, MaxIdleConnsPerHost: 64, ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(address)
			if err == nil && (host == "localhost" || strings.HasSuffix(host, ".localhost")) {
				address = net.JoinHostPort("127.0.0.1", port)
			}
			return dialer.DialContext(ctx, network, address)
		},
	}}
}
