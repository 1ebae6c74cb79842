package verifier

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"regain/verifier/sdjwt"
	"regain/verifier/status"
)

// openSDJWT opens an SD-JWT VC with key binding (OpenID4VP 1.0 Appendix B.3).
func (v *Verifier) openSDJWT(presented string, types []string, to bound) (*credential, error) {
	parsed, err := sdjwt.ParseInsecure(presented)
	if err != nil {
		return nil, err
	}
	vct, ok := parsed.Text("vct")
	if !ok || !slices.Contains(types, vct) {
		return nil, errors.New("vct is not one that was asked for")
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
		current: func(now time.Time) (bool, error) { return currentSDJWT(parsed, now) },
		status:  func() (status.Reference, bool, error) { return status.ReferenceIn(parsed.Claims()) },
	}, nil
}

// currentSDJWT checks iat, nbf and exp.
func currentSDJWT(c *sdjwt.Parsed, now time.Time) (ends bool, err error) {
	for _, name := range []string{"iat", "nbf"} {
		seconds, there, err := c.Time(name)
		if err != nil || there && time.Unix(seconds, 0).After(now.Add(clockSkew)) {
			return false, errors.Join(fmt.Errorf("%s is in the future, or no date", name), err)
		}
	}
	seconds, there, err := c.Time("exp")
	if err != nil || there && !now.Before(time.Unix(seconds, 0)) {
		return false, errors.Join(errors.New("exp is past, or no date"), err)
	}
	return there, nil
}
