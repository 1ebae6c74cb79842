package provider

import (
	"fmt"
	"slices"

	"regain/presentation"
	"regain/presentation/dcql"
	"regain/provider/diagnosis"
	"regain/recovery"
	"regain/verifier"
)

// question is what the verifier is asked about an answer.
type question struct {
	shown  verifier.Presentation
	expect verifier.Expect
	rule   int // which of the profile's credentials the Verified ID is
	query  dcql.Query
	// Ids of the credential queries; the second is "" without a Face Check.
	verifiedID, faceCheck string
}

// question puts an answer to the verifier. Of several alternatives that came the preferred one counts.
func (p *Provider) question(profile recovery.Profile, e exchange, answer opened) (question, error) {
	q := question{shown: verifier.Presentation{IDToken: answer.idToken}, expect: verifier.Expect{Session: answer.session, TransactionData: answer.data}}
	var err error
	if q.query, err = p.queryFor(profile, e.formats()); err != nil {
		return q, err
	}
	chosen, err := q.query.Choose(answer.ids())
	if err != nil {
		return q, fmt.Errorf("%w: %w", presentation.ErrMissing, err)
	}
	rules := rulesFor(profile, e.formats())
	for _, id := range chosen {
		at := answer.shown[id]
		switch i := slices.IndexFunc(q.query.Credentials, func(c dcql.Credential) bool { return c.ID == id }); dcql.Role(id) {
		case dcql.VerifiedID:
			q.verifiedID, q.rule = id, rules[i] // Recovery asks for the Verified IDs first, in the order of the rules
			q.shown.VerifiedID, q.shown.VerifiedIDAt = at.text, at.at
			q.expect.VerifiedID = verifier.Wanted{Format: profile.Credentials[q.rule].Format, Types: profile.Credentials[q.rule].Types}
		case dcql.FaceCheck:
			q.faceCheck, q.shown.FaceCheck, q.shown.FaceCheckAt = id, at.text, at.at
		}
	}
	if q.verifiedID == "" {
		return q, presentation.ErrMissing
	}
	if !profile.FaceCheck.NotAsked {
		q.expect.FaceCheck = p.receiptFor(q.expect.VerifiedID.Format)
	}
	return q, nil
}

// compare holds what was verified against the query: wallets are not trusted to have followed it (OpenID4VP 1.0 §14.11).
func (q question) compare(d *diagnosis.Diagnosis, verified verifier.Verified) error {
	answer := map[string][]dcql.Presentation{q.verifiedID: {asDCQL(verified.VerifiedID())}}
	if q.faceCheck != "" {
		answer[q.faceCheck] = []dcql.Presentation{asDCQL(verified.Receipt())}
	}
	evaluation, err := q.query.Evaluate(answer)
	if err != nil {
		d.Query = &evaluation
		return fmt.Errorf("%w: %w", presentation.ErrRejected, err)
	}
	return nil
}

// asDCQL is what a query is compared with. Only what its holder presented gets here. Which authority certified the issuer
// is not among it: that was a hint to the wallet, and is for the rules of trust to say.
func asDCQL(s verifier.Shown) dcql.Presentation {
	return dcql.Presentation{
		CredentialFormat: s.Format, Types: s.Types, Claims: s.Claims, HolderBound: true, Withheld: s.Format == dcql.FormatSDJWT,
	}
}
