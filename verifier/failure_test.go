package verifier_test

import (
	"crypto/x509"
	"net/http"
	"testing"
	"time"

	"regain/verifier"
	"regain/verifier/verifiertest"
)

func TestVerifyObjects(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(t *testing.T, s *scene)
		want   verifier.ValidationFailure
	}{
		"another authority": {func(t *testing.T, s *scene) {
			s.id.SignedBy(verifiertest.NewAuthority(t, "Anchor of tests", s.clock.Now()).Leaf(t, nil))
		}, verifier.Untrusted},
		"iss not allowed":             {func(_ *testing.T, s *scene) { s.id.Claims["iss"] = "https://other.example" }, verifier.Untrusted},
		"no iss where one is needed":  {func(_ *testing.T, s *scene) { delete(s.id.Claims, "iss") }, verifier.Untrusted},
		"trusted for receipts only":   {func(_ *testing.T, s *scene) { s.rules = s.rules[1:] }, verifier.Untrusted},
		"certificate expired":         {expiredCertificate, verifier.Untrusted},
		"expired":                     {func(_ *testing.T, s *scene) { s.id.Claims["exp"] = s.clock.Now().Unix() }, verifier.Expired},
		"expires in a second":         {func(_ *testing.T, s *scene) { s.id.Claims["exp"] = s.clock.Now().Add(time.Second).Unix() }, verifier.NoFailure},
		"not yet valid":               {func(_ *testing.T, s *scene) { s.id.Claims["nbf"] = s.clock.Now().Add(2 * time.Minute).Unix() }, verifier.Expired},
		"issued in the future":        {func(_ *testing.T, s *scene) { s.id.Claims["iat"] = s.clock.Now().Add(2 * time.Minute).Unix() }, verifier.Expired},
		"revoked":                     {func(_ *testing.T, s *scene) { s.issuer.Status.Set(s.id.Index, 1) }, verifier.Revoked},
		"suspended":                   {func(_ *testing.T, s *scene) { s.issuer.Status.Set(s.id.Index, 2) }, verifier.Revoked},
		"status of another's own":     {func(_ *testing.T, s *scene) { s.issuer.Status.Set(s.id.Index, 3) }, verifier.Revoked},
		"another is revoked":          {func(_ *testing.T, s *scene) { s.issuer.Status.Set(s.id.Index+1, 1) }, verifier.NoFailure},
		"no status":                   {func(_ *testing.T, s *scene) { delete(s.id.Claims, "status") }, verifier.StatusUnavailable},
		"no status where none is due": {func(_ *testing.T, s *scene) { delete(s.id.Claims, "status"); s.rules[0].StatusOptional = true }, verifier.NoFailure},
		"neither status nor exp": {func(_ *testing.T, s *scene) {
			delete(s.id.Claims, "status")
			delete(s.id.Claims, "exp")
			s.rules[0].StatusOptional = true
		}, verifier.Expired},
		"list cannot be fetched": {func(_ *testing.T, s *scene) { s.issuer.Status.Answer = http.NotFound }, verifier.StatusUnavailable},
		"list by a stranger": {func(t *testing.T, s *scene) {
			s.issuer.Status.Signer = verifiertest.NewAuthority(t, "Stranger", s.clock.Now()).Leaf(t, nil)
		}, verifier.StatusUnavailable},
		"list with a bad signature": {func(t *testing.T, s *scene) { s.issuer.Status.Signer.Key = verifiertest.NewKey(t) }, verifier.StatusUnavailable},
		"index beyond the list":     {func(_ *testing.T, s *scene) { reference(s)["idx"] = 1024 }, verifier.StatusUnavailable},
		"index below zero":          {func(_ *testing.T, s *scene) { reference(s)["idx"] = -1 }, verifier.StatusUnavailable},
		"status of another kind":    {func(_ *testing.T, s *scene) { s.id.Claims["status"] = map[string]any{"other": 1} }, verifier.StatusUnavailable},
		"untrusted before expired": {func(_ *testing.T, s *scene) {
			s.id.Claims["iss"], s.id.Claims["exp"] = "https://other.example", 1
		}, verifier.Untrusted},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			tt.change(t, s)
			got, err := s.verifier(t).Verify(t.Context(), s.presentation(t), s.expect)
			if err != nil || got.ValidationFailure() != tt.want {
				t.Errorf("got %q, %v; want %q; log: %s", got.ValidationFailure(), err, tt.want, s.log.String())
			}
			if check, _ := got.FaceCheck(); err == nil && check.ValidationFailure != verifier.NoFailure {
				t.Errorf("the receipt is objected to: %s", check.ValidationFailure)
			}
		})
	}
}

func reference(s *scene) map[string]any {
	return s.id.Claims["status"].(map[string]any)["status_list"].(map[string]any)
}

func expiredCertificate(t *testing.T, s *scene) {
	s.id.SignedBy(s.issuer.Authority.Leaf(t, func(c *x509.Certificate) { c.NotAfter = s.clock.Now().Add(-time.Second) }))
}

func TestVerifyAsksNoStatusOfStrangers(t *testing.T) {
	s := newScene(t)
	s.rules = verifiertest.New(t, s.clock.Now).Rules()
	if _, err := s.verifier(t).Verify(t.Context(), s.presentation(t), s.expect); err != nil {
		t.Fatal(err)
	}
	if n := s.issuer.Status.Requests.Load(); n != 0 {
		t.Errorf("a stranger made us fetch %d times", n)
	}
}
