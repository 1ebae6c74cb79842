package did

import (
	"fmt"

	"regain/internal/strictjson"
	"regain/verifier/internal/jws"
)

const jwkDepth = 4

// resolveJWK reads the key that a did:jwk is. Its only URL is #0, whatever `kid` the JWK has.
func resolveJWK(id DID) (*Document, error) {
	raw, err := jws.Decode(id.id)
	if err != nil {
		return nil, fmt.Errorf("%w: did:jwk is not base64url in its canonical form", ErrMalformed)
	}
	jwk, err := strictjson.Object(raw, jwkDepth)
	if err != nil {
		return nil, fmt.Errorf("%w: did:jwk: %w", ErrMalformed, err)
	}
	// Unlike a document, it has no other key to offer. A private key must be rejected (did:jwk, security considerations).
	if _, err := jws.Key(jwk); err != nil {
		return nil, fmt.Errorf("%w: did:jwk: %w", ErrMalformed, err)
	}
	d := newDocument(id)
	if err := d.addKey("0", jwk); err != nil {
		return nil, err
	}
	d.may[Authentication]["0"], d.may[AssertionMethod]["0"] = true, true
	return d, nil
}
