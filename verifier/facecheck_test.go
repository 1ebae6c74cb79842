package verifier_test

import (
	"testing"
	"time"

	"regain/verifier"
	"regain/verifier/verifiertest"
)

// TestFaceCheck breaks one thing between a receipt and the Verified ID that it is about.
func TestFaceCheck(t *testing.T) {
	for name, tt := range map[string]struct {
		change  func(t *testing.T, s *scene)
		bound   bool
		failure verifier.ValidationFailure
	}{
		"in order":                 {func(*testing.T, *scene) {}, true, verifier.NoFailure},
		"about another credential": {func(_ *testing.T, s *scene) { s.receipt.Result()["sourceVcJti"] = "urn:uuid:other" }, false, verifier.NoFailure},
		"about another photo":      {func(_ *testing.T, s *scene) { s.receipt.Result()["sourcePhotoDigest"] = verifiertest.Hash("x") }, false, verifier.NoFailure},
		"credential has no jti":    {func(_ *testing.T, s *scene) { delete(s.id.Claims, "jti") }, false, verifier.NoFailure},
		"photo digest below the top": {func(_ *testing.T, s *scene) {
			s.id.Claims["nested"] = map[string]any{"_sd": []string{verifiertest.Hash("nested")}}
			s.receipt.Result()["sourcePhotoDigest"] = verifiertest.Hash("nested")
		}, false, verifier.NoFailure},
		"second of two entries": {func(_ *testing.T, s *scene) {
			other := map[string]any{"sourceVcJti": "urn:uuid:other", "sourcePhotoDigest": verifiertest.Hash("x"), "matchConfidenceScore": 99}
			s.receipt.Claims["faceCheckResults"] = []any{other, s.receipt.Result()}
		}, true, verifier.NoFailure},
		"expired":       {func(_ *testing.T, s *scene) { s.receipt.Claims["exp"] = s.clock.Now().Unix() }, true, verifier.Expired},
		"never expires": {func(_ *testing.T, s *scene) { delete(s.receipt.Claims, "exp") }, true, verifier.Expired},
		"from another issuer": {func(t *testing.T, s *scene) {
			s.receipt.SignedBy(verifiertest.NewAuthority(t, "Stranger", s.clock.Now()).Leaf(t, nil))
		}, true, verifier.Untrusted},
		"no rule for receipts": {func(_ *testing.T, s *scene) { s.rules = s.rules[:1] }, true, verifier.Untrusted},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			tt.change(t, s)
			got, err := s.verifier(t).Verify(t.Context(), s.presentation(t), s.expect)
			if err != nil {
				t.Fatal(err)
			}
			check, there := got.FaceCheck()
			if !there || check.Bound != tt.bound || check.ValidationFailure != tt.failure {
				t.Errorf("got %+v; log: %s", check, s.log.String())
			}
			if tt.bound && check.Score != 86.31 {
				t.Errorf("score is %v", check.Score)
			}
			if got.ValidationFailure() != verifier.NoFailure {
				t.Errorf("the Verified ID is objected to: %s", got.ValidationFailure())
			}
		})
	}
}

// TestFaceCheckOfAnotherHolder is the attack that the holder's key stops: somebody else's receipt and face, in the
// same wallet answer as a stolen Verified ID.
func TestFaceCheckOfAnotherHolder(t *testing.T) {
	s := newScene(t)
	other := verifiertest.NewHolder(t)
	s.receipt.Claims["cnf"] = map[string]any{"jwk": verifiertest.JWK(t, other.Key)}
	p := s.presentation(t)
	p.FaceCheck = other.Present(t, s.receipt, s.faceBind)
	got, err := s.verifier(t).Verify(t.Context(), p, s.expect)
	if check, there := got.FaceCheck(); err != nil || !there || check.Bound {
		t.Errorf("got %+v, %v", check, err)
	}
}

func TestFaceCheckTellsWhenAndWhat(t *testing.T) {
	s := newScene(t)
	at := s.clock.Now().Add(-3 * time.Minute)
	s.receipt.Claims["iat"] = at.Unix()
	got, err := s.verifier(t).Verify(t.Context(), s.presentation(t), s.expect)
	if err != nil {
		t.Fatal(err)
	}
	if check, there := got.FaceCheck(); !there || !check.At.Equal(at) {
		t.Errorf("got %+v", check)
	}
}
