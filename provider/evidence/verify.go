package evidence

import (
	"context"
	"fmt"
	"slices"

	"regain/presentation"
	"regain/presentation/dcql"
	"regain/provider/diagnosis"
	"regain/provider/protocol"
	"regain/recovery"
	"regain/verifier"
)

// Verifier checks presented credentials; *verifier.Verifier in production.
type Verifier interface {
	Verify(ctx context.Context, p verifier.Presentation, expect verifier.Expect) (verifier.Verified, error)
}

// Submission is a wallet's answer to the query of a profile for some formats.
type Submission struct {
	Profile recovery.Profile
	Formats []string
	Answer  protocol.Answer
}

// Verify performs all checks that make an answer evidence: it contains what was requested, it is genuine, and the
// verified credentials match the query. d records the result of each check. An error other than
// verifier.ErrUnavailable means that the answer is refused.
func (r *Rules) Verify(ctx context.Context, v Verifier, s Submission, d *diagnosis.Diagnosis) (recovery.Evidence, error) {
	in, err := r.input(s)
	if err := d.Step("asked for", err); err != nil {
		return recovery.Evidence{}, err
	}
	verified, err := v.Verify(ctx, in.presentation, in.expect)
	if err := d.Step("genuine", err); err != nil {
		return recovery.Evidence{}, err
	}
	for _, cause := range verified.Causes() {
		d.Note("credential", false, cause)
	}
	evaluation, err := in.compare(verified)
	if err := d.Step("matches the query", err); err != nil {
		d.Query = &evaluation
		return recovery.Evidence{}, err
	}
	return in.evidence(verified), nil
}

// verificationInput is the input of the verifier for an answer.
type verificationInput struct {
	presentation verifier.Presentation
	expect       verifier.Expect

	rule  int // index of the profile's credential that the Verified ID belongs to
	bound []recovery.Binding
	query dcql.Query
	// Ids of the credential queries; faceCheck is "" without a Face Check.
	verifiedID, faceCheck string
}

// input converts an answer to the verifier's input. If several alternatives were presented, the preferred one is
// used.
func (r *Rules) input(s Submission) (verificationInput, error) {
	profile, answer := s.Profile, s.Answer
	q := verificationInput{
		presentation: verifier.Presentation{IDToken: answer.IDToken},
		expect:       verifier.Expect{Session: answer.Session, TransactionData: answer.TransactionData},
	}
	var err error
	if q.query, err = r.Query(profile, s.Formats); err != nil {
		return q, err
	}
	chosen, err := q.query.Choose(answer.IDs())
	if err != nil {
		return q, fmt.Errorf("%w: %w", presentation.ErrMissing, err)
	}
	rules := rulesIn(profile, s.Formats)
	for _, id := range chosen {
		at := answer.Presentations[id]
		switch i := slices.IndexFunc(q.query.Credentials, func(c dcql.Credential) bool { return c.ID == id }); dcql.Role(id) {
		case dcql.VerifiedID:
			q.verifiedID, q.rule = id, rules[i] // dcql.Recovery puts the Verified IDs first, in the order of the rules
			q.presentation.VerifiedID, q.presentation.VerifiedIDAt = at.Text, at.At
		case dcql.FaceCheck:
			q.faceCheck, q.presentation.FaceCheck, q.presentation.FaceCheckAt = id, at.Text, at.At
		}
	}
	if q.verifiedID == "" {
		return q, presentation.ErrMissing
	}
	rule := profile.Credentials[q.rule]
	q.bound, q.expect.VerifiedID = rule.Bindings, verifier.Wanted{Format: rule.Format, Types: rule.Types}
	if !profile.FaceCheck.NotAsked {
		q.expect.FaceCheck = r.ReceiptFor(rule.Format)
	}
	return q, nil
}

// compare evaluates the query against the verified credentials: wallets are not trusted to have followed it
// (OpenID4VP 1.0 §14.11). The error wraps presentation.ErrRejected; the evaluation contains every mismatch.
func (q verificationInput) compare(verified verifier.Verified) (dcql.Evaluation, error) {
	answer := map[string][]dcql.Presentation{q.verifiedID: {asDCQL(verified.VerifiedID())}}
	if q.faceCheck != "" {
		answer[q.faceCheck] = []dcql.Presentation{asDCQL(verified.Receipt())}
	}
	// Only the chosen alternative was verified, so only it is compared. Other presentations are ignored.
	evaluation, err := q.query.Evaluate(answer)
	if err != nil {
		return evaluation, fmt.Errorf("%w: %w", presentation.ErrRejected, err)
	}
	return evaluation, nil
}

// asDCQL converts a verified credential for comparison with the query. Callers pass only credentials whose holder
// binding was verified. The issuer's CA is not included: trusted_authorities is a hint for the wallet, and the trust
// rules decide.
func asDCQL(s verifier.PresentedCredential) dcql.Presentation {
	return dcql.Presentation{
		CredentialFormat: s.Format, Types: s.Types, Claims: s.Claims, HolderBound: true, Withheld: s.Format == dcql.FormatSDJWT,
	}
}
