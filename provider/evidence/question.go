package evidence

import (
	"fmt"
	"slices"

	"regain/presentation"
	"regain/presentation/dcql"
	"regain/provider/exchange"
	"regain/recovery"
	"regain/verifier"
)

// Question is what the verifier is asked about an answer.
type Question struct {
	Shown  verifier.Presentation
	Expect verifier.Expect

	rule  int // which of the profile's credentials the Verified ID is
	bound []recovery.Binding
	query dcql.Query
	// Ids of the credential queries; the second is "" without a Face Check.
	verifiedID, faceCheck string
}

// Question puts an answer to the verifier. Of several alternatives that came the preferred one counts.
func (r *Rules) Question(profile recovery.Profile, formats []string, answer exchange.Answer) (Question, error) {
	q := Question{
		Shown:  verifier.Presentation{IDToken: answer.IDToken},
		Expect: verifier.Expect{Session: answer.Session, TransactionData: answer.TransactionData},
	}
	var err error
	if q.query, err = r.Query(profile, formats); err != nil {
		return q, err
	}
	chosen, err := q.query.Choose(answer.IDs())
	if err != nil {
		return q, fmt.Errorf("%w: %w", presentation.ErrMissing, err)
	}
	rules := rulesIn(profile, formats)
	for _, id := range chosen {
		at := answer.Shown[id]
		switch i := slices.IndexFunc(q.query.Credentials, func(c dcql.Credential) bool { return c.ID == id }); dcql.Role(id) {
		case dcql.VerifiedID:
			q.verifiedID, q.rule = id, rules[i] // Recovery asks for the Verified IDs first, in the order of the rules
			q.Shown.VerifiedID, q.Shown.VerifiedIDAt = at.Text, at.At
		case dcql.FaceCheck:
			q.faceCheck, q.Shown.FaceCheck, q.Shown.FaceCheckAt = id, at.Text, at.At
		}
	}
	if q.verifiedID == "" {
		return q, presentation.ErrMissing
	}
	rule := profile.Credentials[q.rule]
	q.bound, q.Expect.VerifiedID = rule.Bindings, verifier.Wanted{Format: rule.Format, Types: rule.Types}
	if !profile.FaceCheck.NotAsked {
		q.Expect.FaceCheck = r.ReceiptFor(rule.Format)
	}
	return q, nil
}

// Compare holds what was verified against the query: wallets are not trusted to have followed it (OpenID4VP 1.0 §14.11).
// The error wraps presentation.ErrRejected; the evaluation has every mismatch.
func (q Question) Compare(verified verifier.Verified) (dcql.Evaluation, error) {
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
func asDCQL(s verifier.Shown) dcql.Presentation {
	return dcql.Presentation{
		CredentialFormat: s.Format, Types: s.Types, Claims: s.Claims, HolderBound: true, Withheld: s.Format == dcql.FormatSDJWT,
	}
}
