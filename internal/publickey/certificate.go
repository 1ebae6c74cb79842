package publickey

import (
	"crypto/x509"
	"fmt"
)

// Bounds of certificates. Honest ones have one or two kilobytes; 4 are a leaf and three authorities.
const (
	MaxChain       = 4
	maxCertificate = 16 << 10 // bytes of DER
)

// ParseCertificate reads a certificate in DER. An ErrMalformed has the words of x509, which quote the certificate: where
// logs must not, say it otherwise.
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

// ParseChain reads a chain of certificates in DER. The key of every one of them is checked, not the leaf's alone: it is
// an authority's key that a leaf is verified with.
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

// CheckCertificates holds the bounds of ParseChain for certificates that somebody else parsed, such as crypto/tls.
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
