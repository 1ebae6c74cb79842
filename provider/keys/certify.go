package keys

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// certificateLife is the lifetime of the certificates that Certify issues. Verifiers that require x5c take the key
// from it; the expiry makes an operator review the key.
const certificateLife = 2 * 365 * 24 * time.Hour

// Certify returns the ring with a self-signed certificate for every key that has none. name becomes the common name,
// such as the server's host name.
func Certify(list []Key, name string, now time.Time) ([]Key, error) {
	if name == "" {
		return nil, errors.New("certify: a name is required, such as the server's host name")
	}
	certified := slices.Clone(list)
	for i := range certified {
		if len(certified[i].Certificates) > 0 {
			continue
		}
		if err := certified[i].prepare(); err != nil {
			return nil, err
		}
		certificate, err := selfSigned(certified[i], name, now)
		if err != nil {
			return nil, err
		}
		certified[i].Certificates = []*x509.Certificate{certificate}
	}
	return certified, nil
}

func selfSigned(k Key, name string, now time.Time) (*x509.Certificate, error) {
	const serialBits = 120
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), serialBits))
	if err != nil {
		return nil, fmt.Errorf("certify: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLife),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Private.Public(), k.Private)
	if err != nil {
		return nil, fmt.Errorf("certify key %s: %w", k.public.KeyID, err)
	}
	return x509.ParseCertificate(der)
}

// certifiedAs returns the common name of the ring's certificates if every key has one, otherwise "".
func certifiedAs(list []Key) string {
	name := ""
	for _, k := range list {
		if len(k.Certificates) == 0 {
			return ""
		}
		name = k.Certificates[0].Subject.CommonName
	}
	return name
}
