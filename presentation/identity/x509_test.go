package identity_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"slices"
	"testing"
	"time"

	"regain/presentation/identity"
)

func TestSignersThatAWalletWouldRefuse(t *testing.T) {
	good := newChain(t, nil)
	other := newChain(t, nil)
	ca := newChain(t, func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign })
	old := newChain(t, func(c *x509.Certificate) { c.NotAfter = noon.Add(-time.Minute) })
	usage := newChain(t, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement })
	for name, row := range map[string]struct {
		key   chain
		certs []*x509.Certificate
	}{
		"no certificate": {good, nil}, "the anchor too": {good, []*x509.Certificate{good.leaf, good.ca}}, "the anchor alone": {good, []*x509.Certificate{good.ca}},
		"another key": {other, []*x509.Certificate{good.leaf}}, "a CA": {ca, []*x509.Certificate{ca.leaf}}, "expired": {old, []*x509.Certificate{old.leaf}},
		"not for signatures": {usage, []*x509.Certificate{usage.leaf}}, "two leaves": {good, []*x509.Certificate{good.leaf, other.leaf}},
		"nil": {good, []*x509.Certificate{nil}}, "too many": {good, slices.Repeat([]*x509.Certificate{good.leaf}, 5)},
	} {
		if _, err := identity.X509Hash(row.key.key, row.certs, noon); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

type fatal interface {
	Helper()
	Fatal(args ...any)
}

func must[T any](t fatal, value T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// chain is a CA and a leaf under it; change edits the leaf's template.
type chain struct {
	ca, leaf *x509.Certificate
	key      *ecdsa.PrivateKey
}

func newChain(t fatal, change func(*x509.Certificate)) chain {
	t.Helper()
	above, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, above, err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, key, err)
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"}, NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	signing := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Verifier"}, NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	if change != nil {
		change(signing)
	}
	der, err := x509.CreateCertificate(rand.Reader, root, root, above.Public(), above)
	must(t, der, err)
	ca, err := x509.ParseCertificate(der)
	must(t, ca, err)
	der, err = x509.CreateCertificate(rand.Reader, signing, ca, key.Public(), above)
	must(t, der, err)
	leaf, err := x509.ParseCertificate(der)
	return chain{ca: ca, leaf: must(t, leaf, err), key: key}
}
