package evidence_test

import (
	"errors"
	"strings"
	"testing"

	"regain/presentation"
	"regain/presentation/dcql"
	"regain/provider/diagnosis"
	"regain/provider/protocol"
	"regain/recovery"
	"regain/verifier"
)

// diagnosed goes from an answer to evidence, and returns what the operator is told.
func (s *scene) diagnosed(t testing.TB, formats []string, a protocol.Answer) (recovery.Evidence, *diagnosis.Diagnosis, error) {
	t.Helper()
	d := diagnosis.New("any", "same_device", s.clock.Now)
	found, err := s.rules.Verify(t.Context(), s.verifier(t), s.submission(formats, a), d)
	return found, d, err
}

func checks(d *diagnosis.Diagnosis) string {
	var all []string
	for _, c := range d.Checks {
		word := "no "
		if c.Pass {
			word = ""
		}
		all = append(all, word+c.Name)
	}
	return strings.Join(all, ", ")
}

// TestTheOperatorIsToldWhy holds that each step which an answer took is recorded, the last with its cause, and that what
// was refused is no evidence of anything.
func TestTheOperatorIsToldWhy(t *testing.T) {
	for name, row := range map[string]struct {
		change  func(s *scene, a *protocol.Answer)
		checks  string
		why     string
		refused error
	}{
		"in order":         {func(*scene, *protocol.Answer) {}, "asked for, genuine, matches the query", "", nil},
		"nothing came":     {func(_ *scene, a *protocol.Answer) { a.Presentations = nil }, "no asked for", "no option of credential set 0 is complete", presentation.ErrMissing},
		"another nonce":    {func(_ *scene, a *protocol.Answer) { a.Session.Nonce = "another" }, "asked for, no genuine", "nonce is not the one asked for", verifier.ErrRefused},
		"nobody trusts it": {func(s *scene, _ *protocol.Answer) { s.trust = s.trust[1:] }, "asked for, genuine, no credential, matches the query", "untrusted: ", nil},
	} {
		s := newScene(t)
		a := s.answer(map[string]string{"verified_id": s.present(t, s.id), "face_check": s.present(t, s.issuer.Receipt(s.id, 86.31))})
		row.change(s, &a)
		found, d, err := s.diagnosed(t, newer(), a)
		if !errors.Is(err, row.refused) || checks(d) != row.checks || d.Query != nil {
			t.Errorf("%s: %v, checks %q", name, err, checks(d))
		}
		told := false
		for _, c := range d.Checks {
			told = told || !c.Pass && strings.Contains(c.Detail, row.why)
		}
		if row.why != "" && !told {
			t.Errorf("%s: nothing says %q: %+v", name, row.why, d.Checks)
		}
		if row.refused != nil && (found.FaceCheck.Source != "" || len(found.Claims) != 0) {
			t.Errorf("%s: refused, and evidence of %d claims", name, len(found.Claims))
		}
	}
}

// TestTheOperatorIsToldWhatLacks holds that an answer which does not match the query is recorded with the mismatches.
func TestTheOperatorIsToldWhatLacks(t *testing.T) {
	s := newScene(t)
	s.id.Withhold("family_name")
	_, d, err := s.diagnosed(t, newer(), s.answer(map[string]string{"verified_id": s.present(t, s.id), "face_check": s.present(t, s.issuer.Receipt(s.id, 86.31))}))
	if !errors.Is(err, presentation.ErrRejected) || d.Query == nil || checks(d) != "asked for, genuine, no matches the query" {
		t.Errorf("%v, checks %q, query %v", err, checks(d), d.Query)
	}
}

// TestAProfileThatAsksNothingVerifiesNothing holds that a query which cannot be built refuses every answer.
func TestAProfileThatAsksNothingVerifiesNothing(t *testing.T) {
	s := newScene(t)
	s.profile.Credentials = s.profile.Credentials[:1]
	if _, d, err := s.diagnosed(t, []string{dcql.FormatMdoc}, s.answer(map[string]string{"verified_id": "x", "face_check": "y"})); err == nil || !strings.Contains(err.Error(), "no credential of it can be asked") || checks(d) != "no asked for" {
		t.Errorf("%v, checks %q", err, checks(d))
	}
}

// TestAClaimIsAskedOnce holds that two bindings of one claim ask for it once.
func TestAClaimIsAskedOnce(t *testing.T) {
	s := newScene(t)
	bindings := s.profile.Credentials[1].Bindings
	s.profile.Credentials[1].Bindings = append(bindings, bindings[0])
	q, err := s.rules.Query(s.profile, []string{dcql.FormatSDJWT})
	if err != nil || len(q.Credentials[0].Claims) != 2 {
		t.Errorf("%+v, %v", q.Credentials, err)
	}
}

// TestArraysOfOtherFormats holds that places in arrays are bound where the issuer signs them: only of an SD-JWT the holder
// may leave elements out, and the rest moves up.
func TestArraysOfOtherFormats(t *testing.T) {
	s := newScene(t)
	s.profile.Credentials[0].Bindings[0].Claim = "credentialSubject/names/0"
	if q, err := s.rules.Query(s.profile, []string{dcql.FormatJWTVC}); err != nil || len(q.Credentials[0].Claims) != 2 {
		t.Errorf("%v", err)
	}
}
