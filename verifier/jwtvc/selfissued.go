package jwtvc

import (
	"context"
	"crypto/subtle"
	"fmt"
	"strings"

	"regain/verifier/did"
)

// selfIssued is the iss of a self-issued ID token (SIOPv2). The JWT VC Presentation Profile (ID Token Validation)
// appends /openid-vc.
const selfIssued = "https://self-issued.me/v2"

// VerifySelfIssued verifies the self-issued ID token that accompanies the presentations (JWT VC Presentation Profile,
// ID Token Validation): signed for this request, at this time, with a key under authentication of the DID in sub. It
// returns the DID. The caller checks that this is the DID of the holder.
func VerifySelfIssued(ctx context.Context, r Resolver, raw string, want Binding) (did.DID, error) {
	const maxToken = 32 << 10 // characters
	if len(raw) > maxToken {
		return did.DID{}, fmt.Errorf("%w: ID token: longer than %d characters", ErrMalformed, maxToken)
	}
	signed, err := form().ParseInsecure(raw)
	if err != nil {
		return did.DID{}, fmt.Errorf("ID token: %w", err)
	}
	iss, _ := signed.Payload["iss"].(string)
	if rest, ok := strings.CutPrefix(iss, selfIssued); !ok || rest != "" && rest != "/openid-vc" {
		return did.DID{}, fmt.Errorf("%w: ID token: iss is not %s", ErrHolder, selfIssued)
	}
	token := &Parsed{presentation: signed}
	if err := token.checkRequest(want); err != nil {
		return did.DID{}, fmt.Errorf("ID token: %w", err)
	}
	if err := token.checkTime(want.Now); err != nil {
		return did.DID{}, fmt.Errorf("ID token: %w", err)
	}
	sub, _ := signed.Payload["sub"].(string)
	id, key, err := keyOf(ctx, r, signed, sub, did.Authentication)
	if err != nil {
		return did.DID{}, wrapUnlessOutage(ErrHolder, "ID token", err)
	}
	if err := signed.Verify(key); err != nil {
		return did.DID{}, fmt.Errorf("%w: ID token: %w", ErrHolder, err)
	}
	return id, nil
}

// Is reports whether the holder has this DID.
func (h Holder) Is(id did.DID) bool {
	return subtle.ConstantTimeCompare([]byte(h.DID.String()), []byte(id.String())) == 1 && id != did.DID{}
}
