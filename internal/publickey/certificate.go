package publickey

import (
	"crypto/x509"
	"fmt"
)

// Bounds of certificates. Real certificates have one or two kilobytes; a chain of 4 is a leaf and three CAs.
const (
	MaxChain       = 4
	maxCertificate = 16 << 10 // bytes of DER
)

// ParseCertificate parses a certificate in DER. An ErrMalformed wraps the error of crypto/x509, which may quote the
// certificate: do not log it where personal data must not be logged.
func ParseCertificate(der []byte) (*x509.Certificate, error) {
	if len(der) > maxCertificate {
		return nil, fmt.Errorf("%w: a certificate of %d bytes; %d are the most", ErrBounds, len(der), maxCertificate)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if err := Check(certificate.PublicKey); err != nil {
		return nil, err
	}
	return certificate, nil
}

// ParseChain parses a certificate chain in DER. It checks the key of every certificate: the leaf's signature is
// verified with a CA's key, which may be the oversized one.
func ParseChain(chain [][]byte) ([]*x509.Certificate, error) {
	if len(chain) > MaxChain {
		return nil, fmt.Errorf("%w: a chain of %d certificates; %d are the most", ErrBounds, len(chain), MaxChain)
	}
	certificates := make([]*x509.Certificate, 0, len(chain))
	for i, der := range chain {
		certificate, err := ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", i, err)
		}
		certificates = append(certificates, certificate)
	}
	return certificates, nil
}

// CheckCertificates applies the bounds of ParseChain to certificates that were parsed elsewhere, such as by
// crypto/tls.
func CheckCertificates(chain []*x509.Certificate) error {
	if len(chain) > MaxChain {
		return fmt.Errorf("%w: a chain of %d certificates; %d are the most", ErrBounds, len(chain), MaxChain)
	}
	for i, certificate := range chain {
		if len(certificate.Raw) > maxCertificate {
			return fmt.Errorf("certificate %d: %w: %d bytes; %d are the most", i, ErrBounds, len(certificate.Raw), maxCertificate)
		}
		if err := Check(certificate.PublicKey); err != nil {
			return fmt.Errorf("certificate %d: %w", i, err)
		}
	}
	return nil
}
