package did

import (
	"fmt"

	"regain/internal/strictjson"
	"regain/verifier/internal/jws"
)

const jwkDepth = 4

// resolveJWK resolves a did:jwk, whose identifier is a JWK. Its only key is #0, whatever `kid` the JWK has.
func resolveJWK(id DID) (*Document, error) {
	raw, err := jws.Decode(id.id)
	if err != nil {
		return nil, fmt.Errorf("%w: did:jwk is not base64url in its canonical form", ErrMalformed)
	}
	jwk, err := strictjson.Object(raw, jwkDepth)
	if err != nil {
		return nil, fmt.Errorf("%w: did:jwk: %w", ErrMalformed, err)
	}
	// An unsupported key is an error here, since the DID has no other key. So is a private key (did:jwk, security
	// considerations).
	if _, err := jws.Key(jwk); err != nil {
		return nil, fmt.Errorf("%w: did:jwk: %w", ErrMalformed, err)
	}
	d := newDocument(id)
	if err := d.addKey("0", jwk); err != nil {
		return nil, err
	}
	d.purposes[Authentication]["0"], d.purposes[AssertionMethod]["0"] = true, true
	return d, nil
}
