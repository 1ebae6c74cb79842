package verifier_test

import (
	"bytes"
	"log/slog"
	"testing"
	"time"

	"regain/verifier"
	"regain/verifier/status"
	"regain/verifier/trust"
	"regain/verifier/verifiertest"
)

// scene is a presentation in order, of which a test breaks one thing.
type scene struct {
	clock    *verifiertest.Clock
	issuer   *verifiertest.Issuer
	holder   *verifiertest.Holder
	id       *verifiertest.Draft
	receipt  *verifiertest.Draft
	idBind   verifiertest.Binding
	faceBind verifiertest.Binding
	rules    []trust.Rule
	expect   verifier.Expect
	fetch    status.Fetcher // nil for the issuer's
	log      bytes.Buffer
}

func newScene(t testing.TB) *scene {
	t.Helper()
	s := &scene{clock: verifiertest.NewClock(), holder: verifiertest.NewHolder(t)}
	s.issuer = verifiertest.New(t, s.clock.Now)
	s.id = s.issuer.VerifiedID(s.holder)
	s.receipt = s.issuer.Receipt(s.id, 86.31)
	s.idBind, s.faceBind = verifiertest.Bind(s.clock.Now()), verifiertest.Bind(s.clock.Now())
	s.rules = s.issuer.Rules()
	s.expect = verifier.Expect{
		Session:    verifier.Session{Nonce: verifiertest.Nonce, Audience: verifiertest.Audience},
		VerifiedID: verifier.Wanted{Format: verifier.FormatSDJWT, Types: []string{verifiertest.IdentityType}},
		FaceCheck:  verifier.Wanted{Format: verifier.FormatSDJWT, Types: []string{verifiertest.ReceiptType}},
	}
	return s
}

func (s *scene) verifier(t testing.TB) *verifier.Verifier {
	t.Helper()
	fetcher := s.fetch
	if fetcher == nil {
		fetcher = s.issuer.Fetcher()
	}
	v, err := verifier.New(
		verifier.Config{Trust: s.rules, MinStatusTTL: time.Minute, MaxStatusTTL: time.Hour},
		verifier.Deps{Fetch: fetcher, Clock: s.clock.Now, Logger: slog.New(slog.NewTextHandler(&s.log, nil))},
	)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (s *scene) presentation(t testing.TB) verifier.Presentation {
	t.Helper()
	return verifier.Presentation{
		VerifiedID: s.holder.Present(t, s.id, s.idBind), FaceCheck: s.holder.Present(t, s.receipt, s.faceBind),
	}
}

func TestVerify(t *testing.T) {
	s := newScene(t)
	got, err := s.verifier(t).Verify(t.Context(), s.presentation(t), s.expect)
	if err != nil {
		t.Fatal(err)
	}
	if got.ValidationFailure() != verifier.NoFailure {
		t.Errorf("failure %q; log: %s", got.ValidationFailure(), s.log.String())
	}
	if name := got.VerifiedID().Claims["family_name"]; name != "Lovelace" {
		t.Errorf("family_name is %v", name)
	}
	for _, name := range []string{"portrait", "faceCheckResults", "_sd", "unknown"} {
		if value, ok := got.VerifiedID().Claims[name]; ok {
			t.Errorf("claim %s is %v", name, value)
		}
	}
	check, there := got.FaceCheck()
	if !there || check.ValidationFailure != verifier.NoFailure || !check.Bound || check.Score != 86.31 || !check.At.Equal(s.clock.Now()) {
		t.Errorf("face check is %+v", check)
	}
}
