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

// Submission is a wallet's answer to what a profile asked for in some formats.
type Submission struct {
	Profile recovery.Profile
	Formats []string
	Answer  protocol.Answer
}

// Verify takes an answer through every check there is before it is evidence: that it holds what was asked for, that it is
// genuine, and that what was verified matches the query. d gets what each check said. An error that is not
// verifier.ErrUnavailable is a refusal of the answer.
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

// verificationInput is what the verifier is asked about an answer.
type verificationInput struct {
	presentation verifier.Presentation
	expect       verifier.Expect

	rule  int // which of the profile's credentials the Verified ID is
	bound []recovery.Binding
	query dcql.Query
	// Ids of the credential queries; the second is "" without a Face Check.
	verifiedID, faceCheck string
}

// input puts an answer to the verifier. Of several alternatives that came the preferred one counts.
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
			q.verifiedID, q.rule = id, rules[i] // Recovery asks for the Verified IDs first, in the order of the rules
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

// compare holds what was verified against the query: wallets are not trusted to have followed it (OpenID4VP 1.0 §14.11).
// The error wraps presentation.ErrRejected; the evaluation has every mismatch.
func (q verificationInput) compare(verified verifier.Verified) (dcql.Evaluation, error) {
	answer := map[string][]dcql.Presentation{q.verifiedID: {asDCQL(verified.VerifiedID())}}
	if q.faceCheck != "" {
		answer[q.faceCheck] = []dcql.Presentation{asDCQL(verified.Receipt())}
	}
	// Only the chosen option has been verified, so only it is compared: what else came is as if it had not.
	evaluation, err := q.query.Evaluate(answer)
	if err != nil {
		return evaluation, fmt.Errorf("%w: %w", presentation.ErrRejected, err)
	}
	return evaluation, nil
}

// asDCQL is what a query is compared with. Only what its holder presented gets here. Which authority certified the issuer
// is not among it: that was a hint to the wallet, and is for the rules of trust to say.
func asDCQL(s verifier.PresentedCredential) dcql.Presentation {
	return dcql.Presentation{
		CredentialFormat: s.Format, Types: s.Types, Claims: s.Claims, HolderBound: true, Withheld: s.Format == dcql.FormatSDJWT,
	}
}
