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

// The supported Credential Format Identifiers (OpenID4VP 1.0 Appendix B).
const (
	FormatSDJWT = "dc+sd-jwt"
	FormatMdoc  = "mso_mdoc"
	FormatJWTVC = "jwt_vc_json"
)

// credential is a credential whose issuer signature and holder binding are verified. Whether its issuer is trusted is
// not decided yet. The fields are the same for every format; one file per format fills them in.
type credential struct {
	format  string
	kind    string         // the type that the trust rules select by: vct, doctype or W3C type
	types   []string       // every type that the credential claims
	iss     string         // the issuer that the credential claims; "" for none
	chain   [][]byte       // the issuer's certificates, DER, leaf first
	claims  map[string]any // the object that DCQL paths select from
	id      string         // the identifier that a Face Check receipt uses for this credential
	photos  []string       // digests of the candidate photos, as a receipt names them
	results any            // faceCheckResults of a receipt
	holder  crypto.PublicKey
	issued  time.Time // zero if the credential has no issuance date

	// trusted checks that the issuer is trusted for this type.
	trusted func(ctx context.Context, now time.Time) error
	// current checks the validity period, and reports whether the credential has an end of its own. One without an end
	// needs a status entry.
	current func(now time.Time) (ends bool, err error)
	status  func() (status.Reference, bool, error)
}

func (c *credential) presented() PresentedCredential {
	if c == nil {
		return PresentedCredential{}
	}
	return PresentedCredential{Format: c.format, Types: c.types, Claims: c.claims}
}

// requestBinding is what a presentation must be bound to, and the time of verification.
type requestBinding struct {
	Session
	transactionData []string
	idToken         string // the self-issued ID token (SIOPv2), "" for none
	now             time.Time
}

// open parses a presentation in the requested format and verifies the issuer's and the holder's signatures. An error
// means that the presentation is not a genuine answer to this request. Trust and validity are checked later.
func (v *Verifier) open(ctx context.Context, presented string, at int, want Wanted, to requestBinding) (*credential, error) {
	if len(to.transactionData) > 0 && want.Format != FormatSDJWT {
		// OpenID4VP 1.0 Appendix B.2.1: an mdoc carries them only where the transaction data type defines how; ours
		// does not.
		return nil, errors.New("its format cannot carry the transaction data that the request demanded")
	}
	switch want.Format {
	case FormatSDJWT:
		return v.openSDJWT(presented, want.Types, to)
	case FormatMdoc:
		return v.openMdoc(presented, want.Types, to)
	case FormatJWTVC:
		return v.openJWTVC(ctx, presented, at, want.Types, to)
	}
	return nil, fmt.Errorf("the format %q is not supported", want.Format)
}

// dated is a credential whose times are NumericDates (RFC 7519 §2).
type dated interface {
	Time(name string) (seconds int64, there bool, err error)
}

// current checks that none of the beginnings (such as iat and nbf) is in the future and that exp is not past. In a JWT
// VC nbf and exp stand for issuanceDate and expirationDate (VCDM 1.1 §6.3.1). It reports whether there is an exp.
func current(c dated, now time.Time, beginnings ...string) (ends bool, err error) {
	for _, name := range beginnings {
		seconds, there, err := c.Time(name)
		if err != nil || there && clock.Issuers.InFuture(time.Unix(seconds, 0), now) {
			return false, errors.Join(fmt.Errorf("%s is in the future or is not a date", name), err)
		}
	}
	seconds, there, err := c.Time("exp")
	if err != nil || there && clock.Over(time.Unix(seconds, 0), now) {
		return false, errors.Join(errors.New("exp is past or is not a date"), err)
	}
	return there, nil
}
