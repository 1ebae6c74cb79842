package mdoc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // what RFC 5280 §4.2.1.2 makes key identifiers of
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// The lives of the two certificates. A document signer's is at most 457 days (ISO/IEC 18013-5 Annex B.1.4).
const (
	rootLife   = 5 * 365 * 24 * time.Hour
	signerLife = 450 * 24 * time.Hour
	crlLife    = 24 * time.Hour
)

// Config says who issues the licences. All fields are required.
type Config struct {
	Name    string // of the issuing authority
	Country string // ISO 3166-1, two letters
	Sign    string // the distinguishing sign of the country on vehicles
	URL     string // where people reach the authority
	CRLURL  string // where RevocationList is served
}

// Authority is an issuing authority: its certification authority (IACA), and the document signer below, in a PKI that
// has nothing to do with any other. The profile of both certificates is ISO/IEC 18013-5 Annex B.1.
type Authority struct {
	// Root is the certificate to trust: the IACA root.
	Root *x509.Certificate

	config  Config
	rootKey *ecdsa.PrivateKey
	signer  *x509.Certificate
	key     *ecdsa.PrivateKey
}

// NewAuthority makes the keys and certificates.
func NewAuthority(config Config, now time.Time) (*Authority, error) {
	if config.Name == "" || len(config.Country) != 2 || config.Sign == "" || config.URL == "" || config.CRLURL == "" {
		return nil, errors.New("making an issuing authority: a part of its configuration is missing")
	}
	a := &Authority{config: config}
	if err := a.certifyRoot(now); err != nil {
		return nil, fmt.Errorf("certifying the IACA root: %w", err)
	}
	if err := a.certifySigner(now); err != nil {
		return nil, fmt.Errorf("certifying the document signer: %w", err)
	}
	return a, nil
}

func (a *Authority) certifyRoot(now time.Time) error {
	key, template, err := a.prepare("IACA", now, rootLife)
	if err != nil {
		return err
	}
	template.IsCA, template.BasicConstraintsValid, template.MaxPathLenZero = true, true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	a.rootKey = key
	a.Root, err = a.certify(template, template, key)
	return err
}

func (a *Authority) certifySigner(now time.Time) error {
	key, template, err := a.prepare("Document Signer", now, signerLife)
	if err != nil {
		return err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 0, 18013, 5, 1, 2}})
	if err != nil {
		return err
	}
	// By hand, since it has to be critical: this key signs licences, and nothing else.
	template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage})
	template.CRLDistributionPoints = []string{a.config.CRLURL}
	a.key = key
	a.signer, err = a.certify(template, a.Root, key)
	return err
}

// prepare makes a key and what both certificates have in common.
func (a *Authority) prepare(role string, now time.Time, life time.Duration) (*ecdsa.PrivateKey, *x509.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, nil, err
	}
	identifier := sha1.Sum(point) //nolint:gosec // see above
	where, err := asn1.Marshal([]asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte(a.config.URL)}})
	if err != nil {
		return nil, nil, err
	}
	return key, &x509.Certificate{
		Subject:   pkix.Name{Country: []string{a.config.Country}, CommonName: a.config.Name + " " + role},
		NotBefore: now.Add(-time.Hour).Truncate(time.Hour), NotAfter: now.Add(life), SubjectKeyId: identifier[:],
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 18}, Value: where}}, // issuerAltName
	}, nil
}

func (a *Authority) certify(template, parent *x509.Certificate, key *ecdsa.PrivateKey) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial.Add(serial, big.NewInt(1))
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, a.rootKey)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// RevocationList is the CRL that document signers point at. It is empty: this authority never lost a key.
func (a *Authority) RevocationList(now time.Time) ([]byte, error) {
	list := &x509.RevocationList{Number: big.NewInt(now.Unix()), ThisUpdate: now, NextUpdate: now.Add(crlLife)}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.Root, a.rootKey)
	if err != nil {
		return nil, fmt.Errorf("signing the revocation list: %w", err)
	}
	return der, nil
}
