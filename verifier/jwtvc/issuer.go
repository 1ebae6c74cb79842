package jwtvc

import (
	"context"
	"crypto"
	"errors"
	"fmt"

	"regain/verifier/did"
)

// VerifyIssuer verifies the issuer's signature with a key under assertionMethod of the DID document of iss, and returns
// the DID. Callers first check that Issuer is trusted: with did:web the author of the VC chose the host that is fetched
// from.
//
// A VC with certificates is refused. The caller decides which of the two key mechanisms is right for an issuer, never
// the VC (SD-JWT VC §2.5).
func (c *Credential) VerifyIssuer(ctx context.Context, r Resolver) (did.DID, error) {
	if len(c.Certificates()) > 0 {
		return did.DID{}, fmt.Errorf("%w: VC has certificates", ErrIssuer)
	}
	id, key, err := keyOf(ctx, r, c.signed, c.Issuer(), did.AssertionMethod)
	if err != nil {
		return did.DID{}, wrapUnlessOutage(ErrIssuer, "VC", err)
	}
	if err := c.signed.Verify(key); err != nil {
		return did.DID{}, fmt.Errorf("%w: VC: %w", ErrIssuer, err)
	}
	return id, nil
}

// VerifyChain verifies the issuer's signature with the key of the leaf of Certificates. The caller checks that the
// chain is trusted, and trusted for this iss.
func (c *Credential) VerifyChain(leaf crypto.PublicKey) error {
	if len(c.Certificates()) == 0 {
		return fmt.Errorf("%w: %w", ErrIssuer, errors.New("VC has no certificates"))
	}
	if err := c.signed.Verify(leaf); err != nil {
		return fmt.Errorf("%w: VC: %w", ErrIssuer, err)
	}
	return nil
}
