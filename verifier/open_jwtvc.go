package verifier

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"regain/verifier/did"
	"regain/verifier/jwtvc"
	"regain/verifier/status"
)

// openJWTVC opens one JWT VC of a VP (OpenID4VP 1.0 Appendix B.1.3.1, JWT VC Presentation Profile).
func (v *Verifier) openJWTVC(ctx context.Context, presented string, at int, types []string, to requestBinding) (*credential, error) {
	parsed, err := jwtvc.ParseInsecure(presented, at)
	if err != nil {
		return nil, err
	}
	kind, ok := kindOf(parsed.Types(), types)
	if !ok {
		return nil, errors.New("its types are not among the requested ones")
	}
	binding := jwtvc.Binding{Nonce: to.Nonce, Audience: to.Audience, Now: to.now}
	holder, err := parsed.VerifyHolder(ctx, v.resolver, binding)
	if err != nil {
		return nil, err
	}
	if err := v.checkIDToken(ctx, to.idToken, holder, binding); err != nil {
		return nil, err
	}
	trusted, err := v.verifyVC(ctx, parsed.Credential, kind)
	if err != nil {
		return nil, err
	}
	claims := parsed.Claims()
	return &credential{
		format: FormatJWTVC, kind: kind, types: parsed.Types(), iss: parsed.Issuer(), chain: parsed.Certificates(), claims: claims,
		id: parsed.ID(), photos: parsed.Digests(), holder: holder.Key, issued: issuedVC(parsed.Credential), results: resultsIn(claims),
		trusted: trusted,
		current: func(now time.Time) (bool, error) { return current(parsed.Credential, now, "nbf") },
		status:  func() (status.Reference, bool, error) { return statusOfVC(parsed.Credential) },
	}, nil
}

// kindOf returns the type by which the trust rules are selected: the last type of the first set that the credential has
// completely. A set is written as its types with spaces between them.
func kindOf(types, sets []string) (string, bool) {
	for _, set := range sets {
		wanted := strings.Fields(set)
		if len(wanted) > 0 && !slices.ContainsFunc(wanted, func(t string) bool { return !slices.Contains(types, t) }) {
			return wanted[len(wanted)-1], true
		}
	}
	return "", false
}

// checkIDToken verifies the self-issued ID token, if there is one. Its subject must be the holder, or an attacker could
// add their own ID token to somebody else's presentation.
func (v *Verifier) checkIDToken(ctx context.Context, token string, holder jwtvc.Holder, binding jwtvc.Binding) error {
	if token == "" {
		return nil
	}
	who, err := jwtvc.VerifySelfIssued(ctx, v.resolver, token, binding)
	if err != nil {
		return err
	}
	if !holder.Is(who) {
		return fmt.Errorf("%w: the ID token and the presentation have different holders", jwtvc.ErrHolder)
	}
	return nil
}

// verifyVC verifies the issuer's signature, and returns the check whether the issuer is trusted. The trust rules decide
// which of the two key mechanisms (DID or x5c) applies, not the VC: the DID of an issuer that a rule names is resolved.
// The DID of an untrusted issuer is never resolved, because the author of the VC chose the host (SSRF); its credential
// is reported as untrusted without its signature being verified.
func (v *Verifier) verifyVC(ctx context.Context, c *jwtvc.Credential, kind string) (func(context.Context, time.Time) error, error) {
	if v.rules.KnowsDID(c.Issuer(), kind) {
		issuer, err := c.VerifyIssuer(ctx, v.resolver)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, _ time.Time) error { return v.checkDID(ctx, issuer, kind) }, nil
	}
	if len(c.Certificates()) == 0 {
		return func(context.Context, time.Time) error { return v.rules.CheckDID(c.Issuer(), kind) }, nil
	}
	leaf, err := v.rules.Leaf(c.Certificates(), kind)
	if err != nil {
		return nil, err
	}
	if err := c.VerifyChain(crypto.PublicKey(leaf)); err != nil {
		return nil, err
	}
	return func(_ context.Context, now time.Time) error {
		return v.rules.Check(c.Certificates(), kind, c.Issuer(), now)
	}, nil
}

// checkDID checks that a DID is trusted for a type and, if the rule says so, that the DID is linked to its domain (DIF
// Well Known DID Configuration).
func (v *Verifier) checkDID(ctx context.Context, issuer did.DID, kind string) error {
	if err := v.rules.CheckDID(issuer.String(), kind); err != nil || !v.rules.LinkedDomain(kind) {
		return err
	}
	_, err := v.linked.Verify(ctx, issuer)
	return err
}

// issuedVC returns the issuance time of a VC: nbf, which stands for issuanceDate (VCDM 1.1 §6.3.1), or iat where there
// is no nbf, as in Entra's. If both are there the earlier counts, so that a receipt cannot pass for fresher than either
// says.
func issuedVC(c *jwtvc.Credential) (issued time.Time) {
	for _, name := range []string{"nbf", "iat"} {
		if seconds, there, err := c.Time(name); there && err == nil {
			if at := time.Unix(seconds, 0); issued.IsZero() || at.Before(issued) {
				issued = at
			}
		}
	}
	return issued
}

// statusOfVC returns the Token Status List entry. A W3C credentialStatus is an error: the issuer can revoke the
// credential, and this verifier could not find out.
func statusOfVC(c *jwtvc.Credential) (status.Reference, bool, error) {
	if _, there := c.Status(); there {
		return status.Reference{}, true, errors.New("credentialStatus has a type that is not supported")
	}
	return status.ReferenceIn(c.Claims())
}

// resultsIn returns the faceCheckResults of a JWT VC receipt, which are in credentialSubject.
func resultsIn(claims map[string]any) any {
	subject, _ := claims["credentialSubject"].(map[string]any)
	return subject["faceCheckResults"]
}
