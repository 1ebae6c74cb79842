package plan

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"time"

	"regain/internal/config"
)

// ReadCertificate returns the certificate that the node shows when it terminates TLS, or nil. What no client would accept is an
// error: at the start it stops it, and later the certificate in use stays.
func ReadCertificate(c config.TLSConfig, now time.Time) (*tls.Certificate, error) {
	if c.CertificateFile == "" || c.KeyFile == "" && c.Key.IsZero() {
		return nil, nil //nolint:nilnil // nil means that a proxy terminates TLS
	}
	chain, unreadable := readCertificates(c.CertificateFile)
	if unreadable != nil {
		unreadable = fmt.Errorf("tls.certificate_file: %w", unreadable)
	}
	private, key, source, err := readTLSKey(c)
	if err := errors.Join(unreadable, err); err != nil {
		return nil, err
	}
	public, err := os.ReadFile(c.CertificateFile)
	if err != nil {
		return nil, fmt.Errorf("tls.certificate_file: %w", err)
	}
	pair, err := tls.X509KeyPair(public, private)
	if err != nil {
		return nil, fmt.Errorf("%s: %s does not hold the key of the first certificate in %s (tls.certificate_file): %w", key, source, c.CertificateFile, err)
	}
	for i, certificate := range chain {
		switch {
		case now.After(certificate.NotAfter):
			return nil, fmt.Errorf("tls.certificate_file: certificate %d of %s expired at %s: no client connects; renew it", i, c.CertificateFile, day(certificate.NotAfter))
		case now.Before(certificate.NotBefore):
			return nil, fmt.Errorf("tls.certificate_file: certificate %d of %s is not valid before %s: use one that is, or set this machine's clock", i, c.CertificateFile, day(certificate.NotBefore))
		case i > 0 && chain[i-1].CheckSignatureFrom(certificate) != nil:
			return nil, fmt.Errorf("tls.certificate_file: certificate %d of %s did not issue the one before it: put the server's own first, then each issuer's", i, c.CertificateFile)
		}
	}
	return &pair, nil
}

// readTLSKey reads the private key of the server, with the configuration key and the place that it has.
func readTLSKey(c config.TLSConfig) (private []byte, key, source string, err error) {
	if !c.Key.IsZero() {
		text, err := c.Key.Read("tls.key")
		return []byte(text), "tls.key", c.Key.Source(), err
	}
	private, err = os.ReadFile(c.KeyFile)
	return private, "tls.key_file", c.KeyFile, config.Keyed("tls.key_file", err)
}
