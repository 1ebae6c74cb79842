package evidence_test

import (
	"crypto/sha256"
	"log/slog"
	"strings"
	"testing"
	"time"

	"regain/presentation/dcql"
	"regain/provider/diagnosis"
	"regain/provider/evidence"
	"regain/provider/protocol"
	"regain/recovery"
	"regain/verifier"
	"regain/verifier/trust"
	"regain/verifier/verifiertest"
)

const (
	vcTypes      = "VerifiableCredential " + verifiertest.VCType
	receiptTypes = "VerifiableCredential FaceCheckReceipt"
)

// scene is a profile that takes a Verified ID in each format, the JWT VC preferred, and somebody who holds all three.
type scene struct {
	clock   *verifiertest.Clock
	issuer  *verifiertest.Issuer
	holder  *verifiertest.Holder
	profile recovery.Profile
	rules   *evidence.Rules
	trust   []trust.Rule

	id      *verifiertest.Draft
	licence *verifiertest.MDoc
}

func newScene(t testing.TB) *scene {
	t.Helper()
	s := &scene{clock: verifiertest.NewClock(), holder: verifiertest.NewHolder(t)}
	s.issuer = verifiertest.New(t, s.clock.Now)
	s.rules = evidence.New([]string{verifiertest.ReceiptType}, []string{receiptTypes})
	s.trust = append(s.issuer.Rules(), s.issuer.DocumentRule())
	rule := func(format, kind, given, family string) recovery.CredentialRule {
		return recovery.CredentialRule{Format: format, Types: []string{kind}, Bindings: []recovery.Binding{
			{Attribute: "given_name", Claim: recovery.ClaimName(given), Level: recovery.MatchExact}, {Attribute: "family_name", Claim: recovery.ClaimName(family), Level: recovery.MatchExact},
		}}
	}
	s.profile = recovery.Profile{Name: "employees", Credentials: []recovery.CredentialRule{
		rule(verifier.FormatJWTVC, vcTypes, "credentialSubject/firstName", "credentialSubject/lastName"),
		rule(verifier.FormatSDJWT, verifiertest.IdentityType, "given_name", "family_name"),
		rule(verifier.FormatMdoc, verifiertest.MDocType, "org.iso.18013.5.1/given_name", "org.iso.18013.5.1/family_name"),
	}}
	s.id, s.licence = s.issuer.VerifiedID(s.holder), s.issuer.MDoc(s.holder)
	return s
}

// newer are the formats of wallets that hold no JWT VC.
func newer() []string { return []string{dcql.FormatSDJWT, dcql.FormatMdoc} }

func every() []string { return append(newer(), dcql.FormatJWTVC) }

func (s *scene) verifier(t testing.TB) *verifier.Verifier {
	t.Helper()
	v, err := verifier.New(verifier.Config{Trust: s.trust, MinStatusTTL: time.Minute, MaxStatusTTL: time.Hour},
		verifier.Deps{Fetch: s.issuer.Fetcher(), Clock: s.clock.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// answer is what the holder shows, under the ids of the queries.
func (s *scene) answer(shown map[string]string) protocol.Answer {
	a := protocol.Answer{Presentations: make(map[string]protocol.PresentationRef), Session: verifier.Session{
		Nonce: verifiertest.Nonce, Audience: verifiertest.Audience, ResponseURI: verifiertest.ResponseURI, Thumbprint: make([]byte, sha256.Size),
	}}
	for id, text := range shown {
		a.Presentations[id] = protocol.PresentationRef{Text: text}
	}
	return a
}

func (s *scene) present(t testing.TB, d *verifiertest.Draft) string {
	t.Helper()
	return s.holder.Present(t, d, verifiertest.Bind(s.clock.Now()))
}

func (s *scene) presentLicence(t testing.TB) string {
	t.Helper()
	return s.holder.PresentMDoc(t, s.licence, verifiertest.NewDevice())
}

// weigh goes from an answer to evidence.
func (s *scene) weigh(t testing.TB, formats []string, a protocol.Answer) (recovery.Evidence, error) {
	t.Helper()
	return s.rules.Verify(t.Context(), s.verifier(t), s.submission(formats, a), diagnosis.New("any", "same_device", s.clock.Now))
}

func (s *scene) submission(formats []string, a protocol.Answer) evidence.Submission {
	return evidence.Submission{Profile: s.profile, Formats: formats, Answer: a}
}

func claimAt(from map[string]any, name string) (string, bool) {
	return evidence.ClaimAt(from, recovery.ClaimName(name))
}

func splitOn(list string) []string { return strings.Split(list, ",") }
