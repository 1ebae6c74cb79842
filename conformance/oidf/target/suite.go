package target

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"net/url"
	"os"
	"time"

	"regain/internal/config"
)

// reachSuite lets Regain's fetcher send logout tokens to a suite on this machine: its address is private, and the
// certificate that it shows now is the one it is known by.
func (c *configuration) reachSuite(cfg *config.Config) {
	suite, err := url.Parse(c.options.Suite)
	c.note(err)
	if err != nil || !c.options.LocalSuite {
		return
	}
	port := suite.Port()
	if port == "" {
		port = "443"
	}
	c.suite, err = shownCertificate(net.JoinHostPort(suite.Hostname(), port))
	c.note(err)
	anchors, err := os.ReadFile(cfg.Fetch.CAFile)
	c.note(err)
	cfg.Fetch.CAFile = c.write("anchors.pem", append(anchors, c.suite...))
	cfg.Fetch.AllowPrivateHosts = append(cfg.Fetch.AllowPrivateHosts, suite.Host)
}

func shownCertificate(address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // to learn the certificate, not to trust what is said
	connection, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	secured, ok := connection.(*tls.Conn)
	if !ok {
		return nil, errors.New("not a TLS connection")
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secured.ConnectionState().PeerCertificates[0].Raw}), nil
}

// roots are whom a browser trusts that goes to the target and to the suite.
func (c *configuration) roots(target *x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	if !c.options.LocalSuite {
		var err error
		pool, err = x509.SystemCertPool()
		c.note(err)
	}
	pool.AppendCertsFromPEM(c.suite)
	pool.AddCert(target)
	return pool
}
