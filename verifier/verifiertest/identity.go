package verifiertest

import (
	"crypto/rand"
	"testing"
)

// Identity is a DID with the key of its document.
type Identity struct {
	*Signer
	DID   string
	KeyID string // the DID URL of the key
}

// NewJWKIdentity makes a did:jwk.
func NewJWKIdentity(t testing.TB, algorithm string) *Identity {
	t.Helper()
	signer := NewSigner(t, algorithm)
	did := "did:jwk:" + Encode(JSON(t, signer.JWK(t)))
	return &Identity{Signer: signer, DID: did, KeyID: did + "#0"}
}

// NewIONIdentity makes a did:ion in its long form. Without purposes its key has authentication and assertionMethod.
func NewIONIdentity(t testing.TB, algorithm string, purposes ...string) *Identity {
	t.Helper()
	signer := NewSigner(t, algorithm)
	did := NewION(signer.JWK(t), purposes...).DID(t)
	return &Identity{Signer: signer, DID: did, KeyID: did + "#key-1"}
}

// ION is the create operation of a did:ion (Sidetree v1.0.0, Create), not hashed yet, for tests to change. DID keeps a
// deltaHash that is set already.
type ION struct {
	Delta, SuffixData map[string]any
}

// NewION makes the create operation of a did:ion with one key, key-1. Without purposes the key has authentication and
// assertionMethod.
func NewION(jwk map[string]any, purposes ...string) *ION {
	if len(purposes) == 0 {
		purposes = []string{"authentication", "assertionMethod"}
	}
	return &ION{
		Delta: map[string]any{
			"updateCommitment": Multihash([]byte(rand.Text())),
			"patches": []any{map[string]any{"action": "replace", "document": map[string]any{
				"publicKeys": []any{map[string]any{"id": "key-1", "type": "JsonWebKey2020", "publicKeyJwk": jwk, "purposes": purposes}},
				"services":   []any{},
			}}},
		},
		SuffixData: map[string]any{"recoveryCommitment": Multihash([]byte(rand.Text()))},
	}
}

// Document returns the document of the first patch, for tests to change.
func (i *ION) Document() map[string]any {
	patches, _ := i.Delta["patches"].([]any)
	first, _ := patches[0].(map[string]any)
	document, _ := first["document"].(map[string]any)
	return document
}

// Patch appends a patch.
func (i *ION) Patch(patch map[string]any) {
	patches, _ := i.Delta["patches"].([]any)
	i.Delta["patches"] = append(patches, patch)
}

// DID returns the long form of the DID.
func (i *ION) DID(t testing.TB) string {
	t.Helper()
	if _, set := i.SuffixData["deltaHash"]; !set {
		i.SuffixData["deltaHash"] = Multihash(JSON(t, i.Delta))
	}
	return i.Long(t, Multihash(JSON(t, i.SuffixData)))
}

// Long returns the long form with the given suffix, which may be wrong. encoding/json sorts names by their bytes, which
// is the canonical form (RFC 8785) as long as names and values are ASCII.
func (i *ION) Long(t testing.TB, suffix string) string {
	t.Helper()
	return "did:ion:" + suffix + ":" + Encode(JSON(t, map[string]any{"delta": i.Delta, "suffixData": i.SuffixData}))
}
