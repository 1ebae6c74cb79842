package request

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"regain/conformance/did"
	"regain/conformance/jose"
	"regain/conformance/wallet/agent"
)

// byDID takes a request that is signed by a key of the DID: the one that the header's kid, a DID
// URL, names among its verification methods (OpenID4VP 1.0 §5.9.3).
func (r *Reader) byDID(ctx context.Context, who claimed, o object) (sender, error) {
	compact, err := mustBeSigned(o)
	if err != nil {
		return sender{}, err
	}
	token, err := jose.ParseTyped(compact, objectType)
	if err != nil {
		return sender{}, turnDown(InvalidRequest, "%w", err)
	}
	if id, _, _ := strings.Cut(token.KeyID, "#"); id != who.name {
		return sender{}, turnDown(InvalidRequest, "kid is not a DID URL of the client_id's DID")
	}
	signed, err := did.Resolver{Get: r.getDocument}.Verify(ctx, token)
	if err != nil {
		return sender{}, turnDown(InvalidRequest, "%w", err)
	}
	return sender{Verifier: Verifier{Name: agent.Clip(signed.DID), Authenticated: true}, payload: signed.Payload, signed: true}, nil
}

func (r *Reader) getDocument(ctx context.Context, location string) ([]byte, error) {
	kinds := []string{"application/did+json", "application/did+ld+json", "application/json"}
	body, mediaType, err := r.Transport.Get(ctx, location, strings.Join(kinds, ", "))
	if err == nil && !slices.Contains(kinds, mediaType) {
		err = fmt.Errorf("its document is %s", mediaType)
	}
	return body, err
}
