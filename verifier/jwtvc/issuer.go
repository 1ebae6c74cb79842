package jwtvc

import (
	"context"
	"crypto"
	"errors"
	"fmt"

	"regain/verifier/did"
)

// VerifyIssuer checks the issuer's signature, by a key under assertionMethod of the DID document of iss, and returns
// the DID. Ask first whether anybody trusts Issuer: with did:web, whoever wrote the VC chose the host that is asked.
//
// A VC that brings certificates is refused. Which of the two mechanisms is right for an issuer is for the caller to
// know, and not for the VC to choose (SD-JWT VC §2.5).
func (c *Credential) VerifyIssuer(ctx context.Context, r Resolver) (did.DID, error) {
	if len(c.Certificates()) > 0 {
		return did.DID{}, fmt.Errorf("%w: VC brings certificates", ErrIssuer)
	}
	id, key, err := keyOf(ctx, r, c.signed, c.Issuer(), did.AssertionMethod)
	if err != nil {
		return did.DID{}, classed(ErrIssuer, "VC", err)
	}
	if err := c.signed.Verify(key); err != nil {
		return did.DID{}, fmt.Errorf("%w: VC: %w", ErrIssuer, err)
	}
	return id, nil
}

// VerifyChain checks the issuer's signature with the key of the leaf of Certificates. That the chain leads to somebody
// who is trusted, and may speak for iss, is for the caller to check.
func (c *Credential) VerifyChain(leaf crypto.PublicKey) error {
	if len(c.Certificates()) == 0 {
		return fmt.Errorf("%w: %w", ErrIssuer, errors.New("VC brings no certificates"))
	}
	if err := c.signed.Verify(leaf); err != nil {
		return fmt.Errorf("%w: VC: %w", ErrIssuer, err)
	}
	return nil
}
