// Package did makes and resolves the decentralized identifiers of all counterparts: did:ion in its long form (Sidetree
// v1.0.0, offline), did:jwk, and did:web.
//
// A did:ion in short form has to be asked of an ION node, of which there is none here.
package did

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"regain/conformance/jose"
)

// Why a DID leads to no key. No message quotes a DID, which names a person.
var (
	ErrMethod   = errors.New("no DID of a method that is resolved here")
	ErrDocument = errors.New("the DID document is not one")
	ErrNoKey    = errors.New("the DID document has no such key")
	ErrKID      = errors.New("its kid is not a DID and the name of a key")
)

const longest = 16 << 10 // bytes of a DID

// Resolver resolves DIDs.
type Resolver struct {
	// Get fetches the document of a did:web. Without it did:web is not resolved, so that no stranger has a server fetch
	// anything.
	Get func(ctx context.Context, location string) ([]byte, error)
	// PlainLocalhost fetches the documents of names under localhost by http: on one machine there are no certificates.
	PlainLocalhost bool
}

// Resolve returns the document of a DID.
func (r Resolver) Resolve(ctx context.Context, did string) (Document, error) {
	switch {
	case len(did) > longest:
		return Document{}, ErrMethod
	case strings.HasPrefix(did, jwkPrefix):
		return resolveJWK(did)
	case strings.HasPrefix(did, ionPrefix):
		return resolveION(did)
	case strings.HasPrefix(did, webPrefix) && r.Get != nil:
		return r.resolveWeb(ctx, did)
	}
	return Document{}, ErrMethod
}

// Signer resolves the DID in a kid, an absolute DID URL, and finds the key that it names.
func (r Resolver) Signer(ctx context.Context, kid string) (d Document, name string, key any, err error) {
	id, name, found := strings.Cut(kid, "#")
	if !found || name == "" || !strings.HasPrefix(id, "did:") {
		return Document{}, "", nil, ErrKID
	}
	if d, err = r.Resolve(ctx, id); err != nil {
		return Document{}, "", nil, fmt.Errorf("resolving its signer: %w", err)
	}
	key, err = d.Key(name)
	return d, name, key, err
}

// Signed is a JWS whose signature was verified with a key of a DID.
type Signed struct {
	DID       string
	KeyName   string
	Algorithm string
	Payload   []byte
	Document  Document
}

// Verify verifies a JWS with the key that its kid names.
func (r Resolver) Verify(ctx context.Context, token jose.Token) (Signed, error) {
	document, name, key, err := r.Signer(ctx, token.KeyID)
	if err != nil {
		return Signed{}, err
	}
	payload, err := token.Verify(key)
	if err != nil {
		return Signed{}, err
	}
	return Signed{DID: document.ID, KeyName: name, Algorithm: token.Algorithm, Payload: payload, Document: document}, nil
}

// HolderMethods are the DID methods of holders, as credential issuer metadata lists them.
func HolderMethods() []string { return []string{string(JWK), string(ION)} }

// HolderAlgorithms are what a holder's key may sign with.
func HolderAlgorithms() []string { return []string{jose.ES256K, jose.ES256, jose.EdDSA} }

// Holder finds the key of a did:jwk or a long-form did:ion that an absolute DID URL names, if it is under
// authentication (W3C DID Core 1.0 §5.3.1). Nothing is fetched for it.
func Holder(kid string) (id string, key any, err error) {
	document, name, key, err := Resolver{}.Signer(context.Background(), kid)
	if err != nil {
		return "", nil, err
	}
	if !document.authenticatesWith(name, key) {
		return "", nil, ErrNoKey
	}
	return document.ID, key, nil
}

// CheckHolder reports why a DID is none that a credential could be bound to.
func CheckHolder(id string) error {
	document, err := Resolver{}.Resolve(context.Background(), id)
	if err != nil {
		return err
	}
	for _, name := range document.authenticates {
		if key, err := document.Key(name); err == nil && document.authenticatesWith(name, key) {
			return nil
		}
	}
	return ErrNoKey
}

func (d Document) authenticatesWith(name string, key any) bool {
	return slices.Contains(d.authenticates, name) && slices.Contains(HolderAlgorithms(), jose.Algorithms(key)[0])
}
