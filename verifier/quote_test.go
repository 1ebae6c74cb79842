package verifier_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"net/url"
	"strings"
	"testing"

	"regain/verifier"
	"regain/verifier/verifiertest"
)

// mark is what a stranger would like to have written into the log and the audit log.
const mark = "ada-lovelace-was-here"

// What a stranger wrote, be it in a certificate or as a host name, is in no error and in no log: both are kept, and the
// audit log for good.
func TestErrorsQuoteNobody(t *testing.T) {
	for name, row := range map[string]struct {
		certificate func(c *x509.Certificate)
		parsed      bool
	}{
		"a subject":      {func(c *x509.Certificate) { c.Subject.CommonName = mark }, true},
		"a DNS name":     {func(c *x509.Certificate) { c.DNSNames = []string{mark + ".example"} }, true},
		"a broken URI":   {func(c *x509.Certificate) { c.URIs = []*url.URL{{Scheme: "https", Host: mark + ".x.example"}} }, false},
		"other purposes": {func(c *x509.Certificate) { c.Subject.CommonName, c.KeyUsage = mark, x509.KeyUsageCRLSign }, true},
	} {
		s := newScene(t)
		stranger := verifiertest.NewAuthority(t, mark, s.clock.Now())
		party := stranger.Leaf(t, row.certificate)
		if !row.parsed {
			party.Chain[0] = bytes.Replace(party.Chain[0], []byte(".x."), []byte("..."), 1)
		}
		s.id.SignedBy(party)
		got, err := s.verifier(t).Verify(t.Context(), s.presentation(t), s.expect)
		if row.parsed && (err != nil || got.Objection() != verifier.Untrusted) {
			t.Errorf("%s: %q, %v", name, got.Objection(), err)
		}
		said := s.log.String() + strings.Join(got.Causes(), "\n")
		if err != nil {
			said += err.Error()
		}
		if strings.Contains(said, mark) {
			t.Errorf("%s: %s", name, said)
		}
	}
	s := newCard(t, "ES256K")
	s.owner.DID, s.owner.KeyID = "did:web:"+mark+".invalid", "did:web:"+mark+".invalid#key-1"
	s.vc = verifiertest.NewVC(s.authority, s.owner, s.clock.Now())
	if _, err := s.verify(t); !errors.Is(err, verifier.ErrUnavailable) || strings.Contains(err.Error(), mark) {
		t.Errorf("a holder's host: %v", err)
	}
}

// Whoever hangs up is not told, and what came is refused all the same: a refusal that hides behind a closed connection
// would be one that nobody records.
func TestHangingUpHidesNothing(t *testing.T) {
	s := newScene(t)
	s.idBind.Claims["nonce"] = "another"
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	if _, err := s.verifier(t).Verify(gone, s.presentation(t), s.expect); !errors.Is(err, verifier.ErrRefused) {
		t.Errorf("got %v", err)
	}
}
