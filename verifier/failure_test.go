package verifier_test

import (
	"crypto/x509"
	"net/http"
	"strings"
	"testing"
	"time"

	"regain/verifier"
	"regain/verifier/verifiertest"
)

func TestVerifyObjects(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(t *testing.T, s *scene)
		want   verifier.ValidationFailure
		why    string // part of the cause, as the operator reads it
	}{
		"another authority": {func(t *testing.T, s *scene) {
			s.id.SignedBy(verifiertest.NewAuthority(t, "Anchor of tests", s.clock.Now()).Leaf(t, nil))
		}, verifier.Untrusted, "the chain does not lead to a configured anchor"},
		"iss not allowed":              {func(_ *testing.T, s *scene) { s.id.Claims["iss"] = "https://other.example" }, verifier.Untrusted, "iss is not on the list"},
		"no iss where one is needed":   {func(_ *testing.T, s *scene) { delete(s.id.Claims, "iss") }, verifier.Untrusted, "iss is not on the list"},
		"trusted for receipts only":    {func(_ *testing.T, s *scene) { s.rules = s.rules[1:] }, verifier.Untrusted, "no rule for the type"},
		"certificate expired":          {expiredCertificate, verifier.Untrusted, "a certificate of the chain has expired, or is not valid yet"},
		"expired":                      {func(_ *testing.T, s *scene) { s.id.Claims["exp"] = s.clock.Now().Unix() }, verifier.Expired, "exp is past or is not a date"},
		"expires in a second":          {func(_ *testing.T, s *scene) { s.id.Claims["exp"] = s.clock.Now().Add(time.Second).Unix() }, verifier.NoFailure, ""},
		"not yet valid":                {func(_ *testing.T, s *scene) { s.id.Claims["nbf"] = s.clock.Now().Add(2 * time.Minute).Unix() }, verifier.Expired, "nbf is in the future or is not a date"},
		"issued in the future":         {func(_ *testing.T, s *scene) { s.id.Claims["iat"] = s.clock.Now().Add(2 * time.Minute).Unix() }, verifier.Expired, "iat is in the future or is not a date"},
		"never expires, with a status": {func(_ *testing.T, s *scene) { delete(s.id.Claims, "exp") }, verifier.NoFailure, ""},
		"no iat":                       {func(_ *testing.T, s *scene) { delete(s.id.Claims, "iat") }, verifier.NoFailure, ""},
		"iat no date":                  {func(_ *testing.T, s *scene) { s.id.Claims["iat"] = "today" }, verifier.Expired, "iat is in the future or is not a date"},
		"nbf no date":                  {func(_ *testing.T, s *scene) { s.id.Claims["nbf"] = true }, verifier.Expired, "nbf is in the future or is not a date"},
		"exp no date":                  {func(_ *testing.T, s *scene) { s.id.Claims["exp"] = "never" }, verifier.Expired, "exp is past or is not a date"},
		"exp below zero":               {func(_ *testing.T, s *scene) { s.id.Claims["exp"] = -1 }, verifier.Expired, "exp is past or is not a date"},
		"no status where none is due, and one that is broken": {func(_ *testing.T, s *scene) { s.id.Claims["status"] = 1; s.rules[0].StatusOptional = true }, verifier.StatusUnavailable, "status has no status_list"},
		"no status where none is due, and revoked":            {func(_ *testing.T, s *scene) { s.issuer.Status.Set(s.id.Index, 1); s.rules[0].StatusOptional = true }, verifier.Revoked, "entry is not VALID"},
		"revoked":                     {func(_ *testing.T, s *scene) { s.issuer.Status.Set(s.id.Index, 1) }, verifier.Revoked, "its status list entry is not VALID"},
		"suspended":                   {func(_ *testing.T, s *scene) { s.issuer.Status.Set(s.id.Index, 2) }, verifier.Revoked, "its status list entry is not VALID"},
		"status of another's own":     {func(_ *testing.T, s *scene) { s.issuer.Status.Set(s.id.Index, 3) }, verifier.Revoked, "its status list entry is not VALID"},
		"another is revoked":          {func(_ *testing.T, s *scene) { s.issuer.Status.Set(s.id.Index+1, 1) }, verifier.NoFailure, ""},
		"no status":                   {func(_ *testing.T, s *scene) { delete(s.id.Claims, "status") }, verifier.StatusUnavailable, "credential names no status list"},
		"no status where none is due": {func(_ *testing.T, s *scene) { delete(s.id.Claims, "status"); s.rules[0].StatusOptional = true }, verifier.NoFailure, ""},
		"neither status nor exp": {func(_ *testing.T, s *scene) {
			delete(s.id.Claims, "status")
			delete(s.id.Claims, "exp")
			s.rules[0].StatusOptional = true
		}, verifier.Expired, "credential has neither exp nor status"},
		"list cannot be fetched": {func(_ *testing.T, s *scene) { s.issuer.Status.Answer = http.NotFound }, verifier.StatusUnavailable, "response is not 200 OK"},
		"list by a stranger": {func(t *testing.T, s *scene) {
			s.issuer.Status.Signer = verifiertest.NewAuthority(t, "Stranger", s.clock.Now()).Leaf(t, nil)
		}, verifier.StatusUnavailable, "list: issuer is not trusted for this type"},
		"list with a bad signature": {func(t *testing.T, s *scene) { s.issuer.Status.Signer.Key = verifiertest.NewKey(t) }, verifier.StatusUnavailable, "list: signature does not verify"},
		"index beyond the list":     {func(_ *testing.T, s *scene) { reference(s)["idx"] = 1024 }, verifier.StatusUnavailable, "idx is beyond the end of the list"},
		"index below zero":          {func(_ *testing.T, s *scene) { reference(s)["idx"] = -1 }, verifier.StatusUnavailable, "its idx is not a whole number"},
		"status of another kind":    {func(_ *testing.T, s *scene) { s.id.Claims["status"] = map[string]any{"other": 1} }, verifier.StatusUnavailable, "status has no status_list"},
		"untrusted before expired": {func(_ *testing.T, s *scene) {
			s.id.Claims["iss"], s.id.Claims["exp"] = "https://other.example", 1
		}, verifier.Untrusted, "iss is not on the list"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			tt.change(t, s)
			got, err := s.verifier(t).Verify(t.Context(), s.presentation(t), s.expect)
			if err != nil || got.ValidationFailure() != tt.want || !blames(got, tt.want, tt.why) {
				t.Errorf("got %q, %v; want %q; log: %s", got.ValidationFailure(), err, tt.want, s.log.String())
			}
			if check, _ := got.FaceCheck(); err == nil && check.ValidationFailure != verifier.NoFailure {
				t.Errorf("the receipt is objected to: %s", check.ValidationFailure)
			}
		})
	}
}

// blames reports whether the operator is told why: the last cause is the Verified ID's, begins with the failure and
// contains this text.
func blames(got verifier.Verified, want verifier.ValidationFailure, why string) bool {
	if want == verifier.NoFailure {
		return len(got.Causes()) == 0
	}
	causes := got.Causes()
	last := len(causes) - 1
	return last >= 0 && strings.HasPrefix(causes[last], string(want)+": ") && strings.Contains(causes[last], why)
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
