package verifier

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"time"

	"regain/internal/clock"
	"regain/verifier/status"
)

// The formats that are verified, by their Credential Format Identifiers (OpenID4VP 1.0 Appendix B).
const (
	FormatSDJWT = "dc+sd-jwt"
	FormatMdoc  = "mso_mdoc"
	FormatJWTVC = "jwt_vc_json"
)

// credential is one that its holder presented for this request and that its issuer, whoever that is, really signed. What
// follows is the same for every format; how it is found out is in a file for each.
type credential struct {
	format  string
	kind    string         // the type that rules of trust are about: vct, doctype, or W3C type
	types   []string       // all that it says to be
	iss     string         // who says to have issued it; "" if it does not say
	chain   [][]byte       // the issuer's certificates
	claims  map[string]any // what DCQL paths walk
	id      string         // how a Face Check receipt names it
	photos  []string       // digests of what may be its photo, as a receipt names it
	results any            // faceCheckResults of a receipt
	holder  crypto.PublicKey
	issued  time.Time // zero if it does not say

	// trusted checks that the issuer is trusted for this type.
	trusted func(ctx context.Context, now time.Time) error
	// current checks when it is valid, and reports whether it ends by itself. Without an end its status must say when.
	current func(now time.Time) (ends bool, err error)
	status  func() (status.Reference, bool, error)
}

// presented is what others may see of a credential.
func (c *credential) presented() PresentedCredential {
	if c == nil {
		return PresentedCredential{}
	}
	return PresentedCredential{Format: c.format, Types: c.types, Claims: c.claims}
}

// bound is what a presentation must be bound to, at a time.
type bound struct {
	Session
	transactionData []string
	idToken         string // self-issued, where the protocol has one
	now             time.Time
}

// open reads a presentation in the format that was asked for and checks every signature. What needs no trust comes
// first. It fails for everything that is not a genuine answer.
func (v *Verifier) open(ctx context.Context, presented string, at int, want Wanted, to bound) (*credential, error) {
	if len(to.transactionData) > 0 && want.Format != FormatSDJWT {
		return nil, errors.New("its format has no place for transaction data, which the request demanded") // Appendix B.2.1
	}
	switch want.Format {
	case FormatSDJWT:
		return v.openSDJWT(presented, want.Types, to)
	case FormatMdoc:
		return v.openMdoc(presented, want.Types, to)
	case FormatJWTVC:
		return v.openJWTVC(ctx, presented, at, want.Types, to)
	}
	return nil, fmt.Errorf("the format %q is not verified here", want.Format)
}

// dated is a JWT, whose times are NumericDates (RFC 7519 §2).
type dated interface {
	Time(name string) (seconds int64, there bool, err error)
}

// current checks that none of a JWT's beginnings is in the future, and exp; of a JWT VC nbf and exp stand for issuanceDate
// and expirationDate (VCDM 1.1 §6.3.1). It reports whether it ends by itself.
func current(c dated, now time.Time, beginnings ...string) (ends bool, err error) {
	for _, name := range beginnings {
		seconds, there, err := c.Time(name)
		if err != nil || there && clock.Issuers.InFuture(time.Unix(seconds, 0), now) {
			return false, errors.Join(fmt.Errorf("%s is in the future, or no date", name), err)
		}
	}
	seconds, there, err := c.Time("exp")
	if err != nil || there && clock.Over(time.Unix(seconds, 0), now) {
		return false, errors.Join(errors.New("exp is past, or no date"), err)
	}
	return there, nil
}
