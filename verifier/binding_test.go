package verifier_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"regain/verifier"
	"regain/verifier/verifiertest"
)

// TestResultsAtTheirLimits holds what a Face Check receipt may say: a score of 0 and of 100, up to eight results, and
// each with the credential and the photo that it is about. Without either, it could be bound to anything.
func TestResultsAtTheirLimits(t *testing.T) {
	several := func(n int) func(*scene) {
		return func(s *scene) {
			list := []any{s.receipt.Result()}
			for range n - 1 {
				list = append(list, map[string]any{"sourceVcJti": "urn:uuid:other", "sourcePhotoDigest": "x", "matchConfidenceScore": 1})
			}
			s.receipt.Claims["faceCheckResults"] = list
		}
	}
	set := func(name string, value any) func(*scene) {
		return func(s *scene) { s.receipt.Result()[name] = value }
	}
	const missing = "sourceVcJti or sourcePhotoDigest is missing"
	for name, row := range map[string]struct {
		change func(*scene)
		why    string // "" where it is taken
	}{
		"a score of 0": {set("matchConfidenceScore", 0), ""}, "a score of 100": {set("matchConfidenceScore", 100), ""},
		"eight results": {several(8), ""}, "nine results": {several(9), "faceCheckResults is not an array of 1 to 8"},
		"no credential": {set("sourceVcJti", ""), missing}, "no photo": {set("sourcePhotoDigest", ""), missing},
		"credential no string": {set("sourceVcJti", 1), missing}, "photo no string": {set("sourcePhotoDigest", nil), missing},
		"a result that is none": {func(s *scene) { s.receipt.Claims["faceCheckResults"] = []any{s.receipt.Result(), "x"} }, "matchConfidenceScore is not a number"},
	} {
		s := newScene(t)
		row.change(s)
		got, err := s.verifier(t).Verify(t.Context(), s.presentation(t), s.expect)
		if row.why != "" {
			if !errors.Is(err, verifier.ErrRefused) || !strings.Contains(err.Error(), row.why) {
				t.Errorf("%s: got %v, want %q", name, err, row.why)
			}
		} else if check, _ := got.FaceCheck(); err != nil || !check.Bound {
			t.Errorf("%s: %+v, %v", name, check, err)
		}
	}
}

// TestNobodysCredentialIsBoundToNoReceipt holds that a Verified ID without an identifier is the source of no Face Check,
// also of one that names no source.
func TestNobodysCredentialIsBoundToNoReceipt(t *testing.T) {
	s := newScene(t)
	delete(s.id.Claims, "jti")
	got, err := s.verifier(t).Verify(t.Context(), s.presentation(t), s.expect)
	if check, there := got.FaceCheck(); err != nil || !there || check.Bound {
		t.Errorf("%+v, %v", check, err)
	}
}

// TestTransactionData holds that the holder of the Verified ID signed what the wallet showed, and that nobody asks that
// of the receipt.
func TestTransactionData(t *testing.T) {
	data := []string{verifiertest.Encode([]byte(`{"type":"account_recovery"}`))}
	sum := sha256.Sum256([]byte(data[0]))
	for name, row := range map[string]struct {
		hashes any
		why    string
	}{
		"signed":            {[]string{verifiertest.Encode(sum[:])}, ""},
		"not signed":        {nil, "transaction_data_hashes is missing"},
		"something is else": {[]string{verifiertest.Hash("x")}, "transaction_data_hashes is not of the data that was sent"},
	} {
		s := newScene(t)
		s.expect.TransactionData, s.idBind.Claims["transaction_data_hashes"] = data, row.hashes
		_, err := s.verifier(t).Verify(t.Context(), s.presentation(t), s.expect)
		if row.why == "" && err != nil || row.why != "" && (!errors.Is(err, verifier.ErrRefused) || !strings.Contains(err.Error(), row.why)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWithoutAFaceCheck holds that a request which asked for none gets none, whatever the wallet sends.
func TestWithoutAFaceCheck(t *testing.T) {
	s := newScene(t)
	p := s.presentation(t)
	s.expect.FaceCheck = verifier.Wanted{}
	got, err := s.verifier(t).Verify(t.Context(), p, s.expect)
	if err != nil || got.ValidationFailure() != verifier.NoFailure {
		t.Fatalf("%q, %v", got.ValidationFailure(), err)
	}
	if check, there := got.FaceCheck(); there || check.Bound || check.ValidationFailure != verifier.Untrusted || got.Receipt().Format != "" {
		t.Errorf("%+v, %t", check, there)
	}
}

// TestWhoLeftDuringTheReceipt holds that the status of neither credential is decided by a wallet that hangs up, and that
// hanging up is told with what it interrupted.
func TestWhoLeftDuringTheReceipt(t *testing.T) {
	s := newScene(t)
	s.receipt.Claims["status"] = map[string]any{"status_list": map[string]any{"idx": 0, "uri": s.issuer.Status.URI}}
	ctx, leave := context.WithCancel(t.Context())
	asked := make(chan struct{})
	s.issuer.Status.Answer = func(http.ResponseWriter, *http.Request) {
		leave()
		<-asked
	}
	s.rules[0].StatusOptional = true
	delete(s.id.Claims, "status")
	_, err := s.verifier(t).Verify(ctx, s.presentation(t), s.expect)
	close(asked)
	if !errors.Is(err, context.Canceled) || errors.Is(err, verifier.ErrRefused) || !strings.Contains(err.Error(), "look up status") {
		t.Errorf("got %v", err)
	}
}

// TestRefusesOtherFormats holds that a format which nobody can verify is not taken for one that was.
func TestRefusesOtherFormats(t *testing.T) {
	s := newScene(t)
	p := s.presentation(t)
	s.expect.VerifiedID.Format = "ldp_vc"
	if _, err := s.verifier(t).Verify(t.Context(), p, s.expect); !errors.Is(err, verifier.ErrRefused) || !strings.Contains(err.Error(), `the format "ldp_vc" is not supported`) {
		t.Errorf("got %v", err)
	}
}

func TestPrintedAs(t *testing.T) {
	s := newScene(t)
	p := s.presentation(t)
	verified, err := s.verifier(t).Verify(t.Context(), p, s.expect)
	if err != nil {
		t.Fatal(err)
	}
	if said := fmt.Sprint(p, verified); said != "presentation[redacted] verified[redacted]" {
		t.Errorf("printed as %s", said)
	}
}

// TestHangingUpChangesNoVerdict holds that what is known is said, also to a wallet that is gone: it is in the cache.
func TestHangingUpChangesNoVerdict(t *testing.T) {
	for status, want := range map[byte]verifier.ValidationFailure{0: verifier.NoFailure, 1: verifier.Revoked} {
		s := newScene(t)
		s.issuer.Status.Set(s.id.Index, status)
		v := s.verifier(t)
		if got, err := v.Verify(t.Context(), s.presentation(t), s.expect); err != nil || got.ValidationFailure() != want {
			t.Fatalf("%q, %v", got.ValidationFailure(), err)
		}
		gone, hangUp := context.WithCancel(t.Context())
		hangUp()
		if got, err := v.Verify(gone, s.presentation(t), s.expect); err != nil || got.ValidationFailure() != want {
			t.Errorf("%q, %v, want %q", got.ValidationFailure(), err, want)
		}
	}
}
