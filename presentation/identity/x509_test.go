package identity_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"regain/presentation/identity"
)

func TestX509Identities(t *testing.T) {
	c := newChain(t, nil)
	hash := sha256.Sum256(c.leaf.Raw)
	byHash, err := identity.X509Hash(hsm{c.key}, []*x509.Certificate{c.leaf}, noon)
	must(t, byHash, err)
	byName, err := identity.X509SANDNS("recover.example.org", c.key, []*x509.Certificate{c.leaf}, noon)
	must(t, byName, err)
	for _, row := range []struct {
		who              *identity.Identity
		prefix           identity.Prefix
		clientID, answer string
	}{
		{byHash, identity.X509HashOf, "x509_hash:" + base64.RawURLEncoding.EncodeToString(hash[:]), "https://anywhere.example/r"},
		{byName, identity.X509SANDNSOf, "x509_san_dns:recover.example.org", "https://recover.example.org/r"},
	} {
		header := signed(t, row.who, c.leaf.PublicKey)
		x5c, _ := header["x5c"].([]any)
		if len(x5c) != 1 || len(header) != 3 || header["typ"] != "oauth-authz-req+jwt" || header["alg"] != "ES256" {
			t.Fatalf("%s: header %v", row.prefix, header)
		}
		if der, err := base64.StdEncoding.DecodeString(x5c[0].(string)); err != nil || !bytes.Equal(der, c.leaf.Raw) {
			t.Errorf("%s: x5c is not the leaf: %v", row.prefix, err)
		}
		if row.who.Prefix() != row.prefix || row.who.ClientID(row.answer) != row.clientID || !row.who.Signs() {
			t.Errorf("%s: %s", row.who.Prefix(), row.who.ClientID(row.answer))
		}
		if err := row.who.CheckResponseURI(row.answer); err != nil {
			t.Error(err)
		}
	}
	// x509_san_dns binds answers to the host (OpenID4VP 1.0 §5.9.3), whatever the port.
	for uri, ok := range map[string]bool{
		"https://recover.example.org:8443/r": true, "https://other.example.org/r": false, "https://recover.example.org.evil.example/r": false,
		"https://evil.example/recover.example.org": false, "https://recover.example.org@evil.example/": false, ":": false, "": false,
	} {
		if err := byName.CheckResponseURI(uri); (err == nil) != ok {
			t.Errorf("%s: %v", uri, err)
		}
	}
}

func TestSignersThatAWalletWouldRefuse(t *testing.T) {
	good, other := newChain(t, nil), newChain(t, nil)
	ca := newChain(t, func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign })
	old := newChain(t, func(c *x509.Certificate) { c.NotAfter = noon.Add(-time.Minute) })
	early := newChain(t, func(c *x509.Certificate) { c.NotBefore = noon.Add(time.Minute) })
	usage := newChain(t, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement })
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(t, p384, err)
	for name, row := range map[string]struct {
		key   crypto.Signer
		certs []*x509.Certificate
		says  string
	}{
		"no certificate":     {good.key, nil, "0 certificates"},
		"the anchor too":     {good.key, []*x509.Certificate{good.leaf, good.ca}, "certificate 1 is self-issued"},
		"the anchor alone":   {good.key, []*x509.Certificate{good.ca}, "certificate 0 is self-issued"},
		"another key":        {other.key, []*x509.Certificate{good.leaf}, "not the one given"},
		"no key":             {nil, []*x509.Certificate{good.leaf}, "no key"},
		"another curve":      {p384, []*x509.Certificate{good.leaf}, "P-256"},
		"a CA":               {ca.key, []*x509.Certificate{ca.leaf}, "is a CA"},
		"expired":            {old.key, []*x509.Certificate{old.leaf}, "valid from"},
		"not yet valid":      {early.key, []*x509.Certificate{early.leaf}, "valid from"},
		"not for signatures": {usage.key, []*x509.Certificate{usage.leaf}, "digitalSignature"},
		"two leaves":         {good.key, []*x509.Certificate{good.leaf, other.leaf}, "did not issue"},
		"a hole":             {good.key, []*x509.Certificate{nil}, "missing"},
		"too many":           {good.key, slices.Repeat([]*x509.Certificate{good.leaf}, 5), "5 certificates"},
	} {
		for _, make := range []func() (*identity.Identity, error){
			func() (*identity.Identity, error) { return identity.X509Hash(row.key, row.certs, noon) },
			func() (*identity.Identity, error) {
				return identity.X509SANDNS("recover.example.org", row.key, row.certs, noon)
			},
		} {
			if made, err := make(); err == nil || made != nil || !strings.Contains(err.Error(), "request_signing: ") || !strings.Contains(err.Error(), row.says) {
				t.Errorf("%s: %v, want %q", name, err, row.says)
			}
		}
	}
	// The certificate has some of these names, and still no wallet could match them with a host.
	const none, lacks = "it is no DNS name in small letters", "lacks the DNS name"
	for name, why := range map[string]string{
		"other.example.org": lacks, "anything.example.org": lacks, "capital.example.org": lacks, strings.Repeat("a", 63) + ".org": lacks, "az-09.org": lacks,
		strings.Repeat("a.", 126) + "a": lacks, strings.Repeat("a.", 126) + "ab": none,
		"": none, "*.example.org": none, "Capital.example.org": none, "recover.example.org.": none, "RECOVER.example.org": none, "recover.example.org:443": none,
		"https://recover.example.org": none, "-recover.example.org": none, "recover-.example.org": none, "recover..example.org": none, strings.Repeat("a", 64) + ".org": none,
		"recover.exämple.org": none, "`.org": none, "{.org": none, "a/b.org": none, "a;b.org": none, "a_b.org": none, "aZb.org": none,
	} {
		if made, err := identity.X509SANDNS(name, good.key, []*x509.Certificate{good.leaf}, noon); err == nil || made != nil || !strings.HasPrefix(err.Error(), "client_id ") || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: got %v, want %q", name, err, why)
		}
	}
}

// TestALeafWithoutKeyUsage holds that a certificate which says nothing of its use may be used (RFC 5280 §4.2.1.3), and
// that a chain may be as long as it may be.
func TestALeafWithoutKeyUsage(t *testing.T) {
	bare := newChain(t, func(c *x509.Certificate) { c.KeyUsage = 0 })
	if _, err := identity.X509Hash(bare.key, []*x509.Certificate{bare.leaf}, noon); err != nil {
		t.Error(err)
	}
	anchor := newChain(t, func(c *x509.Certificate) {
		c.Subject.CommonName, c.IsCA, c.KeyUsage = "CA 0", true, x509.KeyUsageCertSign
	})
	above, key := anchor.leaf, anchor.key
	list := []*x509.Certificate{above}
	for _, name := range []string{"CA 1", "CA 2", "leaf"} {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: name}, NotBefore: noon.Add(-time.Hour), NotAfter: noon.Add(time.Hour),
			IsCA: name != "leaf", BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		}
		if name == "leaf" {
			template.KeyUsage, template.NotBefore, template.NotAfter = x509.KeyUsageDigitalSignature, noon.Add(-time.Minute), noon.Add(time.Minute)
		}
		own := newKey(t)
		above = issue(t, template, above, own.Public(), key)
		key, list = own, append([]*x509.Certificate{above}, list...)
	}
	who, err := identity.X509Hash(key, list, noon)
	if must(t, who, err); !who.NotAfter().Equal(noon.Add(time.Minute)) || who.Usable(noon.Add(-time.Minute)) != nil || who.Usable(noon.Add(-time.Minute-1)) == nil {
		t.Errorf("it ends at %s, and not with the leaf", who.NotAfter())
	}
}

// An identity lives as long as the shortest-lived certificate of its chain.
func TestUsable(t *testing.T) {
	anchor, between := newChain(t, nil), newKey(t)
	middle := newChain(t, func(c *x509.Certificate) {
		c.Subject.CommonName, c.IsCA, c.KeyUsage = "Intermediate", true, x509.KeyUsageCertSign
		c.NotBefore, c.NotAfter = noon.Add(-time.Minute), noon.Add(time.Minute)
	})
	leaf := issue(t, anchor.leaf, middle.leaf, between.Public(), middle.key)
	who, err := identity.X509Hash(between, []*x509.Certificate{leaf, middle.leaf}, noon)
	must(t, who, err)
	if !who.NotAfter().Equal(noon.Add(time.Minute)) {
		t.Errorf("it ends at %s", who.NotAfter())
	}
	for after, ok := range map[time.Duration]bool{-2 * time.Minute: false, -time.Minute: true, time.Minute: true, time.Minute + 1: false} {
		if err := who.Usable(noon.Add(after)); (err == nil) != ok {
			t.Errorf("%s later: %v", after, err)
		}
	}
	if header := signed(t, who, between.Public()); len(header["x5c"].([]any)) != 2 {
		t.Error("the intermediate is missing in x5c")
	}
}
