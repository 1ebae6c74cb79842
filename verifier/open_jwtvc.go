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
func (v *Verifier) openJWTVC(ctx context.Context, presented string, at int, types []string, to bound) (*credential, error) {
	parsed, err := jwtvc.ParseInsecure(presented, at)
	if err != nil {
		return nil, err
	}
	kind, ok := kindOf(parsed.Types(), types)
	if !ok {
		return nil, errors.New("its types are not ones that were asked for")
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

// kindOf returns the type that rules of trust are about: the last of the first set of types that the credential has as a
// whole. A set is written with spaces between its types.
func kindOf(types, sets []string) (string, bool) {
	for _, set := range sets {
		wanted := strings.Fields(set)
		if len(wanted) > 0 && !slices.ContainsFunc(wanted, func(t string) bool { return !slices.Contains(types, t) }) {
			return wanted[len(wanted)-1], true
		}
	}
	return "", false
}

// checkIDToken checks the ID token that the wallet issued itself, where there is one: it must be the holder's.
func (v *Verifier) checkIDToken(ctx context.Context, token string, holder jwtvc.Holder, binding jwtvc.Binding) error {
	if token == "" {
		return nil
	}
	who, err := jwtvc.VerifySelfIssued(ctx, v.resolver, token, binding)
	if err != nil {
		return err
	}
	if !holder.Is(who) {
		return fmt.Errorf("%w: the ID token is another's than the presentation", jwtvc.ErrHolder)
	}
	return nil
}

// verifyVC checks the issuer's signature, and returns the check of whether it is trusted. By which of two mechanisms it
// is known is for the rules to say, and not for the VC to choose: an issuer that is trusted by its DID is asked by it.
// One that nobody trusts is not asked at all, since whoever wrote the VC chose the host; it is objected to, unverified.
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

// checkDID checks that a DID is trusted for a type and, where the rule wants it, that the DID's domain vouches for it.
func (v *Verifier) checkDID(ctx context.Context, issuer did.DID, kind string) error {
	if err := v.rules.CheckDID(issuer.String(), kind); err != nil || !v.rules.LinkedDomain(kind) {
		return err
	}
	_, err := v.linked.Verify(ctx, issuer)
	return err
}

// issuedVC is when a VC says that it was issued: nbf, which stands for issuanceDate (VCDM 1.1 §6.3.1), or iat where it has
// none, as Entra's. Of two that differ the earlier counts: a Face Check is no fresher than its receipt says anywhere.
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

// statusOfVC finds a Token Status List entry. A credentialStatus of another kind cannot be looked up, so it is an error:
// its issuer said that the credential can be revoked.
func statusOfVC(c *jwtvc.Credential) (status.Reference, bool, error) {
	if _, there := c.Status(); there {
		return status.Reference{}, true, errors.New("credentialStatus is of a kind that cannot be looked up here")
	}
	return status.ReferenceIn(c.Claims())
}

// resultsIn are the faceCheckResults of a receipt that is a JWT VC: they are of its subject.
func resultsIn(claims map[string]any) any {
	subject, _ := claims["credentialSubject"].(map[string]any)
	return subject["faceCheckResults"]
}
