package trust_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"regain/verifier/trust"
	"regain/verifier/verifiertest"
)

const (
	kind   = "urn:test:identity"
	issuer = "https://issuer.example"
)

func newRules(t *testing.T, rules ...trust.Rule) *trust.Rules {
	t.Helper()
	r, err := trust.New(rules)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCheck(t *testing.T) {
	now := verifiertest.NewClock().Now()
	anchor, stranger := verifiertest.NewAuthority(t, "Anchor", now), verifiertest.NewAuthority(t, "Anchor", now)
	middle := anchor.Intermediate(t, "Middle")
	foreign := stranger.Intermediate(t, "Middle")
	narrow := anchor.Intermediate(t, "Narrow", func(c *x509.Certificate) { c.MaxPathLenZero = true })
	below := narrow.Intermediate(t, "Below")
	named := anchor.Intermediate(t, "Named", func(c *x509.Certificate) {
		c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"issuer.example"}
	})
	leaf := func(a *verifiertest.Authority, change func(*x509.Certificate), above ...*verifiertest.Authority) [][]byte {
		return a.Leaf(t, change, above...).Chain
	}
	good := leaf(anchor, nil)
	for name, tt := range map[string]struct {
		chain [][]byte
		want  error
		why   string // part of the error
	}{
		"directly under the anchor": {good, nil, ""},
		"under an intermediate":     {leaf(middle, nil, middle), nil, ""},
		"the name it may have":      {leaf(named, func(c *x509.Certificate) { c.DNSNames = []string{"issuer.example"} }, named), nil, ""},
		"a name it may not have":    {leaf(named, func(c *x509.Certificate) { c.DNSNames = []string{"other.example"} }, named), trust.ErrUntrusted, "name constraints forbid a name in the chain"},
		"intermediate missing":      {leaf(middle, nil), trust.ErrUntrusted, "the chain does not lead to a configured anchor"},
		"another's intermediate":    {leaf(middle, nil, foreign), trust.ErrUntrusted, "the chain does not lead to a configured anchor"},
		"another anchor":            {leaf(stranger, nil), trust.ErrUntrusted, "the chain does not lead to a configured anchor"},
		"the anchor brought along":  {leaf(anchor, nil, anchor), trust.ErrUntrusted, "the chain includes the trust anchor"},
		"a foreign anchor as well":  {leaf(stranger, nil, stranger), trust.ErrUntrusted, "the chain does not lead to a configured anchor"},
		"the anchor itself":         {[][]byte{anchor.Certificate.Raw}, trust.ErrUntrusted, "the chain includes the trust anchor"},
		"an authority as leaf":      {[][]byte{middle.Certificate.Raw}, trust.ErrUntrusted, "is a CA or self-signed"},
		"path too long":             {leaf(below, nil, below, narrow), trust.ErrUntrusted, "an issuing certificate is not a CA, or its path length constraint is exceeded"},
		"key usage for agreement":   {leaf(anchor, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement }), trust.ErrUntrusted, "the leaf may not sign"},
		"no key usage":              {leaf(anchor, func(c *x509.Certificate) { c.KeyUsage = 0 }), trust.ErrUntrusted, "the leaf may not sign"},
		"extended key usage":        {leaf(anchor, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }), nil, ""},
		"expired":                   {leaf(anchor, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) }), trust.ErrUntrusted, "a certificate of the chain has expired, or is not valid yet"},
		"not yet valid":             {leaf(anchor, func(c *x509.Certificate) { c.NotBefore = now.Add(time.Second) }), trust.ErrUntrusted, "a certificate of the chain has expired, or is not valid yet"},
		"no certificate":            {nil, trust.ErrUntrusted, "there is no certificate"},
		"garbage":                   {[][]byte{[]byte("x")}, trust.ErrUntrusted, "cannot be read"},
		"garbage above":             {append(good[:1:1], []byte("x")), trust.ErrUntrusted, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRules(t, trust.Rule{Types: []string{kind}, Anchors: []*x509.Certificate{anchor.Certificate}})
			for range 2 { // the second time from the cache
				if err := r.Check(tt.chain, kind, issuer, now); !errors.Is(err, tt.want) || err != nil && !strings.Contains(err.Error(), tt.why) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
			}
		})
	}
}

// TestCheckKeepsTypesApart is the reason for rules: an issuer of cinema tickets issues no identities.
func TestCheckKeepsTypesApart(t *testing.T) {
	now := verifiertest.NewClock().Now()
	a, b := verifiertest.NewAuthority(t, "A", now), verifiertest.NewAuthority(t, "B", now)
	r := newRules(t,
		trust.Rule{Types: []string{kind, "urn:test:second"}, Anchors: []*x509.Certificate{a.Certificate}, Issuers: []string{issuer}},
		trust.Rule{Types: []string{"urn:test:ticket"}, Anchors: []*x509.Certificate{b.Certificate}, StatusOptional: true},
	)
	chainA, chainB := a.Leaf(t, nil).Chain, b.Leaf(t, nil).Chain
	for _, tt := range []struct {
		chain     [][]byte
		kind, iss string
		why       string // "" where it is in order
	}{
		{chainA, kind, issuer, ""},
		{chainA, "urn:test:second", issuer, ""},
		{chainB, "urn:test:ticket", issuer, ""},
		{chainB, "urn:test:ticket", "", ""}, // without a list of issuers any will do
		{chainB, kind, issuer, "the chain does not lead to a configured anchor"},
		{chainA, "urn:test:ticket", issuer, "the chain does not lead to a configured anchor"},
		{chainA, kind, issuer + "/", "iss is not on the list"},
		{chainA, kind, "", "iss is not on the list"},
		{chainA, "urn:test:unknown", issuer, "no rule for the type"},
		{chainA, "", issuer, "no rule for the type"},
	} {
		if err := r.Check(tt.chain, tt.kind, tt.iss, now); tt.why != "" {
			refused(t, tt.kind+" by "+tt.iss, err, tt.why)
		} else if err != nil {
			t.Errorf("%s by %q: %v", tt.kind, tt.iss, err)
		}
	}
	if r.StatusOptional(kind) || !r.StatusOptional("urn:test:ticket") || r.StatusOptional("urn:test:unknown") {
		t.Error("StatusOptional is mixed up")
	}
}

func TestCheckLooksAtTheClockEachTime(t *testing.T) {
	now := verifiertest.NewClock().Now()
	anchor := verifiertest.NewAuthority(t, "Anchor", now)
	r := newRules(t, trust.Rule{Types: []string{kind}, Anchors: []*x509.Certificate{anchor.Certificate}})
	chain := anchor.Leaf(t, func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-time.Hour), now.Add(time.Hour) }).Chain
	for _, tt := range []struct {
		at   time.Duration
		want error
	}{{0, nil}, {2 * time.Hour, trust.ErrUntrusted}, {-2 * time.Hour, trust.ErrUntrusted}, {0, nil}} {
		if err := r.Check(chain, kind, issuer, now.Add(tt.at)); !errors.Is(err, tt.want) {
			t.Errorf("after %v: got %v, want %v", tt.at, err, tt.want)
		}
	}
}

// otherKeys are keys that no credential is signed with.
func otherKeys(t *testing.T) (p384, modulus crypto.PublicKey) {
	t.Helper()
	curve, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	primes, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return curve.Public(), primes.Public()
}

func TestLeaf(t *testing.T) {
	now := verifiertest.NewClock().Now()
	anchor := verifiertest.NewAuthority(t, "Anchor", now)
	party := anchor.Leaf(t, nil)
	if key, err := trust.Leaf(party.Chain); err != nil || !key.Equal(party.Key.Public()) {
		t.Errorf("got %v", err)
	}
	p384, modulus := otherKeys(t)
	for name, row := range map[string]struct {
		chain [][]byte
		why   string
	}{
		"none":    {nil, "there is no certificate"},
		"garbage": {[][]byte{[]byte("x")}, "leaf: a certificate cannot be read"},
		"P-384":   {anchor.Certify(t, p384, nil), "the leaf's key is not on P-256"},
		"RSA":     {anchor.Certify(t, modulus, nil), "the leaf's key is not on P-256"},
	} {
		if _, err := trust.Leaf(row.chain); !errors.Is(err, trust.ErrMalformed) || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	now := verifiertest.NewClock().Now()
	anchor := verifiertest.NewAuthority(t, "Anchor", now)
	leaf, err := x509.ParseCertificate(anchor.Leaf(t, nil).Chain[0])
	if err != nil {
		t.Fatal(err)
	}
	anchors := []*x509.Certificate{anchor.Certificate}
	for name, row := range map[string]struct {
		rules []trust.Rule
		why   string
	}{
		"no types":      {[]trust.Rule{{Anchors: anchors}}, "types, and anchors, signers or dids, are required"},
		"no anchors":    {[]trust.Rule{{Types: []string{kind}}}, "types, and anchors, signers or dids, are required"},
		"nil anchor":    {[]trust.Rule{{Types: []string{kind}, Anchors: []*x509.Certificate{nil}}}, "an anchor is not a CA certificate"},
		"anchor a leaf": {[]trust.Rule{{Types: []string{kind}, Anchors: []*x509.Certificate{leaf}}}, "an anchor is not a CA certificate"},
		"empty type":    {[]trust.Rule{{Types: []string{""}, Anchors: anchors}}, "is empty or has a rule already"},
		"type twice":    {[]trust.Rule{{Types: []string{kind}, Anchors: anchors}, {Types: []string{kind}, Anchors: anchors}}, "is empty or has a rule already"},
	} {
		if _, err := trust.New(row.rules); err == nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
