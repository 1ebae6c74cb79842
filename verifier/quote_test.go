package verifier_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"net/url"
	"slices"
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
		if row.parsed && (err != nil || got.ValidationFailure() != verifier.Untrusted) {
			t.Errorf("%s: %q, %v", name, got.ValidationFailure(), err)
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

// member is a way to a value in something made of maps: names, and places in lists.
type member []any

// members lists the ways to every value in m.
func members(value any, at member) (all []member) {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			way := append(slices.Clip(at), name)
			all = append(append(all, way), members(inner, way)...)
		}
	case []any:
		for i, inner := range value {
			all = append(all, members(inner, append(slices.Clip(at), i))...)
		}
	}
	return all
}

// set puts a value where the way leads.
func (m member) set(in any, value any) {
	for _, step := range m[:len(m)-1] {
		switch at := in.(type) {
		case map[string]any:
			in = at[step.(string)]
		case []any:
			in = at[step.(int)]
		}
	}
	in.(map[string]any)[m[len(m)-1].(string)] = value
}

// Whatever stands in any member of anything that is signed, it is quoted nowhere.
func TestMembersAreQuotedNowhere(t *testing.T) {
	scenes := map[string]func() (parts map[string]any, verify func(t *testing.T) (verifier.Verified, error), log *bytes.Buffer){
		"SD-JWT VC": func() (map[string]any, func(t *testing.T) (verifier.Verified, error), *bytes.Buffer) {
			s := newScene(t)
			return map[string]any{
					"credential": s.id.Claims, "header": s.id.Header, "receipt": s.receipt.Claims, "binding": s.idBind.Claims, "binding's header": s.idBind.Header,
				}, func(t *testing.T) (verifier.Verified, error) {
					return s.verifier(t).Verify(t.Context(), s.presentation(t), s.expect)
				}, &s.log
		},
		"JWT VC": func() (map[string]any, func(t *testing.T) (verifier.Verified, error), *bytes.Buffer) {
			s := newCard(t, "ES256K")
			vp := verifiertest.NewVP(s.owner, s.clock.Now())
			return map[string]any{
					"VC": s.vc.Claims, "header": s.vc.Header, "receipt": s.receipt.Claims, "ID token": s.token.Claims, "VP": vp.Claims, "VP's header": vp.Header,
				}, func(t *testing.T) (verifier.Verified, error) {
					if list, ok := vp.VP()["verifiableCredential"].([]any); ok && len(list) == 0 {
						vp.VP()["verifiableCredential"] = []any{s.vc.Sign(t), s.receipt.Sign(t)}
					}
					text := vp.Sign(t)
					return s.scene.verifier(t).Verify(t.Context(), verifier.Presentation{VerifiedID: text, FaceCheck: text, FaceCheckAt: 1, IDToken: s.token.Sign(t)}, s.expect)
				}, &s.log
		},
	}
	for format, scene := range scenes {
		parts, _, _ := scene()
		for _, way := range members(parts, nil) {
			if len(way) == 1 {
				continue
			}
			for _, value := range []any{mark, []any{mark}, map[string]any{mark: mark}} {
				parts, verify, log := scene()
				way.set(parts, value)
				got, err := verify(t)
				said := log.String() + strings.Join(got.Causes(), "\n")
				if err != nil {
					said += err.Error()
				}
				if strings.Contains(said, mark) {
					t.Errorf("%s: %v: %s", format, way, said)
				}
			}
		}
	}
}

// So it is with what stands in an mdoc.
func TestMdocsAreQuotedNowhere(t *testing.T) {
	changes := map[string]func(s *licence, value any){}
	for _, name := range []string{"version", "digestAlgorithm", "docType", "deviceKeyInfo", "validityInfo", "status", "valueDigests", mark} {
		changes["MSO "+name] = func(s *licence, value any) { s.mdoc.MSO.Set(name, value) }
	}
	for _, name := range []string{"digestID", "random", "elementIdentifier", "elementValue", mark} {
		changes["item "+name] = func(s *licence, value any) { s.mdoc.Element("given_name").Set(name, value) }
	}
	for _, name := range []string{"signed", "validFrom", "validUntil"} {
		changes["validity "+name] = func(s *licence, value any) { s.mdoc.MSO.At("validityInfo").Set(name, value) }
	}
	changes["protected"] = func(s *licence, value any) { s.mdoc.Protected.Set(1, value) }
	changes["chain"] = func(s *licence, value any) { s.mdoc.Unprotected.Set(33, value) }
	changes["device's own"] = func(s *licence, value any) { s.device.NameSpaces.Set(mark, value) }
	changes["docType"] = func(s *licence, _ any) { s.mdoc.DocType = mark }
	for name, change := range changes {
		for _, value := range []any{mark, []byte(mark), []any{mark}, verifiertest.NewMap(mark, mark), verifiertest.Tag{Number: 0, Content: mark}} {
			s := newLicence(t)
			change(s, value)
			got, err := s.verify(t)
			said := s.log.String() + strings.Join(got.Causes(), "\n")
			if err != nil {
				said += err.Error()
			}
			if strings.Contains(said, mark) {
				t.Errorf("%s: %s", name, said)
			}
		}
	}
}
