package trust_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"strings"
	"testing"
	"time"

	"regain/verifier/trust"
	"regain/verifier/verifiertest"
)

const docType = "org.iso.18013.5.1.mDL"

func parse(t *testing.T, der []byte) *x509.Certificate {
	t.Helper()
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}

// TestPinned holds that a pinned signer is trusted for what it is, and nobody else for being like it.
func TestPinned(t *testing.T) {
	now := verifiertest.NewClock().Now()
	anchor, authority := verifiertest.NewAuthority(t, "Anchor", now), verifiertest.NewAuthority(t, "Signer", now)
	own := [][]byte{authority.Certificate.Raw} // self-signed, an authority's, and it may not sign: as a conformance suite has it
	again := verifiertest.NewAuthority(t, "Signer", now)
	bare := anchor.Leaf(t, func(c *x509.Certificate) { c.KeyUsage = 0 }).Chain
	renewed := anchor.Certify(t, parse(t, bare[0]).PublicKey, nil)
	old := anchor.Leaf(t, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) }).Chain
	early := anchor.Leaf(t, func(c *x509.Certificate) { c.NotBefore = now.Add(time.Second) }).Chain
	pins := []*x509.Certificate{authority.Certificate, parse(t, bare[0]), parse(t, old[0]), parse(t, early[0])}
	for name, tt := range map[string]struct {
		chain [][]byte
		want  error
		why   string // part of the error
	}{
		"an authority's own":        {own, nil, ""},
		"one that says nothing":     {bare, nil, ""},
		"with what it is under":     {[][]byte{bare[0], anchor.Certificate.Raw}, nil, ""},
		"with garbage behind":       {[][]byte{bare[0], []byte("x")}, nil, ""},
		"expired":                   {old, trust.ErrUntrusted, "the pinned signer has expired, or is not valid yet"},
		"not yet valid":             {early, trust.ErrUntrusted, "the pinned signer has expired, or is not valid yet"},
		"the same name":             {[][]byte{again.Certificate.Raw}, trust.ErrUntrusted, "is a CA or self-signed"},
		"the same key":              {renewed, trust.ErrUntrusted, "the chain does not lead to a configured anchor"},
		"certified by it":           {authority.Leaf(t, nil).Chain, trust.ErrUntrusted, "the chain does not lead to a configured anchor"},
		"certified by it, and it":   {authority.Leaf(t, nil, authority).Chain, trust.ErrUntrusted, "the chain does not lead to a configured anchor"},
		"behind another":            {[][]byte{again.Certificate.Raw, own[0]}, trust.ErrUntrusted, "is a CA or self-signed"},
		"under nothing that counts": {anchor.Leaf(t, nil).Chain, trust.ErrUntrusted, "the chain does not lead to a configured anchor"},
		"no certificate":            {nil, trust.ErrUntrusted, "there is no certificate"},
		"garbage":                   {[][]byte{[]byte("x")}, trust.ErrUntrusted, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRules(t, trust.Rule{Types: []string{docType}, Signers: pins}, trust.Rule{Types: []string{kind}, Anchors: []*x509.Certificate{again.Certificate}})
			for range 2 {
				if err := r.Check(tt.chain, docType, "", now); !errors.Is(err, tt.want) || err != nil && !strings.Contains(err.Error(), tt.why) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
				if err := r.CheckDocument(tt.chain, docType, now, now); !errors.Is(err, tt.want) || err != nil && !strings.Contains(err.Error(), tt.why) {
					t.Errorf("as a document: got %v, want %v", err, tt.want)
				}
				if err := r.Check(tt.chain, kind, "", now); !errors.Is(err, trust.ErrUntrusted) {
					t.Errorf("for another type: got %v", err)
				}
			}
		})
	}
}

// TestPinnedBesideAnchors holds that a rule with both trusts either way.
func TestPinnedBesideAnchors(t *testing.T) {
	now := verifiertest.NewClock().Now()
	anchor, signer := verifiertest.NewAuthority(t, "Anchor", now), verifiertest.NewAuthority(t, "Signer", now)
	both := trust.Rule{Types: []string{docType}, Issuers: []string{issuer}}
	both.Anchors, both.Signers = []*x509.Certificate{anchor.Certificate}, []*x509.Certificate{signer.Certificate, anchor.Certificate}
	r := newRules(t, both)
	under := anchor.Leaf(t, nil)
	for _, chain := range [][][]byte{under.Chain, {signer.Certificate.Raw}, {anchor.Certificate.Raw}} {
		if err := r.Check(chain, docType, issuer, now); err != nil {
			t.Error(err)
		}
		if err := r.Check(chain, docType, "https://other.example", now); !errors.Is(err, trust.ErrUntrusted) {
			t.Errorf("another issuer: %v", err)
		}
	}
	if key, err := r.Leaf([][]byte{signer.Certificate.Raw}, docType); err != nil || !key.Equal(signer.Certificate.PublicKey) {
		t.Errorf("key of a pinned signer: %v, %v", key, err)
	}
	if key, err := r.Leaf(under.Chain, docType); err != nil || !key.Equal(under.Key.Public()) {
		t.Errorf("key of a leaf: %v, %v", key, err)
	}
}

// TestCheckDocument breaks one thing of a document signer's chain (ISO 18013-5 Annex B.1.4, §9.3.1).
func TestCheckDocument(t *testing.T) {
	now := verifiertest.NewClock().Now()
	anchor := verifiertest.NewAuthority(t, "IACA", now)
	middle := anchor.Intermediate(t, "Middle")
	usage := func(oids ...asn1.ObjectIdentifier) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.UnknownExtKeyUsage = oids }
	}
	signer := func(change func(*x509.Certificate), above ...*verifiertest.Authority) [][]byte {
		under := anchor
		if len(above) > 0 {
			under = above[0]
		}
		return under.Leaf(t, func(c *x509.Certificate) {
			verifiertest.DocumentSigner(c)
			c.NotBefore, c.NotAfter = now.Add(-time.Hour), now.Add(time.Hour)
			if change != nil {
				change(c)
			}
		}, above...).Chain
	}
	good := signer(nil)
	for name, tt := range map[string]struct {
		chain  [][]byte
		signed time.Duration
		want   error
		why    string // part of the error
	}{
		"in order":              {good, 0, nil, ""},
		"under an intermediate": {signer(nil, middle), 0, nil, ""},
		"one usage of two": {signer(func(c *x509.Certificate) {
			c.UnknownExtKeyUsage = append(c.UnknownExtKeyUsage, asn1.ObjectIdentifier{1, 0, 18013, 5, 1, 6})
		}), 0, nil, ""},
		"signed at first":    {good, -time.Hour, nil, ""},
		"signed before that": {good, -time.Hour - time.Second, trust.ErrUntrusted, "signed when its certificate was not valid"},
		"signed at last":     {good, time.Hour, nil, ""},
		"signed after that":  {good, time.Hour + time.Second, trust.ErrUntrusted, "signed when its certificate was not valid"},
		"no usage":           {signer(usage()), 0, trust.ErrUntrusted, "the leaf is not a document signer certificate"},
		"a reader's":         {signer(usage(asn1.ObjectIdentifier{1, 0, 18013, 5, 1, 6})), 0, trust.ErrUntrusted, "the leaf is not a document signer certificate"},
		"another arc":        {signer(usage(asn1.ObjectIdentifier{1, 0, 18013, 5, 1, 2, 1})), 0, trust.ErrUntrusted, "the leaf is not a document signer certificate"},
		"any usage": {signer(func(c *x509.Certificate) {
			c.UnknownExtKeyUsage = nil
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
		}), 0, trust.ErrUntrusted, "the leaf is not a document signer certificate"},
		"name constraints forbid a name in the chain": {signer(func(c *x509.Certificate) { c.IsCA = true }), 0, trust.ErrUntrusted, "is a CA or self-signed"},
		"may not sign":            {signer(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign }), 0, trust.ErrUntrusted, "the leaf may not sign"},
		"expired":                 {signer(func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) }), -time.Minute, trust.ErrUntrusted, "a certificate of the chain has expired, or is not valid yet"},
		"not yet valid":           {signer(func(c *x509.Certificate) { c.NotBefore = now.Add(time.Second) }), 0, trust.ErrUntrusted, "a certificate of the chain has expired, or is not valid yet"},
		"another authority's":     {verifiertest.NewAuthority(t, "IACA", now).Leaf(t, verifiertest.DocumentSigner).Chain, 0, trust.ErrUntrusted, "the chain does not lead to a configured anchor"},
		"the anchor brought":      {signer(nil, anchor), 0, trust.ErrUntrusted, "the chain includes the trust anchor"},
		"the anchor itself":       {[][]byte{anchor.Certificate.Raw}, 0, trust.ErrUntrusted, "the chain includes the trust anchor"},
		"no certificate":          {nil, 0, trust.ErrUntrusted, "there is no certificate"},
		"a signer of other types": {anchor.Leaf(t, nil).Chain, 0, trust.ErrUntrusted, "the leaf is not a document signer certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRules(t, trust.Rule{Types: []string{docType}, Anchors: []*x509.Certificate{anchor.Certificate}})
			for range 2 { // the second time from the cache
				if err := r.CheckDocument(tt.chain, docType, now.Add(tt.signed), now); !errors.Is(err, tt.want) || err != nil && !strings.Contains(err.Error(), tt.why) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
			}
		})
	}
	r := newRules(t, trust.Rule{Types: []string{docType}, Anchors: []*x509.Certificate{anchor.Certificate}, Issuers: []string{issuer}})
	refused(t, "a list of issuers", r.CheckDocument(good, docType, now, now), "iss is not on the list")
	refused(t, "another type", r.CheckDocument(good, kind, now, now), "no rule for the type")
}

// TestCheckDocumentDoesNotRememberTheType holds that what was once trusted for a list of statuses signs no documents.
func TestCheckDocumentDoesNotRememberTheType(t *testing.T) {
	now := verifiertest.NewClock().Now()
	anchor := verifiertest.NewAuthority(t, "IACA", now)
	r := newRules(t, trust.Rule{Types: []string{docType}, Anchors: []*x509.Certificate{anchor.Certificate}})
	lists := anchor.Leaf(t, nil).Chain
	if err := r.Check(lists, docType, "", now); err != nil {
		t.Error(err)
	}
	refused(t, "as a document", r.CheckDocument(lists, docType, now, now), "the leaf is not a document signer certificate")
}

// TestPinnedSignedWhenValid holds that the dates of a pinned signer hold for what it signed as well.
func TestPinnedSignedWhenValid(t *testing.T) {
	now := verifiertest.NewClock().Now()
	leaf := verifiertest.NewAuthority(t, "A", now).Leaf(t, func(c *x509.Certificate) { c.NotBefore = now.Add(-time.Hour) }).Chain
	r := newRules(t, trust.Rule{Types: []string{docType}, Signers: []*x509.Certificate{parse(t, leaf[0])}})
	refused(t, "before that", r.CheckDocument(leaf, docType, now.Add(-2*time.Hour), now), "signed when its certificate was not valid")
}

func TestNewRefusesSigners(t *testing.T) {
	now := verifiertest.NewClock().Now()
	anchor := verifiertest.NewAuthority(t, "Anchor", now)
	p384, modulus := otherKeys(t)
	for name, row := range map[string]struct {
		signer *x509.Certificate
		why    string
	}{
		"none":  {nil, "a signer is missing"},
		"P-384": {parse(t, anchor.Certify(t, p384, nil)[0]), "a signer's key is not on P-256"},
		"RSA":   {parse(t, anchor.Certify(t, modulus, nil)[0]), "a signer's key is not on P-256"},
	} {
		rule := trust.Rule{Types: []string{docType}, Anchors: []*x509.Certificate{anchor.Certificate}, Signers: []*x509.Certificate{row.signer}}
		if _, err := trust.New([]trust.Rule{rule}); err == nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// unknownCritical is an extension that forbids to go on for those who do not know it (RFC 5280 §4.2).
func unknownCritical() pkix.Extension {
	return pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Critical: true, Value: []byte{5, 0}}
}
