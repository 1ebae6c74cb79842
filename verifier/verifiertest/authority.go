package verifiertest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"
)

// Authority is a certification authority (CA).
type Authority struct {
	Certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	now         time.Time
}

// Party is a signer with a certified key. Chain is the content of x5c: DER, leaf first.
type Party struct {
	Key   *ecdsa.PrivateKey
	Chain [][]byte
}

// NewAuthority makes a self-signed CA that is valid for ten years around now.
func NewAuthority(t testing.TB, name string, now time.Time) *Authority {
	t.Helper()
	a := &Authority{key: NewKey(t), now: now}
	template := a.template(name)
	template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	a.Certificate = certify(t, template, template, a.key.Public(), a.key)
	return a
}

// Intermediate makes a CA certified by a. change breaks the certificate before it is signed.
func (a *Authority) Intermediate(t testing.TB, name string, change ...func(*x509.Certificate)) *Authority {
	t.Helper()
	below := &Authority{key: NewKey(t), now: a.now}
	template := a.template(name)
	template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign
	for _, f := range change {
		f(template)
	}
	below.Certificate = certify(t, template, a.Certificate, below.key.Public(), a.key)
	return below
}

// Leaf certifies a new P-256 key for signing. change breaks the certificate before it is signed; above are the CAs
// whose certificates follow the leaf in x5c.
func (a *Authority) Leaf(t testing.TB, change func(*x509.Certificate), above ...*Authority) Party {
	t.Helper()
	key := NewKey(t)
	return Party{Key: key, Chain: a.Certify(t, key.Public(), change, above...)}
}

// Certify certifies a public key and returns its x5c chain.
func (a *Authority) Certify(t testing.TB, key crypto.PublicKey, change func(*x509.Certificate), above ...*Authority) [][]byte {
	t.Helper()
	template := a.template("Issuer of tests")
	template.KeyUsage = x509.KeyUsageDigitalSignature
	if change != nil {
		change(template)
	}
	chain := [][]byte{certify(t, template, a.Certificate, key, a.key).Raw}
	for _, authority := range above {
		chain = append(chain, authority.Certificate.Raw)
	}
	return chain
}

func (a *Authority) template(name string) *x509.Certificate {
	const years = 5 * 365 * 24 * time.Hour
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, BasicConstraintsValid: true,
		NotBefore: a.now.Add(-years), NotAfter: a.now.Add(years),
	}
}

func certify(t testing.TB, template, parent *x509.Certificate, public crypto.PublicKey, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = serial
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// NewKey makes a P-256 key.
func NewKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
