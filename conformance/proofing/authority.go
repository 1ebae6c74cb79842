package proofing

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// authority is the certification authority and the three keys under it. None of the three is self-signed, and the
// anchor is never sent along (HAIP 1.0 §6.1.1).
type authority struct {
	anchor                   *x509.Certificate
	issuer, status, receipts *signer
}

// signer signs JWTs of one kind with one certified key.
type signer struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

const certificateLife = 2 * 365 * 24 * time.Hour

func newAuthority(name, baseURL string, now time.Time) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the anchor's key: %w", err)
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: name + " CA", Organization: []string{name}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLife),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	anchor, err := certify(template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("certifying the anchor: %w", err)
	}
	a := &authority{anchor: anchor}
	for _, leaf := range []struct {
		to   **signer
		name string
	}{{&a.issuer, "issuer"}, {&a.status, "status list"}, {&a.receipts, "Face Check receipts"}} {
		if *leaf.to, err = a.newSigner(key, name+" "+leaf.name, baseURL); err != nil {
			return nil, fmt.Errorf("certifying the key for the %s: %w", leaf.name, err)
		}
	}
	return a, nil
}

// newSigner certifies a fresh key. The issuer's URL and host are alternative names, so that whoever compares iss with
// the certificate finds them.
func (a *authority) newSigner(parent *ecdsa.PrivateKey, name, baseURL string) (*signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	address, err := url.Parse(baseURL)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: name, Organization: a.anchor.Subject.Organization},
		NotBefore: a.anchor.NotBefore, NotAfter: a.anchor.NotAfter, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, URIs: []*url.URL{address},
	}
	if ip := net.ParseIP(address.Hostname()); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{address.Hostname()}
	}
	certificate, err := certify(template, a.anchor, &key.PublicKey, parent)
	return &signer{certificate: certificate, key: key}, err
}

func certify(template, parent *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// sign makes a compact JWS of payload with the media type in typ and the leaf in x5c.
func (s *signer) sign(mediaType string, payload []byte) (string, error) {
	chain := []string{base64.StdEncoding.EncodeToString(s.certificate.Raw)}
	options := (&jose.SignerOptions{}).WithType(jose.ContentType(mediaType)).WithHeader("x5c", chain)
	maker, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: s.key}, options)
	if err != nil {
		return "", fmt.Errorf("preparing a %s: %w", mediaType, err)
	}
	signed, err := maker.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("signing a %s: %w", mediaType, err)
	}
	return signed.CompactSerialize()
}
