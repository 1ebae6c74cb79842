package verifier

import (
	"context"
	"errors"
	"slices"
	"time"

	"regain/verifier/sdjwt"
	"regain/verifier/status"
)

// openSDJWT opens an SD-JWT VC with key binding (OpenID4VP 1.0 Appendix B.3).
func (v *Verifier) openSDJWT(presented string, types []string, to requestBinding) (*credential, error) {
	parsed, err := sdjwt.ParseInsecure(presented)
	if err != nil {
		return nil, err
	}
	vct, ok := parsed.Text("vct")
	if !ok || !slices.Contains(types, vct) {
		return nil, errors.New("vct is not a requested one")
	}
	holder, err := parsed.VerifyHolder(sdjwt.Binding{Nonce: to.Nonce, Audience: to.Audience, TransactionData: to.transactionData, Now: to.now})
	if err != nil {
		return nil, err
	}
	issuer, err := v.rules.Leaf(parsed.Certificates(), vct)
	if err != nil {
		return nil, err
	}
	if err := parsed.VerifyIssuer(issuer); err != nil {
		return nil, err
	}
	iss, _ := parsed.Text("iss")
	id, _ := parsed.Text("jti")
	var issued time.Time
	if seconds, there, err := parsed.Time("iat"); there && err == nil {
		issued = time.Unix(seconds, 0)
	}
	return &credential{
		format: FormatSDJWT, kind: vct, types: []string{vct}, iss: iss, chain: parsed.Certificates(), claims: parsed.Claims(), id: id, photos: parsed.Digests(), holder: holder, issued: issued,
		results: parsed.Claims()["faceCheckResults"],
		trusted: func(_ context.Context, now time.Time) error {
			return v.rules.Check(parsed.Certificates(), vct, iss, now)
		},
		current: func(now time.Time) (bool, error) { return current(parsed, now, "iat", "nbf") },
		status:  func() (status.Reference, bool, error) { return status.ReferenceIn(parsed.Claims()) },
	}, nil
}
