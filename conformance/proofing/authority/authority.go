// Package authority is the certification authority of the provider, and the keys under it.
package authority

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"time"

	"regain/conformance/jose"
	"regain/conformance/mdoc"
)

// Authority is the certification authority and the keys under it, none of which is self-signed; the anchor is never
// sent along (HAIP 1.0 §6.1.1). Driving licences have a PKI of their own, as ISO/IEC 18013-5 wants it.
type Authority struct {
	Anchor                             *x509.Certificate
	Issuer, Status, Receipts, Metadata *Signer
	Licences                           *mdoc.Authority
}

// Signer signs JWTs of one kind with one certified key.
type Signer struct {
	Certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

const certificateLife = 2 * 365 * 24 * time.Hour

// Where the documents of the sample people come from: a code that ISO 3166-1 leaves to its users, and the sign that
// ICAO Doc 9303 has on its specimens.
const (
	country     = "ZZ"
	vehicleSign = "UTO"
)

// RevocationPath is where the CRL of those who sign licences is read.
const RevocationPath = "/iaca.crl"

// New makes the authority of a provider of that name at that URL, whose certificates begin an hour ago.
func New(name, baseURL string, now time.Time) (*Authority, error) {
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
	a := &Authority{Anchor: anchor}
	for _, leaf := range []struct {
		to   **Signer
		name string
	}{{&a.Issuer, "issuer"}, {&a.Status, "status list"}, {&a.Receipts, "Face Check receipts"}, {&a.Metadata, "metadata"}} {
		if *leaf.to, err = a.newSigner(key, name+" "+leaf.name, baseURL); err != nil {
			return nil, fmt.Errorf("certifying the key for the %s: %w", leaf.name, err)
		}
	}
	a.Licences, err = mdoc.NewAuthority(mdoc.Config{
		Name: name, Country: country, Sign: vehicleSign, URL: baseURL, CRLURL: baseURL + RevocationPath,
	}, now)
	return a, err
}

// newSigner certifies a fresh key. The issuer's URL and host are alternative names, so that a verifier that
// compares iss with the certificate finds them.
func (a *Authority) newSigner(parent *ecdsa.PrivateKey, name, baseURL string) (*Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	address, err := url.Parse(baseURL)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: name, Organization: a.Anchor.Subject.Organization},
		NotBefore: a.Anchor.NotBefore, NotAfter: a.Anchor.NotAfter, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, URIs: []*url.URL{address},
	}
	if ip := net.ParseIP(address.Hostname()); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{address.Hostname()}
	}
	certificate, err := certify(template, a.Anchor, &key.PublicKey, parent)
	return &Signer{Certificate: certificate, key: key}, err
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

// Public is the key that verifies what the Signer signs.
func (s *Signer) Public() *ecdsa.PublicKey { return &s.key.PublicKey }

// Sign makes a compact JWS over the claims with the media type in typ and the leaf in x5c.
func (s *Signer) Sign(mediaType string, claims any) (string, error) {
	return jose.Sign(s.key, map[string]any{"typ": mediaType, "x5c": [][]byte{s.Certificate.Raw}}, claims)
}

// SignBare is Sign with the bare key in jwk, for who would not know the certificate's anchor.
func (s *Signer) SignBare(mediaType string, claims any) (string, error) {
	return jose.Sign(s.key, map[string]any{"typ": mediaType, "jwk": jose.JWK{Key: s.key.Public()}}, claims)
}
