// Package chain judges the certificates that stand in a credential or a request: whether they
// lead to a trusted root, and what they say about the signer.
package chain

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
)

// longest is how many certificates a chain may have.
const longest = 8

// Chain holds certificates as they stand in x5c or x5chain: the signer's first, none of them empty.
type Chain []*x509.Certificate

// Parse reads the certificates' DER.
func Parse(ders [][]byte) (Chain, error) {
	if len(ders) == 0 || len(ders) > longest {
		return nil, errors.New("it holds no certificate or too many")
	}
	var c Chain
	for _, der := range ders {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, errors.New("it holds something that is no certificate")
		}
		c = append(c, certificate)
	}
	return c, nil
}

// Leaf returns the signer's certificate.
func (c Chain) Leaf() *x509.Certificate { return c[0] }

// Name is what a person is shown: the leaf's common name, or its organisation.
func (c Chain) Name() string {
	subject := c.Leaf().Subject
	if subject.CommonName != "" {
		return subject.CommonName
	}
	return strings.Join(subject.Organization, ", ")
}

// AKIs returns the base64url KeyIdentifiers that a DCQL query of type aki may name
// (OpenID4VP 1.0 §6.1.1.1).
func (c Chain) AKIs() []string {
	var ids []string
	for _, certificate := range c {
		if len(certificate.AuthorityKeyId) > 0 {
			ids = append(ids, base64.RawURLEncoding.EncodeToString(certificate.AuthorityKeyId))
		}
	}
	return ids
}

// Trusted checks that the chain leads to an anchor, and that no certificate in it is self-signed:
// a party that trusts an anchor knows it, and one that is sent along vouches for nothing
// (HAIP 1.0 §5, §6.1.1). Without anchors, every chain is as good as any other.
func (c Chain) Trusted(anchors *x509.CertPool, now time.Time) error {
	for _, certificate := range c {
		if selfSigned(certificate) {
			return errors.New("it holds a self-signed certificate")
		}
	}
	if anchors == nil {
		return nil
	}
	intermediates := x509.NewCertPool()
	for _, certificate := range c[1:] {
		intermediates.AddCert(certificate)
	}
	_, err := c.Leaf().Verify(x509.VerifyOptions{
		Roots: anchors, Intermediates: intermediates, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return fmt.Errorf("its certificate is not trusted: %w", err)
	}
	return nil
}

func selfSigned(c *x509.Certificate) bool {
	return bytes.Equal(c.RawSubject, c.RawIssuer) && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// Hash is the base64url SHA-256 of the leaf's DER, which an x509_hash: client_id names
// (OpenID4VP 1.0 §5.9.3).
func (c Chain) Hash() string {
	sum := sha256.Sum256(c.Leaf().Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
