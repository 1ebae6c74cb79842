package target

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"time"

	"regain/conformance/jose"
)

// certified is a key with a certificate.
type certified struct {
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
}

// certificate is a client's, certified by itself.
func (c *configuration) certificate(name string) certified {
	return c.certify(nil, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

// authority is one that certifies itself, and others.
func (c *configuration) authority(name string) certified {
	return c.certify(nil, &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
}

// signer is somebody who signs under an authority; hosts are names of theirs.
func (c *configuration) signer(authority certified, name string, hosts ...string) certified {
	return c.certify(&authority, &x509.Certificate{Subject: pkix.Name{CommonName: name}, DNSNames: hosts, KeyUsage: x509.KeyUsageDigitalSignature})
}

// certify makes a key, and a certificate of an authority for it; without one it certifies itself.
func (c *configuration) certify(authority *certified, t *x509.Certificate) certified {
	key := c.key()
	now := time.Now()
	t.SerialNumber, t.NotBefore, t.NotAfter = big.NewInt(now.UnixNano()), now.Add(-time.Hour), now.Add(30*24*time.Hour)
	parent := certified{key: key, certificate: t}
	if authority != nil {
		parent = *authority
	}
	der, err := x509.CreateCertificate(rand.Reader, t, parent.certificate, key.Public(), parent.key)
	c.note(err)
	certificate, err := x509.ParseCertificate(der)
	c.note(err)
	return certified{key: key, certificate: certificate}
}

// values are the certificate and its key as the suite reads them.
func (s certified) values() map[string]any {
	der, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		return nil
	}
	return map[string]any{
		"cert": string(encodeCertificate(s.certificate)),
		"key":  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	}
}

// private is the key with its certificate, as the program that signs with it reads it.
func (s certified) private(id string) jose.JWK {
	return jose.JWK{Key: s.key, KeyID: id, Use: "sig", Algorithm: jose.ES256, Certificate: s.certificate}
}

// key is a fresh one on P-256.
func (c *configuration) key() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	c.note(err)
	return key
}

func encodeCertificate(certificate *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
}
