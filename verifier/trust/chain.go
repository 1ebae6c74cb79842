package trust

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"regain/internal/publickey"
)

func (r rule) verify(chain [][]byte, now time.Time) (verified, error) {
	leaf, intermediates, err := r.parse(chain)
	if err != nil {
		return verified{}, err
	}
	// HAIP 1.0 §6.1.1: the leaf must not be self-signed. A CA certificate is refused as a leaf too: any intermediate
	// below an anchor could otherwise issue credentials.
	if leaf.IsCA || bytes.Equal(leaf.RawIssuer, leaf.RawSubject) {
		return verified{}, fmt.Errorf("%w: the leaf is a CA or self-signed", ErrUntrusted)
	}
	if leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 { // also refuses a leaf without the keyUsage extension
		return verified{}, fmt.Errorf("%w: the leaf may not sign", ErrUntrusted)
	}
	chains, err := leaf.Verify(x509.VerifyOptions{
		Roots: r.pool, Intermediates: intermediates, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return verified{}, fmt.Errorf("%w: %s", ErrUntrusted, verifyErrorText(err))
	}
	v := validityPeriod(chains[0])
	v.leaf = leaf
	v.key, _ = leaf.PublicKey.(*ecdsa.PublicKey) // nil for another key type, which Leaf reports as an error
	return v, nil
}

// verifyErrorText describes an x509 error without its text, which quotes names from certificates that an attacker may
// have written (log injection, personal data).
func verifyErrorText(err error) string {
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) {
		switch invalid.Reason {
		case x509.Expired:
			return "a certificate of the chain has expired, or is not valid yet"
		case x509.CANotAuthorizedForThisName, x509.UnconstrainedName, x509.NameConstraintsWithoutSANs, x509.TooManyConstraints:
			return "name constraints forbid a name in the chain"
		case x509.NotAuthorizedToSign, x509.TooManyIntermediates:
			return "an issuing certificate is not a CA, or its path length constraint is exceeded"
		}
	}
	if unknown := (x509.UnknownAuthorityError{}); errors.As(err, &unknown) {
		return "the chain does not lead to a configured anchor"
	}
	return "the chain does not verify"
}

// parse returns the leaf and the intermediates. It bounds the size of every key: x5chain is not signed, so an
// attacker may add a CA with a giant key, with which x509 would verify the leaf before it finds that the CA is
// untrusted.
func (r rule) parse(chain [][]byte) (leaf *x509.Certificate, intermediates *x509.CertPool, err error) {
	certificates, err := publickey.ParseChain(chain)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrUntrusted, parseError(err))
	}
	intermediates = x509.NewCertPool()
	for i, certificate := range certificates {
		if slices.ContainsFunc(r.Anchors, certificate.Equal) {
			return nil, nil, fmt.Errorf("%w: the chain includes the trust anchor", ErrUntrusted) // HAIP 1.0 §6.1.1
		}
		if i == 0 {
			leaf = certificate
		} else {
			intermediates.AddCert(certificate)
		}
	}
	if leaf == nil {
		return nil, nil, fmt.Errorf("%w: there is no certificate", ErrUntrusted)
	}
	return leaf, intermediates, nil
}

// parseError describes a certificate parse error without the text of x509, which quotes the certificate.
func parseError(err error) error {
	if errors.Is(err, publickey.ErrBounds) {
		return err
	}
	return errors.New("a certificate cannot be read")
}

func validityPeriod(chain []*x509.Certificate) verified {
	v := verified{notBefore: chain[0].NotBefore, notAfter: chain[0].NotAfter}
	for _, c := range chain[1:] {
		if c.NotBefore.After(v.notBefore) {
			v.notBefore = c.NotBefore
		}
		if c.NotAfter.Before(v.notAfter) {
			v.notAfter = c.NotAfter
		}
	}
	return v
}
