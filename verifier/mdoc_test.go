package verifier_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"regain/verifier"
	"regain/verifier/verifiertest"
)

// licence is a scene with an mdoc as the Verified ID, of which a test breaks one thing.
type licence struct {
	*scene
	mdoc   *verifiertest.MDoc
	device *verifiertest.Device
}

func newLicence(t testing.TB) *licence {
	t.Helper()
	s := &licence{scene: newScene(t), device: verifiertest.NewDevice()}
	s.mdoc = s.issuer.MDoc(s.holder)
	s.rules = append(s.rules, s.issuer.DocumentRule())
	s.expect.VerifiedID = verifier.Wanted{Format: verifier.FormatMdoc, Types: []string{verifiertest.MDocType}}
	h := s.device.Handover
	s.expect.Session = verifier.Session{Nonce: h.Nonce, Audience: h.ClientID, ResponseURI: h.ResponseURI, Thumbprint: h.Thumbprint}
	return s
}

func (s *licence) verify(t *testing.T) (verifier.Verified, error) {
	t.Helper()
	text := s.holder.PresentMDoc(t, s.mdoc, s.device)
	s.receipt = s.issuer.MDocReceipt(s.holder, s.mdoc, 86.31)
	return s.scene.verifier(t).Verify(t.Context(), verifier.Presentation{VerifiedID: text, FaceCheck: s.holder.Present(t, s.receipt, s.faceBind)}, s.expect)
}

func TestMdoc(t *testing.T) {
	s := newLicence(t)
	got, err := s.verify(t)
	if err != nil {
		t.Fatal(err)
	}
	check, there := got.FaceCheck()
	if got.ValidationFailure() != verifier.NoFailure || !there || !check.Bound || check.ValidationFailure != verifier.NoFailure || check.Score != 86.31 {
		t.Errorf("failure %q, face check %+v; log: %s", got.ValidationFailure(), check, s.log.String())
	}
	names, _ := got.VerifiedID().Claims["org.iso.18013.5.1"].(map[string]any)
	if names["family_name"] == "" || names["family_name"] == nil {
		t.Errorf("claims are %v", names)
	}
}

// Each row is an answer to another request, or no genuine one.
func TestMdocsThatAreRefused(t *testing.T) {
	for name, row := range map[string]struct {
		change func(s *licence)
		why    string
	}{
		"another nonce":        {func(s *licence) { s.device.Nonce = "another" }, "DeviceSignature: signature does not verify"},
		"another verifier":     {func(s *licence) { s.device.ClientID = "x509_hash:other" }, "DeviceSignature: signature does not verify"},
		"another response URI": {func(s *licence) { s.device.ResponseURI = "https://other.example/r" }, "DeviceSignature: signature does not verify"},
		"another key":          {func(s *licence) { s.device.Thumbprint = nil }, "DeviceSignature: signature does not verify"},
		"for a browser":        {func(s *licence) { s.device.Origin = "https://recover.example.org" }, "DeviceSignature: signature does not verify"},
		"asked by a browser":   {func(s *licence) { s.expect.Session.Origin = "https://recover.example.org" }, "DeviceSignature: signature does not verify"},
		"no nonce expected":    {func(s *licence) { s.expect.Session.Nonce = "" }, "client id, nonce or response URI is missing"},
		"another doctype":      {func(s *licence) { s.expect.VerifiedID.Types = []string{"org.iso.23220.photoID.1"} }, "docType is not the requested one"},
		"another format":       {func(s *licence) { s.expect.VerifiedID.Format = verifier.FormatSDJWT }, "no tilde"},
		"not the transaction":  {func(s *licence) { s.expect.TransactionData = []string{"e30"} }, "cannot carry the transaction data"},
		"no certificate":       {func(s *licence) { s.mdoc.Unprotected.Delete(33) }, "Verified ID: malformed certificate chain: there is no certificate"},
		"a forged signature": {func(s *licence) {
			s.mdoc.Signer.Key = s.holder.Key
		}, "IssuerAuth: signature does not verify"},
		"a format of nobody": {func(s *licence) { s.expect.VerifiedID.Format = "ldp_vc" }, "the format \"ldp_vc\" is not supported"},
	} {
		s := newLicence(t)
		row.change(s)
		if got, err := s.verify(t); !errors.Is(err, verifier.ErrRefused) || !strings.Contains(err.Error(), row.why) {
			t.Errorf("%s: got %v, %v", name, got.ValidationFailure(), err)
		}
	}
}

func TestMdocsThatAreObjectedTo(t *testing.T) {
	for name, row := range map[string]struct {
		change func(s *licence)
		want   verifier.ValidationFailure
		why    string // part of the cause, as the operator reads it
	}{
		"nobody issues it here": {func(s *licence) { s.rules = s.rules[:len(s.rules)-1] }, verifier.Untrusted, "no rule for the type"},
		"a rule with issuers":   {func(s *licence) { s.rules[len(s.rules)-1].Issuers = []string{"https://issuer.example"} }, verifier.Untrusted, "iss is not on the list"},
		"out of date": {func(s *licence) {
			s.mdoc.MSO.At("validityInfo").Set("validUntil", verifiertest.Tag{Number: 0, Content: s.clock.Now().UTC().Format(time.RFC3339)})
		}, verifier.Expired, "validUntil is past"},
		"not valid yet": {func(s *licence) {
			s.mdoc.MSO.At("validityInfo").Set("validFrom", verifiertest.Tag{Number: 0, Content: s.clock.Now().Add(time.Hour).UTC().Format(time.RFC3339)})
		}, verifier.Expired, "signed or validFrom is in the future"},
		"signed tomorrow": {func(s *licence) {
			s.mdoc.MSO.At("validityInfo").Set("signed", verifiertest.Tag{Number: 0, Content: s.clock.Now().Add(time.Hour).UTC().Format(time.RFC3339)})
		}, verifier.Expired, "signed or validFrom is in the future"},
		"a status that is none": {func(s *licence) {
			s.mdoc.MSO.Set("status", verifiertest.NewMap("status_list", verifiertest.NewMap("uri", "", "idx", 0)))
		}, verifier.StatusUnavailable, "status_list is missing, has no uri or no valid idx"},
		"revoked":                  {func(s *licence) { s.issuer.Status.Set(s.mdoc.Index, 1) }, verifier.Revoked, "its status list entry is not VALID"},
		"without a status":         {func(s *licence) { s.mdoc.MSO.Delete("status") }, verifier.StatusUnavailable, "credential names no status list"},
		"no status, and that's ok": {func(s *licence) { s.mdoc.MSO.Delete("status"); s.rules[len(s.rules)-1].StatusOptional = true }, verifier.NoFailure, ""},
	} {
		s := newLicence(t)
		row.change(s)
		if got, err := s.verify(t); err != nil || got.ValidationFailure() != row.want || !blames(got, row.want, row.why) {
			t.Errorf("%s: got %q, %v; log: %s", name, got.ValidationFailure(), err, s.log.String())
		}
	}
}

// A receipt about the mdoc of another holder, or about another mdoc, says nothing about this one.
func TestReceiptOfAnotherMdoc(t *testing.T) {
	s := newLicence(t)
	other := s.issuer.MDoc(s.holder)
	text := s.holder.PresentMDoc(t, s.mdoc, s.device)
	_ = s.holder.PresentMDoc(t, other, s.device) // seals it
	receipt := s.issuer.MDocReceipt(s.holder, other, 99)
	got, err := s.scene.verifier(t).Verify(t.Context(), verifier.Presentation{VerifiedID: text, FaceCheck: s.holder.Present(t, receipt, s.faceBind)}, s.expect)
	if check, there := got.FaceCheck(); err != nil || !there || check.Bound {
		t.Errorf("got %+v, %v", check, err)
	}
}
