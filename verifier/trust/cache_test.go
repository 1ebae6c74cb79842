package trust_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"regain/internal/publickey"
	"regain/verifier/trust"
	"regain/verifier/verifiertest"
)

// refused fails the test unless err is an ErrUntrusted for this cause.
func refused(t *testing.T, what string, err error, why string) {
	t.Helper()
	if !errors.Is(err, trust.ErrUntrusted) || !strings.Contains(err.Error(), why) {
		t.Errorf("%s: got %v, want %q", what, err, why)
	}
}

// TestCheckOutlivesNoAuthority holds that a cached chain ends with the first of its certificates, whichever that is, and
// begins with the last: a CA whose certificate has expired issues nothing that counts.
func TestCheckOutlivesNoAuthority(t *testing.T) {
	now := verifiertest.NewClock().Now()
	short := func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-time.Hour), now.Add(time.Hour) }
	long := verifiertest.NewAuthority(t, "Anchor", now)
	cross := func(a *verifiertest.Authority) []*x509.Certificate { return []*x509.Certificate{a.Certificate} }
	middle, brief := long.Intermediate(t, "Middle"), long.Intermediate(t, "Brief", short)
	second := brief.Intermediate(t, "Second")
	for name, tt := range map[string]struct {
		anchors []*x509.Certificate
		chain   [][]byte
	}{
		"the leaf":                {cross(long), middle.Leaf(t, short, middle).Chain},
		"the leaf at the anchor":  {cross(long), long.Leaf(t, short).Chain},
		"the intermediate":        {cross(long), brief.Leaf(t, nil, brief).Chain},
		"the upper of two":        {cross(long), second.Leaf(t, nil, second, brief).Chain},
		"the anchor":              {cross(brief), brief.Leaf(t, nil).Chain},
		"the anchor, with middle": {cross(brief), second.Leaf(t, nil, second).Chain},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRules(t, trust.Rule{Types: []string{kind}, Anchors: tt.anchors})
			for _, step := range []struct {
				at time.Duration
				ok bool
			}{{0, true}, {time.Hour, true}, {time.Hour + time.Second, false}, {-time.Hour, true}, {-time.Hour - time.Second, false}, {0, true}} {
				err := r.Check(tt.chain, kind, issuer, now.Add(step.at))
				if step.ok && err != nil {
					t.Errorf("after %v: %v", step.at, err)
				}
				if !step.ok {
					refused(t, step.at.String(), err, "a certificate of the chain has expired, or is not valid yet")
				}
			}
		})
	}
}

// TestCheckKnowsAChainByAllOfIt presents, after a chain that is trusted and cached, others that are like it.
func TestCheckKnowsAChainByAllOfIt(t *testing.T) {
	now := verifiertest.NewClock().Now()
	anchor := verifiertest.NewAuthority(t, "Anchor", now)
	middle := anchor.Intermediate(t, "Middle")
	good := middle.Leaf(t, nil, middle).Chain
	r := newRules(t,
		trust.Rule{Types: []string{kind}, Anchors: []*x509.Certificate{anchor.Certificate}},
		trust.Rule{Types: []string{docType}, Anchors: []*x509.Certificate{verifiertest.NewAuthority(t, "Other", now).Certificate}},
	)
	if err := r.Check(good, kind, issuer, now); err != nil {
		t.Fatal(err)
	}
	forged := bytes.Clone(good[0])
	forged[len(forged)-1] ^= 1 // of its signature: all lengths stay
	last := len(good[0]) - 1
	for name, tt := range map[string]struct {
		chain [][]byte
		why   string
	}{
		"a forged leaf of the same length": {[][]byte{forged, good[1]}, "the chain does not lead to a configured anchor"},
		"the same bytes, cut elsewhere":    {[][]byte{good[0][:last], append(bytes.Clone(good[0][last:]), good[1]...)}, "a certificate cannot be read"},
		"the leaf alone":                   {good[:1], "the chain does not lead to a configured anchor"},
		"in the other order":               {[][]byte{good[1], good[0]}, "is a CA or self-signed"},
	} {
		refused(t, name, r.Check(tt.chain, kind, issuer, now), tt.why)
	}
	refused(t, "for a type of another rule", r.Check(good, docType, issuer, now), "the chain does not lead to a configured anchor")
}

// TestLeafOfACachedChain holds that the cache gives the key that the certificate has, and none that signs nothing here.
func TestLeafOfACachedChain(t *testing.T) {
	now := verifiertest.NewClock().Now()
	anchor := verifiertest.NewAuthority(t, "Anchor", now)
	p384, modulus := otherKeys(t)
	party := anchor.Leaf(t, nil)
	r := newRules(t, trust.Rule{Types: []string{kind}, Anchors: []*x509.Certificate{anchor.Certificate}})
	for range 2 { // the second time from the cache
		if key, err := r.Leaf(party.Chain, kind); err != nil || !key.Equal(party.Key.Public()) {
			t.Errorf("P-256: %v, %v", key, err)
		}
		if _, err := r.Leaf(nil, kind); !errors.Is(err, trust.ErrMalformed) || !strings.Contains(err.Error(), "there is no certificate") {
			t.Errorf("none: %v", err)
		}
		for name, chain := range map[string][][]byte{"P-384": anchor.Certify(t, p384, nil), "RSA": anchor.Certify(t, modulus, nil)} {
			for range 2 {
				if key, err := r.Leaf(chain, kind); !errors.Is(err, trust.ErrMalformed) || !strings.Contains(err.Error(), "the leaf's key is not on P-256") {
					t.Errorf("%s: %v, %v", name, key, err)
				}
				if err := r.Check(chain, kind, issuer, now); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		if err := r.Check(party.Chain, kind, issuer, now); err != nil {
			t.Error(err)
		}
	}
}

// TestCheckRefusesOddChains holds the causes that no other test names.
func TestCheckRefusesOddChains(t *testing.T) {
	now := verifiertest.NewClock().Now()
	anchor := verifiertest.NewAuthority(t, "Anchor", now)
	r := newRules(t, trust.Rule{Types: []string{kind}, Anchors: []*x509.Certificate{anchor.Certificate}})
	// No CA, but its issuer is its subject: HAIP 1.0 §6.1.1 knows no leaf that certifies itself.
	own := anchor.Leaf(t, func(c *x509.Certificate) { c.Subject = anchor.Certificate.Subject }).Chain
	refused(t, "the anchor's name", r.Check(own, kind, issuer, now), "the leaf is a CA or self-signed")
	critical := anchor.Leaf(t, func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, unknownCritical())
	}).Chain
	refused(t, "an extension that nobody knows", r.Check(critical, kind, issuer, now), "the chain does not verify")
	deep := append(anchor.Leaf(t, nil).Chain, make([][]byte, publickey.MaxChain)...)
	err := r.Check(deep, kind, issuer, now)
	refused(t, "too many", err, "a chain of 5 certificates")
	if !errors.Is(err, publickey.ErrBounds) {
		t.Errorf("too many: %v is no ErrBounds", err)
	}
	// Without its rule, the chain would be held against the roots of the system.
	refused(t, "a type without a rule", r.Check(anchor.Leaf(t, nil).Chain, "urn:test:none", issuer, now), "no rule for the type")
}

// TestDIDs holds that a DID is trusted for the types of its own rule, letter by letter.
func TestDIDs(t *testing.T) {
	const did = "did:web:issuer.example"
	r := newRules(t,
		trust.Rule{Types: []string{kind}, DIDs: []string{"did:web:first.example", did}, LinkedDomain: true},
		trust.Rule{Types: []string{docType}, DIDs: []string{"did:web:other.example", ""}},
	)
	if err := r.CheckDID(did, kind); err != nil || !r.KnowsDID(did, kind) {
		t.Errorf("in order: %v", err)
	}
	for name, tt := range map[string][2]string{
		"another type": {did, docType}, "a type without a rule": {did, "urn:test:none"}, "none": {"", kind}, "none where the rule has none": {"", docType},
		"a path below": {did + ":a", kind}, "upper case": {strings.ToUpper(did), kind}, "another's": {"did:web:other.example", kind},
	} {
		if r.KnowsDID(tt[0], tt[1]) {
			t.Errorf("%s: known", name)
		}
		refused(t, name, r.CheckDID(tt[0], tt[1]), "its DID is in no rule for "+tt[1])
	}
	if !r.LinkedDomain(kind) || r.LinkedDomain(docType) || r.LinkedDomain("urn:test:none") {
		t.Error("LinkedDomain is mixed up")
	}
}
