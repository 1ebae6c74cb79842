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
	if c.CertificateFile == "" || c.KeyFile == "" {
		return nil, nil //nolint:nilnil // nil means that a proxy terminates TLS
	}
	chain, unreadable := readCertificates(c.CertificateFile)
	if unreadable != nil {
		unreadable = fmt.Errorf("tls.certificate_file: %w", unreadable)
	}
	if err := errors.Join(unreadable, readable("tls.key_file", c.KeyFile)); err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(c.CertificateFile, c.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("tls.key_file: %s does not hold the key of the first certificate in %s (tls.certificate_file): %w", c.KeyFile, c.CertificateFile, err)
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

// readable reports why a file cannot be read. key is its configuration key.
func readable(key, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return file.Close()
}
