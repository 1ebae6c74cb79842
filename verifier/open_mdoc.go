package verifier

import (
	"context"
	"errors"
	"slices"
	"time"

	"regain/internal/clock"
	"regain/verifier/mdoc"
	"regain/verifier/status"
)

// openMdoc opens an mdoc (OpenID4VP 1.0 Appendix B.2, ISO 18013-5 §9.3).
func (v *Verifier) openMdoc(presented string, types []string, to requestBinding) (*credential, error) {
	parsed, err := mdoc.ParseInsecure(presented)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(types, parsed.DocType()) {
		return nil, errors.New("docType is not the requested one")
	}
	session := mdoc.Session{ClientID: to.Audience, Nonce: to.Nonce, ResponseURI: to.ResponseURI, Origin: to.Origin, Thumbprint: to.Thumbprint}
	holder, err := parsed.VerifyHolder(session)
	if err != nil {
		return nil, err
	}
	issuer, err := v.rules.Leaf(parsed.Certificates(), parsed.DocType())
	if err != nil {
		return nil, err
	}
	if err := parsed.VerifyIssuer(issuer); err != nil {
		return nil, err
	}
	signed, _, _ := parsed.Validity()
	return &credential{
		format: FormatMdoc, kind: parsed.DocType(), types: []string{parsed.DocType()}, chain: parsed.Certificates(), claims: parsed.Claims(),
		id: parsed.ID(), photos: parsed.Digests(), holder: holder, issued: signed,
		trusted: func(_ context.Context, now time.Time) error {
			return v.rules.CheckDocument(parsed.Certificates(), parsed.DocType(), signed, now)
		},
		current: func(now time.Time) (bool, error) { return true, currentMdoc(parsed, now) },
		status:  func() (status.Reference, bool, error) { return statusOf(parsed) },
	}, nil
}

// currentMdoc checks the validityInfo of the Mobile Security Object (ISO 18013-5 §9.1.2.4), where validUntil is
// mandatory.
func currentMdoc(c *mdoc.Parsed, now time.Time) error {
	signed, from, until := c.Validity()
	if clock.Issuers.InFuture(signed, now) || clock.Issuers.InFuture(from, now) {
		return errors.New("signed or validFrom is in the future")
	}
	if clock.Over(until, now) {
		return errors.New("validUntil is past")
	}
	return nil
}

func statusOf(c *mdoc.Parsed) (status.Reference, bool, error) {
	uri, index, there, err := c.Status()
	return status.Reference{URI: uri, Index: index}, there, err
}
