// Package did makes and resolves the decentralized identifiers of the JWT VC Presentation Profile:
// did:ion in its long form (Sidetree 1.0, offline), did:jwk, and did:web.
//
// A did:ion in short form has to be asked of an ION node, which this wallet has none of.
package did

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"regain/conformance/wallet/authenticator/agent"
	"regain/conformance/wallet/authenticator/jws"
)

// Why a DID leads to no key.
var (
	ErrMethod   = errors.New("no DID of a method that this wallet resolves")
	ErrDocument = errors.New("the DID document is not one")
	ErrNoKey    = errors.New("the DID document has no such key")
	ErrKID      = errors.New("its kid is not a DID and the name of a key")
)

const longest = 16 << 10 // bytes of a DID

// Resolver resolves DIDs.
type Resolver struct {
	Agent agent.Agent
	// PlainLocalhost fetches the documents of names under localhost by http: in a world on one
	// machine nobody has certificates.
	PlainLocalhost bool
}

// Resolve returns the document of a DID.
func (r Resolver) Resolve(ctx context.Context, did string) (Document, error) {
	if len(did) > longest {
		return Document{}, ErrMethod
	}
	switch {
	case strings.HasPrefix(did, jwkPrefix):
		return resolveJWK(did)
	case strings.HasPrefix(did, ionPrefix):
		return resolveION(did)
	case strings.HasPrefix(did, webPrefix):
		return r.resolveWeb(ctx, did)
	}
	return Document{}, ErrMethod
}

// Signed is a JWS whose signature was verified with a key of a DID.
type Signed struct {
	DID       string
	KeyName   string
	Algorithm jws.Algorithm
	Payload   []byte
	Document  Document
}

// Verify verifies a JWS with the key that its kid names, an absolute DID URL.
func (r Resolver) Verify(ctx context.Context, compact string) (Signed, error) {
	token, err := jws.Parse(compact)
	if err != nil {
		return Signed{}, err
	}
	id, name, ok := strings.Cut(token.KeyID, "#")
	if !ok || name == "" || !strings.HasPrefix(id, "did:") {
		return Signed{}, ErrKID
	}
	document, err := r.Resolve(ctx, id)
	if err != nil {
		return Signed{}, fmt.Errorf("resolving its signer: %w", err)
	}
	key, err := document.Key(name)
	if err != nil {
		return Signed{}, err
	}
	payload, err := token.Verify(key)
	if err != nil {
		return Signed{}, err
	}
	return Signed{DID: id, KeyName: name, Algorithm: token.Algorithm, Payload: payload, Document: document}, nil
}
